import { loadBreastCancer, loadGermanCredit, loadMnist, split, standardise } from '../../data/index.ts';
import { type Dataset, dense, flatten, type Layer } from '../../engine/index.ts';
import type { DataName, ModelName } from '../train-task.ts';

/** The data sets and networks that a training command knows by name. */

/** Of the split into training and test rows: the same for every run, whatever its seed, so that runs can be compared. */
const TABLE_SEED = 0;

type LoadProgress = (loaded: number, total: number | undefined) => void;

export const DATA: Record<DataName, (onProgress: LoadProgress) => Promise<{ train: Dataset; test: Dataset }>> = {
  mnist: (onProgress) => loadMnist({ onProgress: ({ loadedBytes, totalBytes }) => onProgress(loadedBytes, totalBytes) }),
  'german-credit': async () => standardise(split(await loadGermanCredit(), { fraction: 0.2, stratified: true, seed: TABLE_SEED })),
  'breast-cancer': async () => standardise(split(await loadBreastCancer(), { fraction: 0.2, stratified: true, seed: TABLE_SEED })),
};

export const MODELS: Record<ModelName, (classes: number) => Layer[]> = {
  /** On MNIST 784 → 128 → 10: the network of the introduction, 101,770 parameters. */
  mlp: (classes) => [flatten(), dense(128, { activation: 'relu' }), dense(classes, { activation: 'softmax' })],
  /** Multinomial logistic regression. */
  linear: (classes) => [flatten(), dense(classes, { activation: 'softmax' })],
};
