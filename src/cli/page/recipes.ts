import { loadMnist } from '../../data/index.ts';
import { conv2d, type Dataset, dense, flatten, type Layer, maxPool2d } from '../../engine/index.ts';
import type { DataName, ModelName } from '../train-task.ts';

/** The data sets and networks that a training command knows by name. */

type LoadProgress = (loaded: number, total: number | undefined) => void;

export const DATA: Record<DataName, (onProgress: LoadProgress) => Promise<{ train: Dataset; test: Dataset }>> = {
  mnist: (onProgress) => loadMnist({ onProgress: ({ loadedBytes, totalBytes }) => onProgress(loadedBytes, totalBytes) }),
};

export const MODELS: Record<ModelName, (classes: number) => Layer[]> = {
  /** 784 → 128 → 10: the network of the introduction, 101,770 parameters. */
  mlp: (classes) => [flatten(), dense(128, { activation: 'relu' }), dense(classes, { activation: 'softmax' })],
  /** Multinomial logistic regression. */
  linear: (classes) => [flatten(), dense(classes, { activation: 'softmax' })],
  /** Two convolutions, each halved by pooling. */
  cnn: (classes) => [
    conv2d(16, 3, { activation: 'relu' }),
    maxPool2d(2),
    conv2d(32, 3, { activation: 'relu' }),
    maxPool2d(2),
    flatten(),
    dense(classes, { activation: 'softmax' }),
  ],
};
