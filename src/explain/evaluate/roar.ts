import { checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Dataset, Model, Trainer } from '../../engine/index.ts';
import { elements } from '../../engine/operation.ts';
import { pcg4d, streamOf } from '../../engine/random.ts';
import { type ExplainOptions, type ExplainProgress, requireGoingOn } from '../attribution.ts';
import { exampleOf } from '../baselines.ts';
import { type ExplanationMethod, explainOptionsOf, mapsOf } from './maps.ts';
import { absolute, fallingOrder, mean, standardErrorOf } from './ranks.ts';

export interface RoarOptions extends Omit<ExplainOptions, 'target' | 'against' | 'onProgress'> {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Makes and trains a network anew on a data set, from a seed. Its trainer and its model are freed here. */
  readonly retrain: (train: Dataset, seed: number) => Promise<Trainer>;
  /** By the name that the result has; a random order is always there beside them. */
  readonly methods: Readonly<Record<string, ExplanationMethod>>;
  /** Shares of the elements that are removed; 0.1, 0.3, 0.5, 0.7, 0.9 by default. */
  readonly shares?: readonly number[];
  /** Networks that are trained for each share; 5 by default. */
  readonly retrainings?: number;
  /** Whether elements are ranked by |φ|; true by default. */
  readonly magnitude?: boolean;
  readonly seed?: number;
  /** Called after each retraining. */
  readonly onProgress?: (progress: ExplainProgress) => void;
}

export interface RoarRow {
  /** Of `methods`, or 'random'. */
  readonly method: string;
  readonly share: number;
  /** On the test set with the same share removed: mean over the retrainings, each and the standard error of the mean. */
  readonly accuracy: number;
  readonly standardError: number;
  readonly accuracies: readonly number[];
}

export interface Roar {
  /** Accuracy with nothing removed. */
  readonly base: number;
  /** Share of the commonest class in the test set: what is left when everything is removed. */
  readonly majority: number;
  readonly rows: readonly RoarRow[];
}

const RANDOM = 'random';
const STREAM = streamOf('roar/random');
/** Examples that are explained at once. */
const ROWS = 256;

/**
 * ROAR, remove and retrain: the accuracy of networks that are trained anew on data without the elements that a method calls the most relevant, in training and
 * test alike. Removed elements become the training set's mean of their place.
 *
 * **Cost** the method on every example; then methods · shares · retrainings networks. **Lower is better**: what was removed mattered. Retraining keeps the network from failing only because
 * the images look strange.
 * **Caveat** it asks whether the data still hold the class, not whether this network used what was removed: where others say the same, removal costs nothing. Many estimators do no better than
 * the random order that is measured beside them. Criticism: Rong et al. 2022, "A consistent and efficient evaluation strategy for attribution methods".
 * Defaults: 10, 30, 50, 70, 90 %, five retrainings (the paper).
 * **Source** Hooker, Erhan, Kindermans, Kim 2019, "A benchmark for interpretability methods in deep neural networks".
 *
 * @param model the trained network whose maps rank the elements
 * @throws VitrineError `invalid-option`, `aborted`, those of the methods and of training
 */
