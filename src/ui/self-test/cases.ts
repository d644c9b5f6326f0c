/**
 * What the self-test page runs: every kernel of the engine and every variant of it, against the references that the tests compare with. The
 * sizes are few and small (1, around a tile, a prime, what vec4 needs): the tests have the many.
 */

import type { Device } from '../../engine/device.ts';
import { apply, type Node } from '../../engine/graph.ts';
import type { KernelFamily, Operation, TensorType } from '../../engine/operation.ts';
import { type AdamAttributes, adamUpdate } from '../../engine/ops/adam.ts';
import { accumulate, advance } from '../../engine/ops/advance.ts';
import { affine, affineOperation, weightGradientKernels } from '../../engine/ops/affine.ts';
import { argmax } from '../../engine/ops/argmax.ts';
import { add, divide, equal, greater, maximum, minimum, multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { attentionSoftmax } from '../../engine/ops/attention-softmax.ts';
import { concatenate } from '../../engine/ops/concatenate.ts';
import { crossEntropy, crossEntropyBackward, crossEntropyTrainingKernels, hits } from '../../engine/ops/cross-entropy.ts';
import { dropout } from '../../engine/ops/dropout.ts';
import { abs, exp, log, power, reciprocal, sign, sqrt, square } from '../../engine/ops/elementary.ts';
import { embedding } from '../../engine/ops/embedding.ts';
import { gatherBatch } from '../../engine/ops/gather-batch.ts';
import { gelu, geluCurvature } from '../../engine/ops/gelu.ts';
import { clipByGlobalNorm } from '../../engine/ops/gradient-norm.ts';
import { largest } from '../../engine/ops/largest.ts';
import { layerNorm } from '../../engine/ops/layer-norm.ts';
import { logSoftmax, logSoftmaxBackward } from '../../engine/ops/log-softmax.ts';
import { type MatmulAttributes, maskedProductKernels, matmul } from '../../engine/ops/matmul.ts';
import { meanOverRows } from '../../engine/ops/mean-over-rows.ts';
import { oneHot } from '../../engine/ops/one-hot.ts';
import { broadcastTo, mean, sum } from '../../engine/ops/reduce.ts';
import { relu, reluBackward } from '../../engine/ops/relu.ts';
import { type SgdAttributes, sgdUpdate } from '../../engine/ops/sgd.ts';
import { sigmoid } from '../../engine/ops/sigmoid.ts';
import { pad, slice } from '../../engine/ops/slice.ts';
import { softmax, softmaxBackward } from '../../engine/ops/softmax.ts';
import { squaredError } from '../../engine/ops/squared-error.ts';
import { tanh } from '../../engine/ops/tanh.ts';
import { transpose } from '../../engine/ops/transpose.ts';
import { pcg4d, permute } from '../../engine/random.ts';
import { closeness, examineOperation, type Finding, type Input, type OperationCheck } from '../../engine/reference/check-operation.ts';
import { BLOCK, blockGroups, groupTable, randomBlocks } from '../../engine/reference/flat-parameters.ts';
import * as mathematics from '../../engine/reference/mathematics.ts';
import * as references from '../../engine/reference/operations.ts';
import { adamReference, gradientsOf, sgdReference } from '../../engine/reference/optimizers.ts';
import { type Input as InPlaceInput, runInPlace, type Values } from '../../engine/reference/run-in-place.ts';
import { getField, makeState, type StateField } from '../../engine/training-state.ts';

export interface SelfTestCase {
  /** Under which it is listed. */
  readonly operation: string;
  /** What is checked, in figures. */
  readonly name: string;
  examine(device: Device): AsyncGenerator<Finding>;
}

const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** A call of an operation. */
export const call = (operation: string, name: string, check: OperationCheck): SelfTestCase => ({
  operation,
  name,
  examine: (device) => examineOperation(device, check),
});

// ---- element by element ----------------------------------------------------------------------------------------------------------

const nearKink = (x: number): boolean => Math.abs(x) < 1e-2;
const lines: readonly (readonly number[])[] = [[1], [63], [64], [7, 12]];

function eachElement(operation: string, build: (x: Node) => Node, f: (x: number) => number, input: Partial<Input> = {}): SelfTestCase[] {
  const reference = (x: number[]): number[] => x.map(f);
  return lines.map((shape) => call(operation, show(shape), { build, inputs: [{ shape, ...input }], reference }));
}

const positive: Partial<Input> = { range: [0.5, 3] };
const away: Partial<Input> = { avoid: nearKink };

const activations = (): SelfTestCase[] => [
  ...eachElement('relu', relu, (x) => Math.max(0, x), away),
  ...eachElement('tanh', tanh, Math.tanh),
  ...eachElement('sigmoid', sigmoid, mathematics.sigmoid),
  ...eachElement('gelu', (x) => gelu(x), mathematics.gelu),
  ...eachElement('gelu', (x) => gelu(x, { approximate: 'tanh' }), mathematics.geluByTanh),
  ...[3, 4].map((length) => {
    const h = 1e-3;
    const f = mathematics.gelu;
    return call('gelu', `second derivative ${show([length])}`, {
      build: (x) => geluCurvature(x, { approximate: 'none' }),
      inputs: [{ shape: [length] }],
      reference: (x) => x.map((value) => (f(value + h) - 2 * f(value) + f(value - h)) / (h * h)),
      gradient: false,
    });
  }),
];

const elementary = (): SelfTestCase[] => [
  ...eachElement('exp', exp, Math.exp, { range: [-2, 2] }),
  ...eachElement('log', log, Math.log, positive),
  ...eachElement('sqrt', sqrt, Math.sqrt, positive),
  ...eachElement('abs', abs, Math.abs, away),
  ...eachElement('sign', sign, Math.sign, away),
  ...eachElement('square', square, (x) => x * x),
  ...eachElement('reciprocal', reciprocal, (x) => 1 / x, positive),
  ...eachElement(
    'power',
    (x) => power(x, 3),
    (x) => x ** 3,
  ),
  ...eachElement(
    'power',
    (x) => power(x, -1.5),
    (x) => x ** -1.5,
    positive,
  ),
];

/** Numbers that are nowhere near those of the other input. */
const apart = (remainder: number) => (i: number) => 0.1 * (((i * (53 - 7 * remainder)) % 97) - 48) + 0.05 * remainder;

function pairs(
  operation: string,
  build: (a: Node, b: Node) => Node,
  f: (a: number, b: number) => number,
  second: Partial<Input> = {},
): SelfTestCase[] {
  const shapes: [number[], number[], number[]][] = [
    [[1], [1], [1]],
    [[65], [65], [65]],
    [[7, 12], [12], [7, 12]],
    [
      [3, 1, 5],
      [2, 1],
      [3, 2, 5],
    ],
  ];
  return shapes.map(([a, b, shape]) =>
    call(operation, `${show(a)} and ${show(b)}`, {
      build,
      inputs: [
        { shape: a, values: apart(0) },
        { shape: b, values: apart(1), ...second },
      ],
      reference: (p, q = []) => {
        const y: number[] = [];
        mathematics.eachIndex(shape, (_index, at) => {
          y.push(f((p as number[])[mathematics.broadcastIndex(at, a)] as number, q[mathematics.broadcastIndex(at, b)] as number));
        });
        return y;
      },
    }),
  );
}

const arithmetic = (): SelfTestCase[] => [
  ...pairs('add', add, (a, b) => a + b),
  ...pairs('subtract', subtract, (a, b) => a - b),
  ...pairs('multiply', multiply, (a, b) => a * b),
  ...pairs('divide', divide, (a, b) => a / b, { values: (i) => 0.5 + 0.01 * ((i * 37) % 151) }),
  ...pairs('maximum', maximum, Math.max),
  ...pairs('minimum', minimum, Math.min),
  ...pairs('greater', greater, (a, b) => Number(a > b)),
  ...pairs('equal', equal, (a, b) => Number(a === b)),
];

// ---- products --------------------------------------------------------------------------------------------------------------------

const layouts: readonly MatmulAttributes[] = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];

