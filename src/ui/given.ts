/** A caller's own trainer in the studio: what the studio can look into, and what it says of parts that only the caller can change. */

import { type Dataset, type Trainer, VitrineError, validateDataset } from '../engine/index.ts';
import type { Settings } from './settings.ts';

/** It stays the caller's: the studio drives it while it is mounted, and disposes nothing of it. */
export interface Given {
  readonly trainer: Trainer;
  /** The examples that are looked at, asked about and tested. */
  readonly dataset: Dataset;
  readonly settings: Settings;
  /** The hidden layers in short. */
  readonly layers: string;
  /** As its paper calls it. */
  readonly optimizer: string;
}

const OPTIMIZERS = { adam: 'Adam', adamW: 'AdamW', sgd: 'SGD' } as const;

/**
 * @param epochs passes over the trainer's data that Run makes
 * @throws VitrineError `unsupported-model` where it is no classifier of numbers; `empty-dataset` where the trainer has no data;
 * `shape-mismatch`, `label-out-of-range`, `non-finite-data` where the data set is none that the model takes
 */
export function givenOf(trainer: Trainer, dataset: Dataset, epochs: number): Given {
  const { model } = trainer;
  const refusal =
    trainer.loss !== 'crossEntropy' || model.classes === undefined
      ? `its loss is ${trainer.loss}, and it gives [${model.layers.at(-1)?.outputShape.join(', ')}]`
      : (model.spec.inputType ?? 'float32') !== 'float32'
        ? 'its inputs are indices'
        : undefined;
  if (refusal) {
    throw new VitrineError(
      'unsupported-model',
      `mountStudio: the studio looks into classifiers of numbers; of this model, ${refusal}.`,
      "give it a trainer with the loss 'crossEntropy', of a model whose last layer has one unit a class.",
      { method: 'mountStudio' },
    );
  }
  // Both say what is missing before anything is shown.
  void trainer.stepsPerEpoch;
  validateDataset(dataset, model.spec.inputShape, model.classes);
  const settings: Settings = {
    data: 'own:given',
    hidden: [],
    optimizer: trainer.optimizer.kind === 'sgd' ? 'sgd' : 'adam',
    seed: model.spec.seed ?? 0,
    batch: trainer.batchSize,
    rate: trainer.learningRate,
    epochs,
  };
  const classes = dataset.classes ?? Array.from({ length: model.classes ?? 0 }, (_, k) => String(k));
  return {
    trainer,
    dataset: { ...dataset, classes },
    settings,
    layers: layersInShort(model.layers),
    optimizer: OPTIMIZERS[trainer.optimizer.kind],
  };
}

/** What lies between the input and the last layer with weights: `128-64`; `conv2d 8×8×16-32`. */
function layersInShort(layers: Trainer['model']['layers']): string {
  return layers
    .filter(({ parameters }) => parameters > 0)
    .slice(0, -1)
    .map(({ kind, outputShape }) => (kind === 'dense' ? String(outputShape.at(-1)) : `${kind} ${outputShape.join('×')}`))
    .join('-');
}
