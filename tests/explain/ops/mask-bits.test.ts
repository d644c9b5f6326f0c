import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { maskBits, maskWidth, maskWords } from '../../../src/explain/ops/mask-bits.ts';
import { maskBitsReference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

describe('maskBits', () => {
  test.each([
    [1, 1],
    [3, 3],
    [5, 4],
    [7, 31],
    [7, 32],
    [3, 33],
    [2, 67],
  ])('writes out %i coalitions of %i groups, behind a 1 and before zeros', async (samples, groups) => {
    const [width, words] = [maskWidth(groups), maskWords(groups)];
    await checkOperation({
      build: (bits) => maskBits(bits, groups),
      inputs: [{ shape: [samples, words], dtype: 'uint32', range: [0, 2 ** 32] }],
      reference: maskBitsReference(samples, groups, width, words),
      gradient: false,
      tolerance: 0,
    });
  });

  test('refuses bits of another number of groups', () => {
    const bits = new Graph().placeholder('bits', [2, 1], 'uint32');
    expect(() => maskBits(bits, 33)).toThrow('maskBits: bits is [2, 1]; it must be [2, 2], a bit for each group.');
  });
});
