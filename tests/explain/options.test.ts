import { describe, expect, test } from 'vitest';
import { buildModel, type Dataset, dense, flatten, type Model } from '../../src/engine/index.ts';
import {
  ablateHead,
  type Baseline,
  deepLift,
  type ExplanationMethod,
  expectedGradients,
  fgsm,
  imagePatches,
  internalInfluence,
  kernelShap,
  layerConductance,
  lime,
  lrp,
  lrpEpsilonGammaBox,
  lrpZPlus,
  methods,
  occlusion,
  pgd,
  rise,
  saliency,
  shapleyValues,
} from '../../src/explain/index.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
import { examplesFor, VISION_LAYERS, vision } from './attention/attention-networks.ts';
import { examplesOf, randomNetwork } from './networks.ts';

failOnGpuErrors();

const data: Dataset = { name: 'data', size: 40, inputShape: [8, 8, 1], inputs: examplesOf(40, 64, 8) };

const network = (): Promise<Model> =>
  testDevice().then((device) =>
    buildModel(device, { inputShape: [8, 8, 1], layers: [flatten(), dense(9, { activation: 'relu' }), dense(4)], seed: 2 }),
  );

/** Explains, and explains again from the options that were recorded, as JSON; `again` is what is no JSON. */
async function expectSameFromOptions(
  method: (
    model: Model,
    x: Float32Array,
    options: object,
  ) => Promise<Awaited<ReturnType<typeof fgsm>> | Awaited<ReturnType<typeof saliency>>>,
  model: Model,
  x: Float32Array,
  options: object = {},
  again: object = {},
): Promise<Readonly<Record<string, unknown>>> {
  const first = await method(model, x, options);
  const recorded = JSON.parse(JSON.stringify(first.options)) as Record<string, unknown>;
  expect(recorded).toEqual(first.options);
  const second = await method(model, x, { ...recorded, ...again });
  expect(second.options).toEqual(first.options);
  expect(await second.values.read()).toEqual(await first.values.read());
  first.dispose();
  second.dispose();
  return recorded;
}

describe('the options of an attribution', () => {
  test.each(methods.map(({ name, explain }) => [name, explain] as const))(
    'make it again with the model: %s by default',
    async (name, explain) => {
      const model = await network();
      const x = examplesOf(2, 64);
      const more = name === 'expectedGradients' ? { background: data } : {};
      const cheap = name === 'rise' ? { samples: 50 } : name === 'shapleyValues' ? { permutations: 3 } : {};
      await expectSameFromOptions(explain as ExplanationMethod, model, x, { ...more, ...cheap }, more);
      model.dispose();
    },
  );

  const half = imagePatches([8, 8], 4);
  const cases: readonly (readonly [string, (...given: never[]) => Promise<unknown>, object])[] = [
    ['Shapley values of groups, exact', shapleyValues, { groups: half }],
    ['Shapley values, antithetic', shapleyValues, { groups: half, permutations: 7, antithetic: true, seed: 3 }],
    ['Shapley values to a tolerance', shapleyValues, { groups: half, tolerance: 0.1 }],
    ['KernelSHAP of fewer coalitions than it was asked for', kernelShap, { groups: imagePatches([8, 8], 2), samples: 121, seed: 2 }],
    ['LIME of groups', lime, { groups: half, samples: 30, seed: 5 }],
    ['occlusion of groups', occlusion, { groups: half, fold: false }],
    ['occlusion by windows', occlusion, { window: [3, 2], stride: 3, baseline: 0.5 }],
    ['RISE of groups', rise, { groups: half, samples: 30 }],
    ['RISE in the runs of a budget', rise, { samples: 90, budget: 40000 }],
    ['LRP by a composite', lrp, { rule: lrpEpsilonGammaBox(-3, 3) }],
    ['LRP by one rule', lrp, { rule: lrpZPlus(), epsilon: 0.1 }],
    ['conductance', layerConductance, { layer: 'dense_1', steps: 7, rule: 'midpoint' }],
    ['internal influence', internalInfluence, { layer: 'preactivation/dense_1', baseline: examplesOf(1, 64, 3) }],
    ['a contrast', saliency, { target: [0, 1], against: 2, signed: true }],
    ['an attack', fgsm, { epsilon: 0.1, clip: [-5, 5] }],
    ['a longer attack', pgd, { steps: 3, seed: 4, target: 1, objective: 'output', targeted: true }],
  ];
  test.each(cases)('make it again with the model: %s', async (_name, method, options) => {
    const model = await network();
    await expectSameFromOptions(method as never, model, examplesOf(2, 64), options);
    model.dispose();
  });

  test('hold the group of each element, and a baseline of values as it is', async () => {
    const model = await network();
    const x = examplesOf(2, 64);
    const one = Array.from(examplesOf(1, 64, 3));
    const recorded = await expectSameFromOptions(lime as never, model, x, { groups: half, samples: 20, baseline: one });
    expect(recorded).toMatchObject({ groups: Array.from(half.of), baseline: one });
    const each = examplesOf(2, 64, 4);
    expect(await expectSameFromOptions(deepLift as never, model, x, { baseline: each })).toMatchObject({ baseline: Array.from(each) });
    model.dispose();
  });

  test('name what is no JSON: data sets, and the shape of tensors', async () => {
    const device = await testDevice();
    const model = await network();
    const x = examplesOf(2, 64);
    const tensor = device.tensor(examplesOf(1, 64, 3), [64]);
    const cases: readonly (readonly [Baseline, object, object])[] = [
      [data, {}, { baseline: 'data', baselines: 32, seed: 0 }],
      ['mean', { background: data }, { baseline: 'mean', background: 'data' }],
      [tensor, {}, { baseline: { shape: [64] } }],
    ];
    for (const [baseline, more, expected] of cases) {
      const given = { baseline, ...more };
      expect(await expectSameFromOptions(deepLift as never, model, x, given, given)).toEqual({ output: 'logit', ...expected });
    }
    const background = device.tensor(examplesOf(3, 64, 3), [3, 64]);
    const options = { samples: 20, background };
    expect(await expectSameFromOptions(expectedGradients as never, model, x, options, { background })).toMatchObject({
      background: 'given',
      backgroundSize: 3,
    });
    for (const each of [tensor, background, model]) each.dispose();
  });

  test('make an ablation of heads again: each in turn, or those named together', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 2);
    for (const head of [undefined, 1, [0, 1]]) {
      const options = { target: 1, layer: VISION_LAYERS[1] as string, ...(head === undefined ? {} : { head }) };
      const recorded = await expectSameFromOptions(ablateHead as never, model, x, options);
      expect(recorded.head).toEqual(head);
    }
    model.dispose();
  });

  test('of rules for each layer, as many as there are layers', async () => {
    const model = await randomNetwork(await testDevice());
    await expect(lrp(model, examplesOf(1, 10), { rule: [lrpZPlus()] })).rejects.toThrow(
      'lrp: there are 1 rules for 3 layers (dense_1, dense_2, dense_3).\nTo mend: give a rule for each, or one for all.',
    );
    model.dispose();
  });
});
