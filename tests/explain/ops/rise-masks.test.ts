import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { maskWidth } from '../../../src/explain/ops/mask-bits.ts';
import { riseMasks } from '../../../src/explain/ops/rise-masks.ts';
import { gridMasksReference, independentMasksReference } from '../../../src/explain/reference/coalitions.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const [SEED, STREAM, FIRST] = [9, 5, 3];
const inputs = (keep: number) => [
  { shape: [3], dtype: 'uint32' as const, values: [SEED, FIRST, 1] },
  { shape: [1], values: [keep], gradient: false as const },
];

describe('riseMasks', () => {
  test.each([
    [1, 1, 0.5],
    [5, 4, 0.3],
    [7, 66, 0.8],
  ])('independent: %i masks of %i groups', async (samples, groups, keep) => {
    const width = maskWidth(groups);
    await checkOperation({
      build: (draw, p) => riseMasks(draw, p, { samples, groups, stream: STREAM }),
      inputs: inputs(keep),
      reference: independentMasksReference({ samples, width, seed: SEED, stream: STREAM, first: FIRST }, groups),
      gradient: false,
      tolerance: 0,
    });
  });

  test.each([
    [1, 1, 1, 1],
    [4, 5, 8, 2],
    [6, 7, 7, 7],
    [5, 28, 28, 7],
  ])('grid: %i masks of %i × %i pixels by %i cells', async (samples, height, width, cells) => {
    const groups = height * width;
    const columns = maskWidth(groups);
    await checkOperation({
      build: (draw, p) => riseMasks(draw, p, { samples, groups, stream: STREAM, grid: { height, width, cells } }),
      inputs: inputs(0.5),
      reference: gridMasksReference({ samples, width: columns, seed: SEED, stream: STREAM, first: FIRST }, height, width, cells),
      gradient: false,
    });
  });

  test('refuses a draw without its count', () => {
    const graph = new Graph();
    expect(() =>
      riseMasks(graph.placeholder('d', [2], 'uint32'), graph.placeholder('p', [1]), { samples: 1, groups: 1, stream: 0 }),
    ).toThrow('riseMasks: draw is [2]; it must be [3], seed, first sample and count.');
  });
});
