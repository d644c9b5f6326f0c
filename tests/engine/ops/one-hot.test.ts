import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { oneHot } from '../../../src/engine/ops/one-hot.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('oneHot', () => {
  test.each([
    [[1], 1],
    [[3], 4],
    [[13], 5],
    [[2, 3], 7],
    [[], 3],
  ])('marks the label in each row of the labels %j of %i classes', async (shape, classes) => {
    await checkOperation({
      build: (labels) => oneHot(labels, classes),
      // One label in three names no class.
      inputs: [{ shape, dtype: 'uint32', range: [0, 1.5 * classes] }],
      reference: (labels) => labels.flatMap((label) => Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0))),
    });
  });

  test('refuses labels that are no whole numbers', () => {
    expect(() => oneHot(new Graph().placeholder('labels', [3]), 2)).toThrow(
      'oneHot: labels is float32 [3]; it must be uint32.\nTo mend: pass labels as uint32.',
    );
  });
});