export async function roar(model: Model, options: RoarOptions): Promise<Roar> {
  const { train, test, retrain, methods, retrainings = 5, magnitude = true, seed = 0, signal } = options;
  const shares = options.shares ?? [0.1, 0.3, 0.5, 0.7, 0.9];
  checkWhole('roar: retrainings', retrainings, 1);
  checkWhole('roar: seed', seed, 0, 0xffffffff);
  const wrong = shares.find((share) => !(share >= 0 && share <= 1));
  if (wrong !== undefined || shares.length === 0) {
    throw new VitrineError(
      'invalid-option',
      `roar: a share is ${wrong}; shares lie between 0 and 1.`,
      'pass some such as [0.1, 0.5, 0.9].',
      { shares },
    );
  }
  if (Object.hasOwn(methods, RANDOM)) {
    throw new VitrineError(
      'invalid-option',
      "roar: a method is called 'random', which is the order measured beside them.",
      'give it another name.',
    );
  }
  const { labels } = test;
  if (!labels || !train.labels) {
    throw new VitrineError('invalid-option', 'roar: the data have no labels, so there is no accuracy.', 'pass labelled data.');
  }
  const features = elements(model.spec.inputShape);
  const fill = meanOf(train, features);
  const asked = explainOptionsOf(options);
  const total = retrainings * (1 + (Object.keys(methods).length + 1) * shares.length);
  let done = 0;
  const accuracyOf = async (on: Dataset, held: Dataset, which: number): Promise<number> => {
    requireGoingOn('roar', signal);
    const trainer = await retrain(on, which);
    try {
      return (await trainer.evaluate(held)).accuracy;
    } finally {
      trainer.dispose();
      trainer.model.dispose();
      done += 1;
      options.onProgress?.({ done, total });
    }
  };
  const base: number[] = [];
  for (let which = 0; which < retrainings; which++) base.push(await accuracyOf(train, test, which));

  const rows: RoarRow[] = [];
  const orders: Readonly<Record<string, (dataset: Dataset, salt: number) => Promise<Uint32Array[]>>> = {
    [RANDOM]: async (dataset, salt) => Array.from({ length: dataset.size }, (_, example) => randomOrder(features, seed, salt, example)),
    ...Object.fromEntries(
      Object.entries(methods).map(([name, method]) => [
        name,
        (dataset: Dataset) => ordersOf(model, dataset, method, asked, magnitude, signal),
      ]),
    ),
  };
  for (const [method, orderOf] of Object.entries(orders)) {
    const [trainOrders, testOrders] = [await orderOf(train, 0), await orderOf(test, 1)];
    for (const share of shares) {
      const count = Math.round(share * features);
      const [less, held] = [without(train, trainOrders, count, fill), without(test, testOrders, count, fill)];
      const accuracies: number[] = [];
      for (let which = 0; which < retrainings; which++) accuracies.push(await accuracyOf(less, held, which));
      rows.push({ method, share, accuracy: mean(accuracies), standardError: standardErrorOf(accuracies), accuracies });
    }
  }
  return { base: mean(base), majority: majorityOf(labels), rows };
}

/** The elements of each example from the most relevant on. */
async function ordersOf(
  model: Model,
  dataset: Dataset,
  method: ExplanationMethod,
  asked: ExplainOptions,
  magnitude: boolean,
  signal: AbortSignal | undefined,
): Promise<Uint32Array[]> {
  const features = elements(model.spec.inputShape);
  const orders: Uint32Array[] = [];
  for (let first = 0; first < dataset.size; first += ROWS) {
    requireGoingOn('roar', signal);
    const count = Math.min(ROWS, dataset.size - first);
    const x = new Float32Array(count * features);
    for (let i = 0; i < count; i++) x.set(exampleOf(dataset, first + i), i * features);
    const { maps } = await mapsOf(method, model, x, asked);
    for (let i = 0; i < count; i++) orders.push(fallingOrder(magnitude ? absolute(maps.of(i)) : maps.of(i)));
  }
  return orders;
}

/** An order drawn for one example of one data set. */
function randomOrder(features: number, seed: number, salt: number, example: number): Uint32Array {
  const keys = Array.from({ length: features }, (_, i) => pcg4d(seed, STREAM + salt, example, i)[0]);
  return fallingOrder(keys);
}

/** The data set with the first `count` of each example's order filled in. */
function without(dataset: Dataset, orders: readonly Uint32Array[], count: number, fill: Float64Array): Dataset {
  const features = fill.length;
  const inputs = new Float32Array(dataset.size * features);
  for (let example = 0; example < dataset.size; example++) {
    inputs.set(exampleOf(dataset, example), example * features);
    for (const element of (orders[example] as Uint32Array).subarray(0, count))
      inputs[example * features + element] = fill[element] as number;
  }
  return { ...dataset, inputs };
}

function meanOf(dataset: Dataset, features: number): Float64Array {
  const total = new Float64Array(features);
  for (let example = 0; example < dataset.size; example++) {
    exampleOf(dataset, example).forEach((value, i) => {
      total[i] = (total[i] as number) + value / dataset.size;
    });
  }
  return total;
}

function majorityOf(labels: ArrayLike<number>): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) counts.set(labels[i] as number, (counts.get(labels[i] as number) ?? 0) + 1);
  return Math.max(...counts.values()) / labels.length;
}
