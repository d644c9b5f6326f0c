import { checkNumber, checkWhole, shapeMismatch, VitrineError } from '../../engine/errors.ts';
import type { Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { requireGoingOn } from '../attribution.ts';
import { largestOfRows } from '../global/network-outputs.ts';

export interface DecisionFieldOptions {
  /** The two columns that vary: along the first from left to right, along the second from below upwards. [0, 1] by default. */
  readonly columns?: readonly [number, number];
  /** What the other columns hold; zeros by default. */
  readonly at?: ArrayLike<number>;
  /** From where to where each of the two varies. */
  readonly ranges: readonly [readonly [number, number], readonly [number, number]];
  /** Cells along each; 64 by default. */
  readonly size?: number;
  readonly signal?: AbortSignal;
}

export interface DecisionField {
  readonly size: number;
  /** [size] values of the first and of the second column. */
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** [size, size, outputs] what predict gives; a row of cells is a value of the second column, from the lowest on. */
  readonly output: Float32Array;
  readonly outputs: number;
  /** [size, size] the class of the largest output, ties to the lowest. */
  readonly classes: Uint32Array;
}

/** Rows that are predicted at once. */
const ROWS = 4096;

/**
 * Decision field: the network's output over a grid of two of its inputs, the others fixed.
 *
 * **Shapes** → output [size, size, outputs], classes [size, size]. **Cost** size² forward rows.
 * **Shows** where the network changes its mind, in a plane. **Does not show** what it does off that plane; where the network has more than two inputs, that is nearly
 * everywhere.
 * A cell is what predict() gives for its point, to the bit.
 *
 * @throws VitrineError `shape-mismatch`, `invalid-option`, `aborted`
 */
export async function decisionField(model: Model, options: DecisionFieldOptions): Promise<DecisionField> {
  const method = 'decisionField';
  const { columns = [0, 1], ranges, size = 64, signal } = options;
  checkWhole(`${method}: size`, size, 1, 2048);
  const features = elements(model.spec.inputShape);
  for (const column of columns) {
    if (Number.isInteger(column) && column >= 0 && column < features) continue;
    throw shapeMismatch(`${method}: there is no column ${column}; an example has ${features}.`, `name two from 0 to ${features - 1}.`, {
      column,
    });
  }
  if (columns[0] === columns[1]) {
    throw new VitrineError('invalid-option', `${method}: both axes are column ${columns[0]}.`, 'name two different ones.', { columns });
  }
  for (const [low, high] of ranges) {
    checkNumber(`${method}: ranges`, low, Number.NEGATIVE_INFINITY);
    checkNumber(`${method}: ranges`, high, low);
  }
  const at = options.at ?? new Float32Array(features);
  if (at.length !== features) {
    throw shapeMismatch(`${method}: at has ${at.length} values; an example has ${features}.`, 'give one example.', { features });
  }
  const axis = ([low, high]: readonly [number, number]): Float32Array =>
    Float32Array.from({ length: size }, (_, i) => (size === 1 ? (low + high) / 2 : low + ((high - low) * i) / (size - 1)));
  const [first, second] = [axis(ranges[0]), axis(ranges[1])];
  const outputs = elements(model.layers.at(-1)?.outputShape ?? []);
  const output = new Float32Array(size * size * outputs);
  for (let cell = 0; cell < size * size; cell += ROWS) {
    requireGoingOn(method, signal);
    const count = Math.min(ROWS, size * size - cell);
    const x = new Float32Array(count * features);
    for (let i = 0; i < count; i++) {
      x.set(at, i * features);
      x[i * features + columns[0]] = first[(cell + i) % size] as number;
      x[i * features + columns[1]] = second[Math.floor((cell + i) / size)] as number;
    }
    const predicted = await model.predict(x);
    output.set(await predicted.read(), cell * outputs);
    predicted.dispose();
  }
  return { size, first, second, output, outputs, classes: largestOfRows(output, outputs) };
}