const products = (): SelfTestCase[] => {
  // The smallest, primes, vec4 with an edge in each direction; the last reaches beyond the largest tile.
  const sizes: references.ProductSizes[] = [
    { rows: 1, inner: 1, cols: 1 },
    { rows: 31, inner: 37, cols: 29 },
    { rows: 36, inner: 12, cols: 44 },
    { rows: 132, inner: 36, cols: 68 },
  ];
  const plain = layouts.flatMap((layout) =>
    sizes.map((size) => {
      const { rows, inner, cols } = size;
      const a = layout.transposeA ? [inner, rows] : [rows, inner];
      const b = layout.transposeB ? [cols, inner] : [inner, cols];
      return call('matmul', `${layout.transposeA ? 'aᵀ' : 'a'} ${layout.transposeB ? 'bᵀ' : 'b'}, ${show(a)} and ${show(b)}`, {
        build: (p, q) => matmul(p, q, layout),
        inputs: [{ shape: a }, { shape: b }],
        reference: (p, q = []) => references.matmulReference(size, layout, p as number[], q),
        // The gradients are products themselves.
        gradient: false,
      });
    }),
  );
  const masked = sizes.slice(0, 3).map((size) => {
    const layout = { transposeA: false, transposeB: true };
    const shapes = [
      [size.rows, size.cols],
      [size.rows, size.inner],
      [size.cols, size.inner],
    ] as const;
    return call('matmul + reluBackward', `${show(shapes[1])} and ${show(shapes[2])}`, {
      build: (gate, a, b) => reluBackward(relu(gate), matmul(a, b, layout)),
      inputs: [{ shape: shapes[0], avoid: nearKink }, { shape: shapes[1] }, { shape: shapes[2] }],
      reference: (gate, a = [], b = []) =>
        references.matmulReference(size, layout, a, b).map((value, i) => (((gate as number[])[i] as number) > 0 ? value : 0)),
      fused: maskedProductKernels,
      gradient: false,
    });
  });
  return [...plain, ...masked];
};

