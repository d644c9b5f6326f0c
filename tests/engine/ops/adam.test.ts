import { describe, expect, test } from 'vitest';
import type { Node } from '../../../src/engine/graph.ts';
import { type AdamAttributes, adamUpdate } from '../../../src/engine/ops/adam.ts';
import { adamReference as reference } from '../../../src/engine/reference/optimizers.ts';
import { makeState } from '../../../src/engine/training-state.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { expectClose } from './check-operation.ts';
import { BLOCK, blockGroups, groupTable, PADDING, randomBlocks } from './flat-parameters.ts';
import { bitsOf, runInPlace, type Values } from './run-in-place.ts';

failOnGpuErrors();

// As the GPU holds them.
const [beta1, beta2] = [Math.fround(0.9), Math.fround(0.999)];
const attributes: AdamAttributes = { beta1, beta2, epsilon: 1e-8, decoupled: false };
const adamW: AdamAttributes = { ...attributes, decoupled: true };

const zeros = (blocks: number): Float32Array => new Float32Array(blocks * BLOCK);
const update = (options: AdamAttributes) => (nodes: Record<string, Node>) => adamUpdate(Object.values(nodes), options);

interface Moments {
  readonly parameters: Values;
  readonly m: Values;
  readonly v: Values;
}

const start = (blocks: number): Moments => ({ parameters: randomBlocks(blocks, 1), m: zeros(blocks), v: zeros(blocks) });

/** Update number `t`, from 1. */
async function onGpu(
  blocks: number,
  t: number,
  from: Moments,
  options: AdamAttributes,
  { rate = 0.1, clip = 1, halted = 0 } = {},
): Promise<Moments> {
  return runInPlace(
    {
      gradients: randomBlocks(blocks, 10 + t),
      blockGroups: blockGroups(blocks),
      groups: groupTable(),
      state: makeState({ rate, clip, halted, correction1: 1 - beta1 ** t, correction2: 1 - beta2 ** t }),
      parameters: from.parameters,
      m: from.m,
      v: from.v,
    },
    update(options),
  );
}

describe('adam', () => {
  describe.each([
    ['Adam, whose decay is added to the gradient', attributes],
    ['AdamW, whose decay acts on the parameter', adamW],
    ['Adam with a large ε outside of the root', { ...attributes, epsilon: 0.1 }],
  ])('%s', (_name, options) => {
    // 33 blocks take more than one workgroup, and leave most of the last without work.
    test.each([1, 4, 33])('follows the reference for five steps over %i blocks of four groups', async (blocks) => {
      let now = start(blocks);
      for (let t = 1; t <= 5; t++) now = await onGpu(blocks, t, now, options);
      const wanted = reference(blocks, 5, options);
      const shape = [blocks * BLOCK];
      expectClose(now.parameters, wanted.parameters, shape, 2e-6, 'parameters');
      expectClose(now.m, wanted.m, shape, 5e-7, 'm');
      expectClose(now.v, wanted.v, shape, 1e-8, 'v');
    });
  });

  test('multiplies the gradient by the clip factor before anything else', async () => {
    const clipped = await onGpu(4, 1, start(4), attributes, { clip: 0.25 });
    const wanted = reference(4, 1, attributes, { clip: 0.25 });
    expectClose(clipped.parameters, wanted.parameters, [4 * BLOCK], 1e-6, 'parameters');
    expectClose(clipped.m, wanted.m, [4 * BLOCK], 1e-7, 'm');
    expect(bitsOf(clipped.m)).not.toEqual(bitsOf((await onGpu(4, 1, start(4), attributes)).m));
  });

  test('leaves a frozen group as it is, its moments too, to the bit', async () => {
    const before = { ...start(4), m: randomBlocks(4, 2), v: randomBlocks(4, 3).map(Math.abs) };
    const after = await onGpu(4, 1, before, adamW);
    for (const name of ['parameters', 'm', 'v'] as const) {
      expect(bitsOf(after[name].slice(2 * BLOCK, 3 * BLOCK)), name).toEqual(bitsOf(before[name].slice(2 * BLOCK, 3 * BLOCK)));
      expect(bitsOf(after[name].slice(0, BLOCK)), name).not.toEqual(bitsOf(before[name].slice(0, BLOCK)));
    }
  });

  test.each([1, 2, 3, 4])('changes nothing once training is halted for reason %i', async (halted) => {
    const before = { ...start(4), m: randomBlocks(4, 2), v: randomBlocks(4, 3).map(Math.abs) };
    const after = await onGpu(4, 1, before, attributes, { halted });
    for (const name of ['parameters', 'm', 'v'] as const) expect(bitsOf(after[name]), name).toEqual(bitsOf(before[name]));
  });

  test.each([
    ['Adam', attributes],
    ['AdamW', adamW],
  ])('%s keeps padding zero', async (_name, options) => {
    const after = await onGpu(4, 2, await onGpu(4, 1, start(4), options), options);
    for (const name of ['parameters', 'm', 'v'] as const) {
      expect([...after[name].slice(-PADDING)].every((value) => value === 0)).toBe(true);
      expect(after[name].at(-PADDING - 1)).not.toBe(0);
    }
  });

  test('takes a first step of the rate, whatever the size of the gradient', async () => {
    const { parameters } = await runInPlace(
      {
        gradients: Float32Array.from({ length: BLOCK }, (_, i) => (i % 2 ? -1 : 1) * 10 ** ((i % 9) - 4)),
        blockGroups: new Uint32Array(1),
        groups: groupTable([{ factor: 1, decay: 0, frozen: false }]),
        state: makeState({ rate: 0.5, correction1: 1 - beta1, correction2: 1 - beta2 }),
        parameters: zeros(1),
        m: zeros(1),
        v: zeros(1),
      },
      update({ ...attributes, epsilon: 0 }),
    );
    const signs = Array.from({ length: BLOCK }, (_, i) => (i % 2 ? 0.5 : -0.5));
    expectClose(parameters, signs, [BLOCK], 1e-6, 'parameters');
  });
});
