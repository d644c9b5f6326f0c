import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../src/engine/differentiate.ts';
import { Graph } from '../../../src/engine/graph.ts';
import { divide } from '../../../src/engine/ops/arithmetic.ts';
import { type GeluOptions, gelu, geluBackward, geluCurvature } from '../../../src/engine/ops/gelu.ts';
import { gelu as exact, geluByTanh } from '../reference.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

const forms: [NonNullable<GeluOptions['approximate']>, (x: number) => number][] = [
  ['none', exact],
  ['tanh', geluByTanh],
];

describe.each(forms)('gelu, approximate: %s', (approximate, f) => {
  const build = (x: Parameters<typeof gelu>[0]) => gelu(x, { approximate });
  const reference = (x: number[]): number[] => x.map(f);

  test.each([[[]], [[1]], [[63]], [[64]], [[65]], [[7, 37]], [[3, 5, 8]]])('matches the reference in the shape %j', async (shape) => {
    await checkOperation({ build, inputs: [{ shape }], reference, twice: true });
  });

  test('is right to 1e-6 all the way from −8 to 8', async () => {
    await checkOperation({
      build,
      inputs: [{ shape: [641], values: (i) => (i - 320) / 40 }],
      reference,
      tolerance: 1e-6,
      gradientTolerance: 2e-6,
    });
  });

  test('is 0 far below 0 and x far above, with no NaN', async () => {
    await checkOperation({
      build,
      inputs: [{ shape: [4], values: [50, -50, 1e20, -1e10] }],
      reference: () => [50, 0, 1e20, 0],
      gradient: false,
    });
  });

  test('passes everything on far above 0 and nothing far below', async () => {
    await checkOperation({
      build: (x, dy) => geluBackward(x, dy, { approximate }),
      inputs: [
        { shape: [4], values: [50, -50, 1e20, -1e10] },
        { shape: [4], values: [1, 1, 1, 1] },
      ],
      reference: () => [1, 0, 1, 0],
      gradient: false,
    });
  });

  test.each([[[1]], [[65]], [[5, 12]]])('has its second derivative in the shape %j', async (shape) => {
    const h = 1e-3;
    await checkOperation({
      build: (x) => geluCurvature(x, { approximate }),
      inputs: [{ shape }],
      reference: (x) => x.map((value) => (f(value + h) - 2 * f(value) + f(value - h)) / (h * h)),
      gradient: false,
    });
  });
});

test('gelu is exact unless asked otherwise', async () => {
  await checkOperation({
    build: (x) => gelu(x),
    inputs: [{ shape: [64], range: [2, 3] }],
    reference: (x) => x.map(exact),
    tolerance: 1e-6,
  });
});

test('erf, read off as 2 gelu(√2 z) / (√2 z) − 1, is right to 1e-6', async () => {
  await checkOperation({
    build: (x) => divide(gelu(x), x),
    inputs: [{ shape: [400], values: (i) => (i - 199.5) / 50 }],
    reference: (x) => x.map((value) => exact(value) / value),
    tolerance: 5e-7,
    gradient: false,
  });
});

test('gelu is differentiable twice, not three times', () => {
  const x = new Graph().placeholder('x', [3]);
  const [dx] = differentiate(gelu(x), [x]);
  const [ddx] = differentiate(dx ?? x, [x]);
  expect(() => differentiate(ddx ?? x, [x])).toThrow('geluCurvature: this operation has no gradient rule');
});