const layers = (): SelfTestCase[] => {
  const sizes: [number, number, number][] = [
    [1, 1, 1],
    [17, 31, 13],
    [36, 12, 20],
  ];
  return sizes.flatMap(([rows, inputs, outputs]) => {
    const shapes = [[rows, inputs], [inputs, outputs], [outputs]] as const;
    const name = shapes.map(show).join(', ');
    const reference = (x: number[], w: number[] = [], b: number[] = []): number[] => references.affineReference(inputs, outputs, x, w, b);
    const fixed = shapes.map((shape) => ({ shape, gradient: false as const }));
    return [
      call('affine', name, { build: affine, inputs: shapes.map((shape) => ({ shape })), reference }),
      call('affine + relu', name, {
        build: (x, w, b) => relu(affine(x, w, b)),
        inputs: fixed,
        reference: (x, w, b) => reference(x as number[], w, b).map((value) => Math.max(value, 0)),
        fused: affineOperation,
      }),
      call('matmul + sum', name, {
        build: affine,
        inputs: [fixed[0] as Input, { shape: shapes[1] }, { shape: shapes[2] }],
        reference,
        fused: weightGradientKernels,
      }),
    ];
  });
};

// ---- rows ------------------------------------------------------------------------------------------------------------------------

const rowShapes: readonly [number, number][] = [
  [1, 1],
  [5, 3],
  [33, 16],
  [2, 65],
  [2, 257],
];

