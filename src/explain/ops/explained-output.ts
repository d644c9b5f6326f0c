/**
 * What an explanation explains: one number a row, made of the row's logits (explainedOutput), its gradient with respect to them
 * (outputSeed), and the class it is about (resolveTarget).
 *
 *     logit        f_t                    log-odds   ln(p_t / (1 − p_t))
 *     probability  p_t = softmax(f)_t     contrast   any of these less the same of a class a
 *
 * **Shapes** logits [rows, classes]; targets and against uint32 [rows / perExample], NO_CLASS for none; kind uint32 [1].
 * **Gradient** none: outputSeed is the gradient, from which `differentiate` starts.
 * **Error** of the exponentials; the log-odds are formed from the other classes' logits, never from 1 − p.
 * **Source** shared conventions of the methods in local/; e.g. Sundararajan, Taly, Yan 2017 (logit), Binder et al. 2023 (contrast).
 */

import { shapeMismatch, show } from '../../engine/errors.ts';
import { apply, type Node, requireType } from '../../engine/graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../../engine/kernel.ts';
import type { Call, Operation, TensorType, Variant } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/explained-output.wgsl?raw';
import targetSource from '../../shaders/resolve-target.wgsl?raw';

/** In place of a class: none was asked for. More classes than any model has, and as bits an ordinary float. */
export const NO_CLASS = 0x10000000;

/** What `kind` holds. */
export const OUTPUT_KINDS = { logit: 0, probability: 1, logOdds: 2 } as const;
export type OutputKind = keyof typeof OUTPUT_KINDS;

export interface PerExampleAttributes {
  /** Rows that belong to one example, neighbours. */
  readonly perExample: number;
}

function checkInputs(name: string, inputs: readonly TensorType[], { perExample }: PerExampleAttributes): [number, number] {
  const [logits, targets, against, kind] = inputs as [TensorType, TensorType, TensorType, TensorType];
  requireType(name, logits, 'logits', 'float32');
  const [rows, classes] = logits.shape;
  if (logits.shape.length !== 2 || rows === undefined || classes === undefined || rows % perExample !== 0) {
    throw shapeMismatch(
      `${name}: the logits are ${show(logits.shape)}; they must be [rows, classes] with a multiple of ${perExample} rows.`,
      'explain a model that ends in one axis of classes.',
      { logits: logits.shape, perExample },
    );
  }
  for (const [input, called] of [
    [targets, 'targets'],
    [against, 'against'],
  ] as const) {
    requireType(name, input, called, 'uint32');
    requireShape(name, input, called, [rows / perExample], 'one class an example');
  }
  requireType(name, kind, 'kind', 'uint32');
  return [rows, classes];
}

function rowKernels(of: Kernel): Variant<PerExampleAttributes>[] {
  const dispatch = ({ inputs: [logits], attributes: { perExample } }: Call<PerExampleAttributes>) => {
    const [rows, classes] = (logits as TensorType).shape as [number, number];
    return { kernel: of, parameters: { rows, classes, per_example: perExample }, workgroups: linearWorkgroups(rows, 64) };
  };
  return [{ name: 'scalar', dispatch }];
}

const bindings = ['logits', 'targets', 'against', 'kind', 'y'];

export const explainedOutputOperation: Operation<PerExampleAttributes> = {
  name: 'explainedOutput',
  infer: (inputs, attributes) => ({ shape: [checkInputs('explainedOutput', inputs, attributes)[0]], dtype: 'float32' }),
  variants: rowKernels(kernel('explained-output', source, 'value', bindings)),
};

export const outputSeedOperation: Operation<PerExampleAttributes> = {
  name: 'outputSeed',
  infer: (inputs, attributes) => ({ shape: checkInputs('outputSeed', inputs, attributes), dtype: 'float32' }),
  variants: rowKernels(kernel('explained-output', source, 'gradient', bindings)),
  constant: true,
};

export const resolveTargetOperation: Operation<object> = {
  name: 'resolveTarget',
  infer: ([logits, asked]) => {
    requireType('resolveTarget', logits as TensorType, 'logits', 'float32');
    requireType('resolveTarget', asked as TensorType, 'asked', 'uint32');
    requireShape('resolveTarget', asked as TensorType, 'asked', (logits as TensorType).shape.slice(0, 1), 'one class a row');
    return { shape: (logits as TensorType).shape.slice(0, 1), dtype: 'uint32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [logits] }) => {
        const [rows, classes] = (logits as TensorType).shape as [number, number];
        const of = kernel('resolve-target', targetSource, 'forward', ['logits', 'asked', 'targets']);
        return { kernel: of, parameters: { rows, classes }, workgroups: linearWorkgroups(rows, 64) };
      },
    },
  ],
  constant: true,
};

/** The explained number of each row, [rows]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const explainedOutput = (logits: Node, targets: Node, against: Node, kind: Node, perExample = 1): Node =>
  apply(explainedOutputOperation, [logits, targets, against, kind], { perExample });

/** Its gradient with respect to the logits, [rows, classes]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const outputSeed = (logits: Node, targets: Node, against: Node, kind: Node, perExample = 1): Node =>
  apply(outputSeedOperation, [logits, targets, against, kind], { perExample });

/** The class asked for, or where NO_CLASS is asked that of the largest logit. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const resolveTarget = (logits: Node, asked: Node): Node => apply(resolveTargetOperation, [logits, asked], {});
