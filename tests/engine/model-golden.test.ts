import { expect, test } from 'vitest';
import { dense, type Layer, softmax } from '../../src/engine/layers.ts';
import { buildModel, type Model } from '../../src/engine/model.ts';
import { adam, adamW, type Optimizer, sgd } from '../../src/engine/optimizers.ts';
import { createTrainer } from '../../src/engine/trainer.ts';
import { type GoldenNetwork, pytorch, relativeError } from './golden.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

/** The golden network as a model, with its parameters. */
async function goldenModel(network: GoldenNetwork): Promise<Model> {
  const units = network.sizes.slice(1);
  const layers: Layer[] = units.map((n, i) => (i < units.length - 1 ? dense(n, { activation: 'relu' }) : dense(n)));
  const model = await buildModel(await testDevice(), { inputShape: [network.sizes[0] as number], layers: [...layers, softmax()] });
  [...model.parameters.values()].forEach((parameter, i) => {
    parameter.write(Float32Array.from(network.params[i]?.data ?? []));
  });
  return model;
}

for (const [name, network] of Object.entries(pytorch).filter(([key]) => key.startsWith('mlp'))) {
  const x = Float32Array.from(network.x.data);

  test(`${name}: logits, probabilities and activations are PyTorch's`, async () => {
    const model = await goldenModel(network);
    const logits = await model.logits(x);
    const output = await model.predict(x);
    expect(relativeError(await logits.read(), network.logits.data)).toBeLessThan(1e-5);
    expect(relativeError(await output.read(), network.probabilities.data)).toBeLessThan(1e-5);
    const activations = await model.activations(x);
    // PyTorch's list holds each dense layer before its ReLU, then after it; the last has none.
    const names = network.sizes.slice(1, -1).flatMap((_n, i) => [`preactivation/dense_${i + 1}`, `activation/dense_${i + 1}`]);
    names.push(`activation/dense_${network.sizes.length - 1}`);
    for (const [i, key] of names.entries()) {
      expect(relativeError((await activations.get(key)?.read()) ?? [], network.activations[i]?.data ?? []), key).toBeLessThan(1e-5);
    }
    for (const tensor of [logits, output, ...activations.values()]) tensor.dispose();
    model.dispose();
  });

  test(`${name}: the loss and every gradient are PyTorch's`, async () => {
    const model = await goldenModel(network);
    const { loss, parameters, input } = await model.gradients(x, network.labels);
    expect(Math.abs(loss - network.loss) / network.loss).toBeLessThan(1e-5);
    expect(relativeError(await input.read(), network.inputGradient.data)).toBeLessThan(1e-4);
    let i = 0;
    for (const [key, tensor] of parameters) {
      expect(relativeError(await tensor.read(), network.paramGradients[i++]?.data ?? []), key).toBeLessThan(1e-4);
      tensor.dispose();
    }
    expect(i).toBe(network.params.length);
    input.dispose();
    model.dispose();
  });

  const optimizers: Record<string, (learningRate: number) => Optimizer> = {
    adam: (learningRate) => adam({ learningRate }),
    adamw: (learningRate) => adamW({ learningRate, weightDecay: 0.05 }),
    sgdMomentum: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
  };
  for (const [key, make] of Object.entries(optimizers)) {
    test(`${name}: every loss and the final parameters of ${key} are PyTorch's`, async () => {
      const trajectory = network[key as 'adam' | 'adamw' | 'sgdMomentum'];
      const model = await goldenModel(network);
      const trainer = await createTrainer(model, { optimizer: make(network.lr), batchSize: network.labels.length });
      const losses: number[] = [];
      for (let step = 0; step < network.steps; step++) losses.push(await trainer.trainOnBatch(x, network.labels));
      expect(relativeError(losses, trajectory.losses)).toBeLessThan(1e-4);
      let i = 0;
      for (const [parameter, tensor] of model.parameters) {
        expect(relativeError(await tensor.read(), trajectory.params[i++]?.data ?? []), parameter).toBeLessThan(1e-4);
      }
      trainer.dispose();
      model.dispose();
    });
  }
}