const rows = (): SelfTestCase[] =>
  rowShapes.flatMap((shape) => {
    const [count, columns] = shape;
    const name = show(shape);
    // Rows of two or three elements may lie so close together that 1 / deviation is large.
    const epsilon = columns < 8 ? 0.5 : 1e-5;
    const options = { temperature: 0.7 };
    return [
      call('softmax', name, { build: softmax, inputs: [{ shape }], reference: references.softmaxReference(columns) }),
      call('softmax', `gradient ${name}`, {
        build: softmaxBackward,
        inputs: [{ shape, range: [0, 1] }, { shape }],
        reference: references.softmaxBackwardReference(columns),
        tolerance: 1e-4,
        gradient: false,
      }),
      call('logSoftmax', name, { build: logSoftmax, inputs: [{ shape }], reference: references.logSoftmaxReference(columns) }),
      call('logSoftmax', `gradient ${name}`, {
        build: logSoftmaxBackward,
        inputs: [{ shape }, { shape }],
        reference: references.logSoftmaxBackwardReference(columns),
        tolerance: 1e-4,
        gradient: false,
      }),
      call('layerNorm', name, {
        build: (x, scale, bias) => layerNorm(x, scale, bias, { epsilon }),
        inputs: [{ shape }, { shape: [columns] }, { shape: [columns] }],
        reference: references.layerNormReference(columns, epsilon),
      }),
      call('attentionSoftmax', name, {
        build: (scores) => attentionSoftmax(scores, options),
        inputs: [{ shape }],
        reference: references.attentionSoftmaxReference(columns, options),
      }),
      call('argmax', name, { build: argmax, inputs: [{ shape }], reference: references.argmaxReference(columns) }),
      call('squaredError', name, {
        build: squaredError,
        inputs: [{ shape }, { shape }],
        reference: references.squaredErrorReference(count),
      }),
    ];
  });

const causal = (): SelfTestCase[] =>
  [3, 8, 65].map((columns) => {
    const options = { temperature: 1.5, causal: true };
    return call('attentionSoftmax', `causal ${show([columns, columns])}`, {
      build: (scores) => attentionSoftmax(scores, options),
      inputs: [{ shape: [columns, columns] }],
      reference: references.attentionSoftmaxReference(columns, options),
    });
  });

const labelsOf = (count: number, classes: number): Input => ({ shape: [count], dtype: 'uint32', range: [0, classes] });

const losses = (): SelfTestCase[] =>
  (
    [
      [1, 2],
      [33, 10],
      [5, 17],
    ] as const
  ).flatMap(([count, classes]) => {
    const shape = [count, classes];
    const name = show(shape);
    const inputs = [{ shape }, labelsOf(count, classes)];
    const loss = (logits: number[], labels: number[] = []): number[] => references.crossEntropyRows(logits, labels).map((row) => row.loss);
    return [
      call('crossEntropy', name, { build: crossEntropy, inputs, reference: loss }),
      call('crossEntropy', `gradient ${name}`, {
        build: crossEntropyBackward,
        inputs: [...inputs, { shape: [count] }],
        reference: (logits, labels = [], dLoss = []) =>
          references
            .crossEntropyRows(logits as number[], labels)
            .flatMap((row, r) => references.crossEntropyGradient(row, dLoss[r] as number)),
        gradient: false,
      }),
      call('hits', name, {
        build: hits,
        inputs,
        reference: (logits, labels = []) => references.crossEntropyRows(logits as number[], labels).map(({ hit }) => hit),
        gradient: false,
      }),
      ...trainingLoss(count, classes),
    ];
  });

