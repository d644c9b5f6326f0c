/** The kernels of explanations in the self-test: what they are made of, beside the operations of the engine. */

import { permute } from '../../engine/random.ts';
import type { Input } from '../../engine/reference/check-operation.ts';
import { alongPath } from '../../explain/ops/along-path.ts';
import { attackStep } from '../../explain/ops/attack-step.ts';
import { collect } from '../../explain/ops/collect.ts';
import { combineRows } from '../../explain/ops/combine-rows.ts';
import { explainedOutput, NO_CLASS, outputSeed, resolveTarget } from '../../explain/ops/explained-output.ts';
import { maskBits, maskWidth, maskWords } from '../../explain/ops/mask-bits.ts';
import { maskedRows } from '../../explain/ops/masked-rows.ts';
import { noisyRows } from '../../explain/ops/noisy-rows.ts';
import { rankOrder, strictRanks } from '../../explain/ops/rank-order.ts';
import { alphaBetaShare, stabilisedQuotient } from '../../explain/ops/relevance.ts';
import { repeatRows } from '../../explain/ops/repeat-rows.ts';
import { rescaleRelu, rescaleSmooth } from '../../explain/ops/rescale.ts';
import { runningM2, runningMean, weightedSum } from '../../explain/ops/samples.ts';
import * as references from '../../explain/reference/operations.ts';
import { call, type SelfTestCase } from './cases.ts';
import { coalitionCases } from './coalition-cases.ts';
import { deadUnitCases } from './dead-unit-cases.ts';
import { weightCases } from './weight-cases.ts';

const uint32 = (shape: readonly number[], values?: readonly number[]): Input => ({ shape, dtype: 'uint32', ...(values ? { values } : {}) });

function outputs(): SelfTestCase[] {
  const [rows, classes] = [65, 10];
  const targets = Array.from({ length: rows }, (_, i) => (i * 7) % classes);
  const against = Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? NO_CLASS : (i * 7 + 1) % classes));
  const of = (logits: number[], kind: number) =>
    targets.map((target, i) => {
      const row = logits.slice(i * classes, (i + 1) * classes);
      const [a, b] = [target, against[i] as number].map((index) => references.explainedReference(row, kind, index)) as [
        ReturnType<typeof references.explainedReference>,
        ReturnType<typeof references.explainedReference>,
      ];
      return { value: a.value - b.value, gradient: a.gradient.map((value, k) => value - (b.gradient[k] as number)) };
    });
  const kinds = ['logit', 'probability', 'log-odds'].flatMap((name, kind) => {
    const inputs = [{ shape: [rows, classes] }, uint32([rows], targets), uint32([rows], against), uint32([1], [kind])];
    return [
      call('explainedOutput', name, {
        build: (logits, target, other, by) => explainedOutput(logits as never, target as never, other as never, by as never, 1),
        inputs,
        reference: (logits) => of(logits as number[], kind).map(({ value }) => value),
        gradient: false,
      }),
      call('outputSeed', name, {
        build: (logits, target, other, by) => outputSeed(logits as never, target as never, other as never, by as never, 1),
        inputs,
        reference: (logits) => of(logits as number[], kind).flatMap(({ gradient }) => gradient),
        gradient: false,
      }),
    ];
  });
  return [
    ...kinds,
    call('resolveTarget', `[${rows}, ${classes}]`, {
      build: resolveTarget,
      inputs: [{ shape: [rows, classes] }, uint32([rows], against)],
      reference: (logits) =>
        against.map((asked, i) => {
          const row = (logits as number[]).slice(i * classes, (i + 1) * classes);
          return asked === NO_CLASS ? row.indexOf(Math.max(...row)) : asked;
        }),
    }),
  ];
}

function copies(): SelfTestCase[] {
  const noise = { seed: 9, stream: 5, first: 3 };
  return [
    call('alongPath', '5 examples of [13] at 3 positions', {
      build: alongPath,
      inputs: [{ shape: [5, 13] }, { shape: [5, 13] }, { shape: [3], range: [0, 1] }],
      reference: references.alongPathReference(5, 3, 13),
      gradient: false,
    }),
    call('alongPath', '3 examples of [64] at 5 positions', {
      build: alongPath,
      inputs: [{ shape: [3, 64] }, { shape: [3, 64] }, { shape: [5], range: [0, 1] }],
      reference: references.alongPathReference(3, 5, 64),
      gradient: false,
    }),
    ...(['normal', 'uniform'] as const).map((kind) =>
      call('noisyRows', `${kind}, 2 examples of [20], 13 copies`, {
        build: (x, deviation, drawn) => noisyRows(x as never, deviation as never, drawn as never, { samples: 13, stream: 5, noise: kind }),
        inputs: [{ shape: [2, 20] }, { shape: [2], range: [0, 2] }, uint32([3], [9, 3, 13])],
        reference: references.noisyRowsReference(2, 13, 20, { ...noise, noise: kind }),
        gradient: false,
        // WGSL asks no more of log than 2⁻²¹ near 1, and of cos than 2⁻¹¹.
        tolerance: 1e-3,
      }),
    ),
    ...[7, 64].map((width) =>
      call('repeatRows', `[3, ${width}], 5 times`, {
        build: (x) => repeatRows(x as never, 5),
        inputs: [{ shape: [3, width] }],
        reference: references.repeatRowsReference(width, 5),
        gradient: false,
        tolerance: 0,
      }),
    ),
  ];
}

