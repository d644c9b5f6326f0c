/**
 * What operations on rows share. A row is the last axis of a tensor; everything before it counts the rows.
 */

import library from '../shaders/workgroup-rows.wgsl?raw';
import { shapeMismatch, show } from './errors.ts';
import { requireType } from './graph.ts';
import { type Kernel, kernel, linearWorkgroups, type ParameterValues } from './kernel.ts';
import { type Call, elements, sameShape, type TensorType, type Variant } from './operation.ts';
import { STATE_WORDS } from './training-state.ts';

export interface Rows {
  readonly rows: number;
  readonly columns: number;
}

export function rowsOf({ shape }: TensorType): Rows {
  const columns = shape.at(-1) ?? 1;
  return { rows: elements(shape) / columns, columns };
}

/** The rows of a call's first input. */
export const callRows = ({ inputs }: Call): Rows => rowsOf(inputs[0] as TensorType);

/** Refuses a scalar, which has no rows. */
export function requireRows(operation: string, input: TensorType, name: string): void {
  if (input.shape.length === 0) {
    throw shapeMismatch(`${operation}: ${name} is a scalar; it has no axis to work along.`, `give ${name} an axis, as in [1].`, {
      operation,
      input: name,
    });
  }
}

/** Refuses an input that is not of the expected shape; `like` says whose shape that is. */
export function requireShape(operation: string, input: TensorType, name: string, expected: readonly number[], like: string): void {
  if (!sameShape(input.shape, expected)) {
    throw shapeMismatch(
      `${operation}: ${name} is ${show(input.shape)}; it must be ${show(expected)}, ${like}.`,
      `give ${name} the shape ${show(expected)}.`,
      { operation, input: name, actual: input.shape, expected },
    );
  }
}

/** Refuses what is not the state of a training step. */
export function requireState(operation: string, state: TensorType): void {
  requireType(operation, state, 'state', 'uint32');
  requireShape(operation, state, 'state', [STATE_WORDS], 'the state of a training step');
}

/** Rows up to 16, up to 64, up to 256, … elements long are tuned together. */
export const rowClass = (call: Call): string => `columns<=${4 ** Math.max(2, Math.ceil(Math.log2(callRows(call).columns) / 2))}`;

/** Invocations of a workgroup in which one invocation computes a row. */
const ROWS_PER_GROUP = 32;

/**
 * The three ways to work on rows, of one .wgsl file: `ENTRY_vec4` (an invocation a row, four elements at a time), `ENTRY` (an
 * invocation a row), `ENTRY_workgroup` (64 invocations a row, which suits long rows on a real GPU). All take `rows`, `columns` and
 * what `more` adds.
 *
 * @param bindings names of the storage variables; in `ENTRY_vec4` those end in 4
 */
export function rowVariants<A>(
  file: string,
  source: string,
  entry: string,
  bindings: readonly string[],
  more: (attributes: A) => ParameterValues = () => ({}),
): Variant<A>[] {
  const whole = `${library}\n${source}`;
  const variant = (name: string, of: Kernel, rowsPerGroup: number, supports: (columns: number) => boolean): Variant<A> => ({
    name,
    supports: (call) => supports(callRows(call).columns),
    dispatch: (call) => {
      const { rows, columns } = callRows(call);
      return { kernel: of, parameters: { rows, columns, ...more(call.attributes) }, workgroups: linearWorkgroups(rows, rowsPerGroup) };
    },
  });
  const quads = bindings.map((name) => `${name}4`);
  return [
    variant('vec4', kernel(file, whole, `${entry}_vec4`, quads), ROWS_PER_GROUP, (columns) => columns % 4 === 0),
    variant('scalar', kernel(file, whole, entry, bindings), ROWS_PER_GROUP, () => true),
    variant('workgroup', kernel(file, whole, `${entry}_workgroup`, bindings), 1, () => true),
  ];
}