/** The kernel that looks at the logits once for the loss, the hits and the gradient: it writes in place, and each output is asked for in turn. */
function trainingLoss(count: number, classes: number): SelfTestCase[] {
  const inUse = Math.max(1, count - 1);
  const returning = (output: 3 | 4 | 5): ((...inputs: Node[]) => Node) => {
    const operation: Operation<object> = {
      ...(crossEntropyTrainingKernels as KernelFamily<object>),
      infer: (inputs) => inputs[output] as TensorType,
      writes: [output, ...[3, 4, 5].filter((i) => i !== output)],
      constant: true,
    };
    return (...inputs) => apply(operation, inputs, {});
  };
  const unwritten = (shape: readonly number[]): Input => ({ shape, values: () => 77 });
  const inputs: Input[] = [
    { shape: [count, classes] },
    labelsOf(count, classes),
    { shape: [32], dtype: 'uint32', values: (i) => (i === 2 ? inUse : 0) },
    unwritten([count]),
    unwritten([count]),
    unwritten([count, classes]),
  ];
  const outputs: [3 | 4 | 5, string, (row: references.CrossEntropyRow) => number[]][] = [
    [3, 'loss', (row) => [row.loss]],
    [4, 'hits', (row) => [row.hit]],
    [5, 'gradient', (row) => references.crossEntropyGradient(row, 1 / inUse)],
  ];
  return outputs.map(([output, what, pick]) =>
    call('crossEntropyTraining', `${what} ${show([count, classes])}`, {
      build: returning(output),
      inputs,
      reference: (logits, labels = []) =>
        references.crossEntropyRows(logits as number[], labels).flatMap((row, r) => {
          const values = pick(row);
          return r < inUse ? values : values.map(() => 0);
        }),
      gradient: false,
    }),
  );
}

// ---- moved, gathered and reduced -------------------------------------------------------------------------------------------------

const plus = (a: number, b: number): number => a + b;
const kept = (shape: readonly number[], axes: readonly number[]): number[] =>
  shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
/** Multiples of 0.05 in a shuffled order, so that no two are near. */
const spread = (i: number): number => ((i * 37) % 211) / 20 - 5;

const reductions = (): SelfTestCase[] =>
  (
    [
      [[5, 3], [0]],
      [[7, 8], [0]],
      [[7, 8], [1]],
      [[3, 65], [1]],
      [[64, 4], [1]],
      [
        [2, 3, 5, 4],
        [0, 2],
      ],
    ] as [number[], number[]][]
  ).flatMap(([shape, axes]) => {
    const name = `${show(shape)} along ${show(axes)}`;
    const small = kept(shape, axes);
    const sums = (x: number[]): number[] => mathematics.reduceTo(x, shape, small, plus);
    const count = shape.reduce((a, b) => a * b, 1) / small.reduce((a, b) => a * b, 1);
    return [
      call('sum', name, { build: (x) => sum(x, axes), inputs: [{ shape }], reference: sums }),
      call('mean', name, { build: (x) => mean(x, axes), inputs: [{ shape }], reference: (x) => sums(x).map((total) => total / count) }),
      call('largest', name, {
        build: (x) => largest(x, axes),
        inputs: [{ shape, values: spread }],
        reference: (x) => mathematics.reduceTo(x as number[], shape, small, Math.max),
      }),
      call('broadcast', `${show(small)} to ${show(shape)}`, {
        build: (x) => broadcastTo(x, shape),
        inputs: [{ shape: small }],
        reference: (x) => mathematics.broadcastTo(x as number[], small, shape),
      }),
    ];
  });

