import { describe, expect, test } from 'vitest';
import { type SgdAttributes, sgdUpdate } from '../../../src/engine/ops/sgd.ts';
import { sgdReference as reference } from '../../../src/engine/reference/optimizers.ts';
import { makeState } from '../../../src/engine/training-state.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { expectClose } from './check-operation.ts';
import { BLOCK, blockGroups, groupTable, PADDING, randomBlocks } from './flat-parameters.ts';
import { bitsOf, runInPlace, type Values } from './run-in-place.ts';

failOnGpuErrors();

interface Moving {
  readonly parameters: Values;
  readonly velocity: Values;
}

const start = (blocks: number): Moving => ({ parameters: randomBlocks(blocks, 1), velocity: new Float32Array(blocks * BLOCK) });
const RATE = 0.125;

/** Update number `t`, from 1. */
const onGpu = (blocks: number, t: number, from: Moving, attributes: SgdAttributes, { clip = 1, halted = 0 } = {}): Promise<Moving> =>
  runInPlace(
    {
      gradients: randomBlocks(blocks, 10 + t),
      blockGroups: blockGroups(blocks),
      groups: groupTable(),
      state: makeState({ rate: RATE, clip, halted }),
      parameters: from.parameters,
      velocity: from.velocity,
    },
    (nodes) => sgdUpdate(Object.values(nodes), attributes),
  );

describe('sgd', () => {
  describe.each([
    ['without momentum', { momentum: 0, nesterov: false }],
    ['with momentum', { momentum: 0.75, nesterov: false }],
    ["with Nesterov's momentum", { momentum: 0.75, nesterov: true }],
  ])('%s', (_name, attributes) => {
    // 33 blocks take more than one workgroup, and leave most of the last without work.
    test.each([1, 4, 33])('follows the reference for five steps over %i blocks of four groups', async (blocks) => {
      let now = start(blocks);
      for (let t = 1; t <= 5; t++) now = await onGpu(blocks, t, now, attributes);
      const wanted = reference(blocks, 5, attributes);
      expectClose(now.parameters, wanted.parameters, [blocks * BLOCK], 1e-6, 'parameters');
      expectClose(now.velocity, wanted.velocity, [blocks * BLOCK], 1e-6, 'velocity');
    });

    test('keeps padding zero', async () => {
      const after = await onGpu(4, 2, await onGpu(4, 1, start(4), attributes), attributes);
      for (const name of ['parameters', 'velocity'] as const) {
        expect([...after[name].slice(-PADDING)].every((value) => value === 0)).toBe(true);
        expect(after[name].at(-PADDING - 1)).not.toBe(0);
      }
    });
  });

  const attributes = { momentum: 0.75, nesterov: true };

  test('multiplies the gradient by the clip factor, and not the decay', async () => {
    const clipped = await onGpu(4, 1, start(4), attributes, { clip: 0.25 });
    const wanted = reference(4, 1, attributes, { clip: 0.25 });
    expectClose(clipped.parameters, wanted.parameters, [4 * BLOCK], 1e-6, 'parameters');
    expectClose(clipped.velocity, wanted.velocity, [4 * BLOCK], 1e-6, 'velocity');
  });

  test('leaves a frozen group as it is, its velocity too, to the bit', async () => {
    const before = { ...start(4), velocity: randomBlocks(4, 2) };
    const after = await onGpu(4, 1, before, attributes);
    for (const name of ['parameters', 'velocity'] as const) {
      expect(bitsOf(after[name].slice(2 * BLOCK, 3 * BLOCK)), name).toEqual(bitsOf(before[name].slice(2 * BLOCK, 3 * BLOCK)));
      expect(bitsOf(after[name].slice(0, BLOCK)), name).not.toEqual(bitsOf(before[name].slice(0, BLOCK)));
    }
  });

  test.each([1, 2, 3, 4])('changes nothing once training is halted for reason %i', async (halted) => {
    const before = { ...start(4), velocity: randomBlocks(4, 2) };
    const after = await onGpu(4, 1, before, attributes, { halted });
    for (const name of ['parameters', 'velocity'] as const) expect(bitsOf(after[name]), name).toEqual(bitsOf(before[name]));
  });
});
