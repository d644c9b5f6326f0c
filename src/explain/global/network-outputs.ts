/** What a network says of many examples, read to the CPU where small solves need it. The forward passes run on the GPU. */

import { shapeMismatch, show, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import type { Examples, Forward, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { slice } from '../../engine/ops/slice.ts';
import { softmax } from '../../engine/ops/softmax.ts';
import { Tensor } from '../../engine/tensor.ts';
import { unsupportedModel } from '../attribution.ts';

/** Number of classes of a model that tells at least two apart. @throws VitrineError `unsupported-model` */
export function requireClasses(method: string, model: Model): number {
  const { classes } = model;
  if (classes === undefined || classes < 2) {
    const output = model.layers.at(-1)?.outputShape ?? [];
    throw unsupportedModel(
      method,
      `an example's output is ${show(output)}; the method is about classes.`,
      'end the model in dense(classes), two or more.',
    );
  }
  return classes;
}

/** [rows, classes]: what goes into the softmax. */
export async function logitsOf(model: Model, x: Examples): Promise<Float32Array> {
  const logits = await model.logits(x);
  try {
    return await logits.read();
  } finally {
    logits.dispose();
  }
}

/** The class of the largest number of each row, ties to the lowest. */
export function largestOfRows(values: ArrayLike<number>, columns: number): Uint32Array {
  return Uint32Array.from({ length: values.length / columns }, (_, row) => {
    let best = 0;
    for (let c = 1; c < columns; c++) if ((values[row * columns + c] as number) > (values[row * columns + best] as number)) best = c;
    return best;
  });
}

/** The predicted class of each example. @throws VitrineError `unsupported-model`, and what the model's inputs can be wrong in */
export async function predictedClasses(method: string, model: Model, x: Examples): Promise<Uint32Array> {
  const classes = requireClasses(method, model);
  return largestOfRows(await logitsOf(model, x), classes);
}

/** Examples as values on the CPU. @throws VitrineError what the model's inputs can be wrong in */
export async function inputsOf(model: Model, x: Examples): Promise<Float32Array> {
  model.rowsOf(x);
  if (x instanceof Tensor) return x.dtype === 'float32' ? x.read() : Float32Array.from(await x.readUint32());
  return x instanceof Float32Array ? x : Float32Array.from(x);
}

/** Names of the columns, `x0`, `x1`, … where none are given. @throws VitrineError `shape-mismatch` */
export function columnNames(method: string, model: Model, names: readonly string[] | undefined): readonly string[] {
  const features = elements(model.spec.inputShape);
  if (names && names.length !== features) {
    throw shapeMismatch(`${method}: ${names.length} names for ${features} columns.`, 'name every column, or none.', {
      names: names.length,
      features,
    });
  }
  return names ?? Array.from({ length: features }, (_, i) => `x${i}`);
}

/** What a method asks of a network: one class's logit or probability. */
export interface AskedOutput {
  /** The class; it may be left out for a model of one output. */
  readonly target?: number | undefined;
  /** 'logit' by default. */
  readonly output?: 'logit' | 'probability' | undefined;
}

/**
 * The asked number of each row, [rows]; and the class it is of.
 *
 * @throws VitrineError `unsupported-model`, `label-out-of-range`, `invalid-option`
 */
export function askedOutput(
  method: string,
  model: Model,
  { target, output = 'logit' }: AskedOutput,
): { of: (forward: Forward) => Node; target: number } {
  const { classes } = model;
  if (classes === undefined) {
    const shape = model.layers.at(-1)?.outputShape ?? [];
    throw unsupportedModel(method, `an example's output is ${show(shape)}; the method is about one number.`, 'end the model in one axis.');
  }
  if (target === undefined && classes > 1) {
    throw new VitrineError('invalid-option', `${method}: which of the ${classes} classes?`, 'name one as target.', { classes });
  }
  const of = target ?? 0;
  if (!(Number.isInteger(of) && of >= 0 && of < classes)) {
    throw new VitrineError(
      'label-out-of-range',
      `${method}: target is ${of}, but the model has ${classes} outputs (classes 0 to ${classes - 1}).`,
      `name a class from 0 to ${classes - 1}.`,
      { label: of, classes },
    );
  }
  if (output !== 'logit' && output !== 'probability') {
    throw new VitrineError('invalid-option', `${method}: there is no output '${String(output)}'.`, "use 'logit' or 'probability'.", {
      output,
    });
  }
  return {
    target: of,
    of: ({ logits }) => {
      const rows = logits.shape[0] as number;
      const values = output === 'logit' ? logits : softmax(logits);
      return reshape(slice(values, { start: [0, of], end: [rows, of + 1] }), [rows]);
    },
  };
}