const moved = (): SelfTestCase[] => [
  ...(
    [
      [
        [63, 65],
        [1, 0],
      ],
      [
        [3, 2, 8],
        [1, 0, 2],
      ],
      [
        [2, 3, 4, 5],
        [3, 1, 0, 2],
      ],
    ] as [number[], number[]][]
  ).map(([shape, order]) =>
    call('transpose', `${show(shape)} by ${show(order)}`, {
      build: (x) => transpose(x, order),
      inputs: [{ shape }],
      reference: references.transposeReference(shape, order),
    }),
  ),
  ...(
    [
      [
        [7, 11],
        [2, 1],
        [5, 11],
      ],
      [
        [4, 16],
        [1, 4],
        [3, 12],
      ],
    ] as [number[], number[], number[]][]
  ).flatMap(([shape, start, end]) => {
    const box = end.map((last, axis) => last - (start[axis] as number));
    return [
      call('slice', `${show(shape)} from ${show(start)} to ${show(end)}`, {
        build: (x) => slice(x, { start, end }),
        inputs: [{ shape }],
        reference: references.sliceReference(shape, start, end),
      }),
      call('pad', `${show(box)} to ${show(shape)}`, {
        build: (x) => pad(x, { start, shape }),
        inputs: [{ shape: box }],
        reference: references.padReference(box, start, shape),
      }),
    ];
  }),
  ...(
    [
      [
        1,
        [
          [2, 3],
          [2, 5],
        ],
      ],
      [
        1,
        [
          [3, 4],
          [3, 8],
        ],
      ],
    ] as [number, number[][]][]
  ).map(([axis, shapes]) =>
    call('concatenate', shapes.map(show).join(' and '), {
      build: (...parts) => concatenate(parts, axis),
      inputs: shapes.map((shape) => ({ shape })),
      reference: references.concatenateReference(shapes, axis),
    }),
  ),
  ...[3, 8].map((width) =>
    call('embedding', `${show([13, width])} by 31 indices`, {
      build: embedding,
      inputs: [{ shape: [13, width] }, { shape: [31], dtype: 'uint32', range: [0, 13] }],
      reference: references.embeddingReference(width),
    }),
  ),
  call('oneHot', '13 labels of 5 classes', {
    build: (labels) => oneHot(labels, 5),
    inputs: [{ shape: [13], dtype: 'uint32', range: [0, 8] }],
    reference: (labels) => (labels as number[]).flatMap((label) => Array.from({ length: 5 }, (_, k) => (k === label ? 1 : 0))),
  }),
  ...(
    [
      [5, 3],
      [257, 100],
    ] as const
  ).map(([capacity, inUse]) =>
    call('meanOverRows', `${inUse} of ${capacity} rows`, {
      build: meanOverRows,
      inputs: [{ shape: [capacity] }, { shape: [32], dtype: 'uint32', values: (i) => (i === 2 ? inUse : 0) }],
      reference: references.meanOverRowsReference,
    }),
  ),
  ...[65, 256].map((length) => {
    const attributes = { rate: 0.4, stream: 7 };
    return call('dropout', show([length]), {
      build: (x, state) => dropout(x, state, attributes),
      inputs: [{ shape: [length] }, { shape: [32], dtype: 'uint32', values: (i) => [42, 7][i] ?? 0 }],
      reference: references.dropoutReference(attributes),
    });
  }),
];

// ---- in place: the state of training, the optimisers -----------------------------------------------------------------------------

export interface Compared {
  readonly what: string;
  readonly actual: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  readonly tolerance: number;
}

/** What comes of comparisons, or of what went wrong before them. */
export async function* findingsFrom(kernels: readonly string[], compare: () => Promise<readonly Compared[]>): AsyncGenerator<Finding> {
  const finding = { variants: {}, kernels };
  try {
    for (const { what, actual, expected, tolerance } of await compare()) {
      const { largestError, limit, message } = closeness(actual, expected, [expected.length], tolerance, what);
      yield { ...finding, what, largestError, limit, passed: message === undefined, ...(message === undefined ? {} : { message }) };
    }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    yield { ...finding, what: 'value', largestError: Number.POSITIVE_INFINITY, limit: 0, passed: false, message, cause };
  }
}

/** Operations that change what they are given: they have one variant, and no gradient. */
export const inPlace = (
  operation: string,
  name: string,
  kernels: readonly string[],
  compare: (run: Run) => Promise<readonly Compared[]>,
): SelfTestCase => ({
  operation,
  name,
  examine: (device) => findingsFrom(kernels, () => compare((inputs, build, times) => runInPlace(device, inputs, build, times))),
});

