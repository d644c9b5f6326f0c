/** Where the network goes wrong on test examples: the confusion matrix, and the mistakes it is surest of. */

import type { Dataset, Model } from '../../engine/index.ts';

export interface Mistake {
  /** Of the test example. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Probability of the predicted class. */
  readonly share: number;
}

export interface Mistakes {
  readonly step: number;
  /** Test examples that were looked at: the first so many. */
  readonly size: number;
  readonly wrong: number;
  /** [classes, classes], rows are labels, columns predictions; how many. */
  readonly confusion: Float32Array;
  /** The surest first. */
  readonly worst: readonly Mistake[];
}

const MOST_EXAMPLES = 1000;
const MOST_WORST = 10;

/** @throws VitrineError what `predict` throws */
export async function findMistakes(model: Model, test: Dataset): Promise<Mistakes | undefined> {
  const { labels } = test;
  const classes = model.classes;
  if (!labels || !classes) return undefined;
  const size = Math.min(MOST_EXAMPLES, test.size);
  const width = test.inputs.length / test.size;
  const divisor = test.inputs instanceof Uint8Array ? (test.divisor ?? 255) : 1;
  const inputs = new Float32Array(size * width);
  // Ten times as fast as Float32Array.from, while which no frame is drawn.
  for (let i = 0; i < inputs.length; i++) inputs[i] = (test.inputs[i] as number) / divisor;
  const output = await model.predict(inputs);
  const step = model.parameters.values().next().value?.step ?? 0;
  try {
    const probabilities = await output.read();
    const confusion = new Float32Array(classes * classes);
    const mistakes: Mistake[] = [];
    let unanswered = 0;
    for (let index = 0; index < size; index++) {
      const row = probabilities.subarray(index * classes, (index + 1) * classes);
      const share = Math.max(...row);
      const predicted = row.indexOf(share);
      const label = labels[index] as number;
      if (label >= classes) continue;
      // A network that has diverged predicts nothing, which is not right.
      if (predicted < 0) {
        unanswered += 1;
        continue;
      }
      confusion[label * classes + predicted]! += 1;
      if (predicted !== label) mistakes.push({ index, label, predicted, share });
    }
    mistakes.sort((a, b) => b.share - a.share || a.index - b.index);
    return Object.freeze({
      step,
      size,
      wrong: mistakes.length + unanswered,
      confusion,
      worst: Object.freeze(mistakes.slice(0, MOST_WORST)),
    });
  } finally {
    output.dispose();
  }
}