function masks(): SelfTestCase[] {
  const [samples, groups] = [3, 67];
  const [width, words] = [maskWidth(groups), maskWords(groups)];
  const ranks = [65, 17].flatMap((length) => {
    const inputs: Input[] = [{ shape: [3, length], dtype: 'uint32', range: [0, 9] }];
    return [
      call('rankOrder', `[3, ${length}]`, { build: rankOrder, inputs, reference: references.rankOrderReference(length), tolerance: 0 }),
      call('strictRanks', `[3, ${length}]`, {
        build: strictRanks,
        inputs,
        reference: references.strictRanksReference(length),
        tolerance: 0,
      }),
    ];
  });
  return [
    call('maskBits', `${samples} coalitions of ${groups} groups`, {
      build: (bits) => maskBits(bits as never, groups),
      inputs: [{ shape: [samples, words], dtype: 'uint32', range: [0, 2 ** 32] }],
      reference: references.maskBitsReference(samples, groups, width, words),
      gradient: false,
      tolerance: 0,
    }),
    call('maskedRows', '2 examples of [65] by 3 masks', {
      build: maskedRows,
      inputs: [
        { shape: [2, 65] },
        { shape: [2, 65] },
        { shape: [3, 68], range: [0, 1] },
        uint32(
          [65],
          Array.from({ length: 65 }, (_, i) => permute(i, 67, 0, 0)),
        ),
      ],
      reference: references.maskedRowsReference(3, 68, 65),
      gradient: false,
    }),
    ...ranks,
  ];
}

function sums(): SelfTestCase[] {
  const [examples, width, samples] = [3, 8, 13];
  const x = { shape: [examples * samples, width] };
  const before = { shape: [examples, width] };
  const draw = uint32([3], [0, 4, samples - 1]);
  const z = { shape: [67, 4], avoid: (value: number) => Math.abs(value) < 0.05 };
  // Both parts; nothing against; nothing for; nothing at all.
  const shares = [
    { shape: [4], values: [6, 6, 6, 6] },
    { shape: [4], values: [3, 3, 0, 0] },
    { shape: [4], values: [-2, 0, -2, 0] },
  ];
  return [
    call('weightedSum', `${samples} samples of [${width}]`, {
      build: weightedSum,
      inputs: [x, { shape: [samples] }, before],
      reference: references.weightedSumReference(samples, width),
      gradient: false,
    }),
    call('runningMean', `${samples} samples of [${width}]`, {
      build: runningMean,
      inputs: [x, draw, before],
      reference: references.runningReference(samples, width, 4, samples - 1, 'mean'),
      gradient: false,
    }),
    call('runningM2', `${samples} samples of [${width}]`, {
      build: runningM2,
      inputs: [x, draw, before, before],
      reference: references.runningReference(samples, width, 4, samples - 1, 'm2'),
      gradient: false,
    }),
    call('collect', '2 examples, 64 numbers from 64 on', {
      build: collect,
      inputs: [{ shape: [128] }, { shape: [2, 70] }, uint32([2], [64, 6])],
      reference: references.collectReference(70, 64, 64, 6),
      gradient: false,
      tolerance: 0,
    }),
    call('stabilisedQuotient', '[67, 4]', {
      build: stabilisedQuotient,
      inputs: [{ shape: [67, 4] }, z, { shape: [1], values: [0.01] }],
      reference: references.stabilisedQuotientReference,
      gradient: false,
    }),
    ...(['positive', 'negative'] as const).map((part) =>
      call('alphaBetaShare', part, {
        build: (...[r, up, down, a]) => alphaBetaShare(r as never, up as never, down as never, a as never, part),
        inputs: [...shares, { shape: [1], values: [2] }],
        reference: () => (part === 'positive' ? [4, 2, 0, 0] : [3, 0, -3, 0]),
        gradient: false,
      }),
    ),
  ];
}

function rules(): SelfTestCase[] {
  const shape = [67, 4];
  // Step, ε, low and high; the step turns round at every second row.
  const limits = Array.from({ length: 67 }, (_, row) => [row % 2 === 1 ? -0.5 : 0.5, 0.3, -0.6, 0.6]).flat();
  return [
    call('attackStep', '[67, 4]', {
      build: attackStep,
      inputs: [{ shape }, { shape }, { shape }, { shape: [67, 4], values: limits }],
      reference: references.attackStepReference,
      gradient: false,
    }),
    ...[7, 8].map((width) =>
      call('combineRows', `17 examples by 4 references of [${width}]`, {
        build: combineRows,
        inputs: [{ shape: [17, width] }, { shape: [4, width] }, { shape: [4] }, { shape: [4] }],
        reference: references.combineRowsReference(4, width),
        gradient: false,
      }),
    ),
    call('rescaleRelu', '[67, 4]', {
      build: rescaleRelu,
      inputs: [{ shape }, { shape }, { shape }],
      reference: references.rescaleReluReference,
      gradient: false,
    }),
    call('rescaleSmooth', '[67]', {
      build: (x, reference, y, yReference, dy, midpoint) => rescaleSmooth({ x, reference, y, yReference, dy, midpoint } as never, 0.01),
      inputs: [
        { shape: [67], values: (i) => 0.25 * i },
        // Every third so near that the derivative half-way serves.
        { shape: [67], values: (i) => 0.25 * i + (i % 3 === 0 ? 0.005 : 0.5) },
        ...Array.from({ length: 4 }, () => ({ shape: [67] })),
      ],
      reference: references.rescaleSmoothReference(0.01),
      gradient: false,
    }),
  ];
}

export const explanationCases = (): SelfTestCase[] => [
  ...outputs(),
  ...copies(),
  ...masks(),
  ...sums(),
  ...rules(),
  ...coalitionCases(),
  ...weightCases(),
  ...deadUnitCases(),
];