export type Run = <Name extends string>(
  inputs: Readonly<Record<Name, InPlaceInput>>,
  build: (nodes: Readonly<Record<Name, Node>>) => Node | readonly Node[],
  times?: number,
) => Promise<Record<Name, Values>>;

const optimizers = (): SelfTestCase[] => {
  const blocks = 33;
  const zeros = (): Float32Array => new Float32Array(blocks * BLOCK);
  const adam: AdamAttributes = { beta1: Math.fround(0.9), beta2: Math.fround(0.999), epsilon: 1e-8, decoupled: false };
  const sgd: SgdAttributes = { momentum: 0.75, nesterov: true };
  const common = (state: Partial<Record<StateField, number>>) => ({
    gradients: gradientsOf(blocks, 1),
    blockGroups: blockGroups(blocks),
    groups: groupTable(),
    state: makeState(state),
    parameters: randomBlocks(blocks, 1),
  });
  return [
    ...[adam, { ...adam, decoupled: true }].map((attributes) =>
      inPlace(attributes.decoupled ? 'adamW' : 'adam', `${blocks} blocks of 64`, ['adam.update'], async (run) => {
        const state = { rate: 0.1, correction1: 1 - adam.beta1, correction2: 1 - adam.beta2 };
        const after = await run({ ...common(state), m: zeros(), v: zeros() }, (nodes) =>
          adamUpdate(Object.values<Node>(nodes), attributes),
        );
        const wanted = adamReference(blocks, 1, attributes);
        return [
          { what: 'parameters', actual: after.parameters, expected: wanted.parameters, tolerance: 2e-6 },
          { what: 'm', actual: after.m, expected: wanted.m, tolerance: 5e-7 },
          { what: 'v', actual: after.v, expected: wanted.v, tolerance: 1e-8 },
        ];
      }),
    ),
    inPlace('sgd', `${blocks} blocks of 64`, ['sgd.update'], async (run) => {
      const after = await run({ ...common({ rate: 0.125 }), velocity: zeros() }, (nodes) => sgdUpdate(Object.values<Node>(nodes), sgd));
      const wanted = sgdReference(blocks, 1, sgd);
      return [
        { what: 'parameters', actual: after.parameters, expected: wanted.parameters, tolerance: 1e-6 },
        { what: 'velocity', actual: after.velocity, expected: wanted.velocity, tolerance: 1e-6 },
      ];
    }),
    inPlace('clipByGlobalNorm', '300 blocks of 64', ['gradient-norm.squares', 'gradient-norm.finish'], async (run) => {
      const gradients = randomBlocks(300, 1);
      const { state } = await run({ gradients, state: makeState({}) }, (nodes) => clipByGlobalNorm(nodes.gradients, nodes.state, 0.5));
      const norm = Math.sqrt(gradients.reduce((total, g) => total + g * g, 0));
      const field = (name: StateField): number => getField(state as Uint32Array, name);
      return [
        { what: 'norm', actual: [field('gradientNorm') / norm], expected: [1], tolerance: 1e-6 },
        { what: 'clipped norm', actual: [field('clip') * norm], expected: [0.5], tolerance: 1e-6 },
      ];
    }),
  ];
};

