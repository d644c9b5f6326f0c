import { describe, expect, test } from 'vitest';
import { advance } from '../../../src/engine/ops/advance.ts';
import { clipByGlobalNorm } from '../../../src/engine/ops/gradient-norm.ts';
import { getField, makeState, type StateField } from '../../../src/engine/training-state.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { expectClose } from './check-operation.ts';
import { randomBlocks } from './flat-parameters.ts';
import { bitsOf, runInPlace } from './run-in-place.ts';

failOnGpuErrors();

/** The state after the norm of `gradients` was measured and clipped to `most`. */
async function clipped(gradients: Float32Array, most: number, from: Partial<Record<StateField, number>> = {}): Promise<Uint32Array> {
  const { state } = await runInPlace({ gradients, state: makeState(from) }, (nodes) =>
    clipByGlobalNorm(nodes.gradients, nodes.state, most),
  );
  return state as Uint32Array;
}

const normOf = (gradients: Float32Array): number => Math.sqrt(gradients.reduce((sum, g) => sum + g * g, 0));

describe('clipByGlobalNorm', () => {
  // 16 vec4 leave most of the 256 partial sums empty; 4,800 give them unequal shares.
  test.each([1, 5, 300])('measures the norm over %i blocks and clips to it', async (blocks) => {
    const gradients = randomBlocks(blocks, 1);
    const norm = normOf(gradients);
    const state = await clipped(gradients, 0.5);
    expectClose([getField(state, 'gradientNorm') / norm], [1], [1], 1e-6, 'norm');
    expectClose([getField(state, 'clip') * norm], [0.5], [1], 1e-6, 'clipped norm');
  });

  test('leaves a gradient that is short enough alone', async () => {
    const gradients = randomBlocks(2, 1);
    // The factor of the step before does not stay.
    const state = await clipped(gradients, 1.01 * normOf(gradients), { clip: 0.125 });
    expect(getField(state, 'clip')).toBe(1);
  });

  test('divides by no norm of zero', async () => {
    const state = await clipped(new Float32Array(64), 1);
    expect(getField(state, 'gradientNorm')).toBe(0);
    expect(getField(state, 'clip')).toBe(1);
  });

  test.each([
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a square beyond float32', 1e30],
  ])('hands on a norm that is not finite, for %s, which halts the step before its update', async (_name, value) => {
    const gradients = randomBlocks(3, 1);
    gradients[77] = value;
    const { state } = await runInPlace(
      {
        gradients,
        rowLoss: new Float32Array([1, 2]),
        rowHit: new Float32Array(2),
        rates: new Float32Array([0.1]),
        state: makeState({ rows: 2, batch: 2, examples: 2, stride: 2, step: 6 }),
        ring: [[9, 4], new Uint32Array(36)],
      },
      (n) => [
        clipByGlobalNorm(n.gradients, n.state, 1),
        advance(n.rowLoss, n.rowHit, n.rates, n.state, n.ring, { beta1: 0.9, beta2: 0.999 }),
      ],
    );
    const after = state as Uint32Array;
    expect(getField(after, 'gradientNorm')).not.toSatisfy(Number.isFinite);
    expect(getField(after, 'halted')).toBe(1);
    expect(getField(after, 'step')).toBe(6);
  });

  test('changes nothing once training is halted', async () => {
    const before = { halted: 2, gradientNorm: 7, clip: 0.5 };
    expect(bitsOf(await clipped(randomBlocks(2, 1), 0.5, before))).toEqual(bitsOf(makeState(before)));
  });
});
