import { loadMnist } from '../../data/index.ts';
import { type Dataset, dense, flatten, type Layer } from '../../engine/index.ts';
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
};