const trainingState = (): SelfTestCase[] => {
  const rowLoss = Float32Array.of(0.5, 1.25, 2, 0.25);
  const rowHit = Float32Array.of(1, 0, 1, 1);
  const state = (): Uint32Array => makeState({ rows: 4, batch: 4, examples: 10, stride: 4 });
  return [
    inPlace('advance', 'two steps of an epoch of 10 examples', ['advance.advance'], async (run) => {
      const inputs = {
        rowLoss,
        rowHit,
        rates: Float32Array.of(0.5, 0.25, 0.125),
        state: state(),
        ring: [[6, 4], new Uint32Array(24)] as const,
      };
      const after = await run(inputs, (n) => advance(n.rowLoss, n.rowHit, n.rates, n.state, n.ring, { beta1: 0.9, beta2: 0.999 }), 2);
      const field = (name: StateField): number => getField(after.state as Uint32Array, name);
      const counted: StateField[] = ['step', 'cursor', 'rows', 'epoch', 'halted'];
      const [beta1, beta2] = [Math.fround(0.9), Math.fround(0.999)];
      return [
        { what: 'counters', actual: counted.map(field), expected: [2, 8, 2, 0, 0], tolerance: 0 },
        { what: 'loss and accuracy', actual: [field('loss'), field('accuracy')], expected: [1, 0.75], tolerance: 1e-7 },
        { what: 'rate', actual: [field('rate')], expected: [0.25], tolerance: 0 },
        {
          what: 'corrections',
          actual: [field('correction1'), field('correction2') / (1 - beta2 ** 2)],
          expected: [1 - beta1 ** 2, 1],
          tolerance: 1e-5,
        },
      ];
    }),
    inPlace('accumulate', 'one batch of an evaluation', ['accumulate.accumulate'], async (run) => {
      const inputs = { rowLoss, rowHit, state: state(), totals: Float32Array.of(100, 200, 300, 400) };
      const { totals } = await run(inputs, (n) => accumulate(n.rowLoss, n.rowHit, n.state, n.totals));
      return [{ what: 'totals', actual: totals, expected: [104, 203, 304, 400], tolerance: 1e-6 }];
    }),
  ];
};

const gathered = (): SelfTestCase[] => {
  const [size, features, batch] = [23, 5, 8];
  const value = (example: number, feature: number): number => pcg4d(1, 2, example, feature)[0] & 255;
  return (['bytes', 'floats'] as const).map((storage) =>
    inPlace('gatherBatch', `${storage}, shuffled, ${show([batch, features])}`, [`gather-batch.${storage}`], async (run) => {
      const words = storage === 'bytes' ? Math.ceil(features / 4) : features;
      const data = new Uint32Array(size * words);
      const [bytes, floats] = [new Uint8Array(data.buffer), new Float32Array(data.buffer)];
      for (let example = 0; example < size; example++) {
        for (let feature = 0; feature < features; feature++) {
          if (storage === 'bytes') bytes[4 * example * words + feature] = value(example, feature);
          else floats[example * words + feature] = value(example, feature);
        }
      }
      const inputs = {
        data: [[size, words], data] as const,
        allLabels: Uint32Array.from({ length: size }, (_, i) => 1000 + i),
        state: makeState({ rows: batch, batch, examples: size, seed: 9, epoch: 2, cursor: 8 }),
        x: [[batch, features], new Float32Array(batch * features)] as const,
        labels: new Uint32Array(batch),
      };
      const attributes = { storage, shuffle: true, offset: 0, first: 0, count: size, labelled: true, divisor: 255 };
      const after = await run(inputs, (n) => gatherBatch(n.data, n.allLabels, n.state, n.x, n.labels, attributes));
      const examples = Array.from({ length: batch }, (_, row) => permute(8 + row, size, 9, 2));
      const scale = storage === 'bytes' ? 255 : 1;
      return [
        { what: 'labels', actual: after.labels, expected: examples.map((example) => 1000 + example), tolerance: 0 },
        {
          what: 'x',
          actual: after.x,
          expected: examples.flatMap((example) => Array.from({ length: features }, (_, feature) => value(example, feature) / scale)),
          tolerance: 2e-7,
        },
      ];
    }),
  );
};

/** Every case, cheap kernels first. */
export const selfTestCases = (): SelfTestCase[] => [
  ...activations(),
  ...elementary(),
  ...arithmetic(),
  ...moved(),
  ...reductions(),
  ...rows(),
  ...causal(),
  ...losses(),
  ...optimizers(),
  ...trainingState(),
  ...gathered(),
  ...layers(),
  ...products(),
];
