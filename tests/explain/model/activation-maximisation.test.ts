import { describe, expect, test } from 'vitest';
import { buildModel, dense, flatten } from '../../../src/engine/index.ts';
import { activationMaximisation } from '../../../src/explain/index.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { linearModel, randomNetwork } from '../networks.ts';

failOnGpuErrors();

describe('activationMaximisation', () => {
  test('of linear units within a ball ends at r · w / ‖w‖, each unit its own', async () => {
    const { model, weight } = await linearModel(await testDevice(), 6, 3);
    const { inputs } = await activationMaximisation(model, {
      layer: 'logits',
      units: [2, 0],
      steps: 400,
      optimizer: 'gradient',
      learningRate: 0.2,
      range: 'none',
      radius: 1.5,
    });
    const found = await inputs.read();
    [2, 0].forEach((unit, row) => {
      const column = Array.from({ length: 6 }, (_, i) => weight[3 * i + unit] as number);
      const length = Math.hypot(...column);
      column.forEach((value, i) => {
        expect(Math.abs((found[6 * row + i] as number) - (1.5 * value) / length)).toBeLessThan(1e-3);
      });
    });
    inputs.dispose();
    model.dispose();
  });

  test('by small plain steps never lowers the unit', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const { objective, inputs } = await activationMaximisation(model, {
      layer: 'logits',
      units: [1],
      steps: 60,
      optimizer: 'gradient',
      learningRate: 0.01,
      range: 'none',
      passSteps: 0,
    });
    for (let i = 1; i < 60; i++) expect((objective[i] as number) - (objective[i - 1] as number)).toBeGreaterThan(-1e-6);
    expect(objective[59]).toBeGreaterThan((objective[0] as number) + 0.1);
    inputs.dispose();
    model.dispose();
  });

  test('leaves a dead start, because ReLU passes every gradient at first', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [4], layers: [dense(3, { activation: 'relu' })] });
    const [weight, bias] = [...model.parameters.values()];
    weight?.write(Float32Array.from({ length: 12 }, () => 1));
    bias?.write(Float32Array.of(-2.5, -2.5, -2.5));
    const at = async (passSteps: number): Promise<number> => {
      const { objective, inputs } = await activationMaximisation(model, { layer: 'activation/dense_1', units: [0], steps: 100, passSteps });
      inputs.dispose();
      return objective[99] as number;
    };
    expect(await at(0)).toBe(0);
    expect(await at(16)).toBeGreaterThan(1);
    model.dispose();
  });

  test('stays within its range, is smoother with total variation, the same for one seed, and another for another', async () => {
    const device = await testDevice();
    const model = await buildModel(device, {
      inputShape: [8, 8, 1],
      layers: [flatten(), dense(10, { activation: 'relu' }), dense(3)],
      seed: 5,
    });
    const of = async (totalVariation: number, seed = 0, steps = 80): Promise<number[]> => {
      const { inputs } = await activationMaximisation(model, { layer: 'logits', units: [1], steps, totalVariation, seed });
      const values = [...(await inputs.read())];
      inputs.dispose();
      return values;
    };
    const roughness = (values: number[]): number =>
      values.reduce((total, value, i) => total + (i % 8 < 7 ? Math.abs(value - (values[i + 1] as number)) : 0), 0);
    const plain = await of(0);
    expect(plain.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(roughness(await of(0.3))).toBeLessThan(0.5 * roughness(plain));
    expect(await of(0)).toEqual(plain);
    expect(await of(0, 1, 3)).not.toEqual(await of(0, 0, 3));
    const { bytes, buffers } = device.memory;
    for (let i = 0; i < 5; i++) await of(0.1, i);
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    model.dispose();
  });

  test('refuses a unit and a layer that are not there, and ends at its signal', async () => {
    const model = await randomNetwork(await testDevice());
    await expect(activationMaximisation(model, { layer: 'logits', units: [4] })).rejects.toThrow(
      'activationMaximisation: there is no unit 4; logits has 4.\nTo mend: name units from 0 to 3.',
    );
    await expect(activationMaximisation(model, { layer: 'dense_9', units: [0] })).rejects.toMatchObject({ code: 'unknown-name' });
    await expect(activationMaximisation(model, { layer: 'logits', units: [] })).rejects.toMatchObject({ code: 'invalid-option' });
    const signal = AbortSignal.abort();
    await expect(activationMaximisation(model, { layer: 'logits', units: [0], signal })).rejects.toMatchObject({ code: 'aborted' });
    model.dispose();
  });
});
