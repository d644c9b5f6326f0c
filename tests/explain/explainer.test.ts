import { describe, expect, test } from 'vitest';
import { adam, buildModel, createTrainer, dense, embedding, flatten, type Model, type VitrineError } from '../../src/engine/index.ts';
import { type Attribution, inputXGradient, integratedGradients, saliency, smoothGrad, methods as table } from '../../src/explain/index.ts';
import { bits, clusters, smallModel } from '../engine/fixtures.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from './networks.ts';

failOnGpuErrors();

const methods: ((model: Model, x: Float32Array) => Promise<Attribution>)[] = [
  (model, x) => saliency(model, x),
  (model, x) => inputXGradient(model, x, { target: 1 }),
  (model, x) => smoothGrad(model, x, { samples: 5 }),
  (model, x) => integratedGradients(model, x, { steps: 7 }),
];

describe('an explanation', () => {
  test('is about the predicted class, ties to the lowest, and says so', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(300, 10);
    const { target, output, dispose } = await saliency(model, x);
    const logits = await (await model.logits(x)).read();
    const [classes, outputs] = [await target.readUint32(), await output.read()];
    for (let i = 0; i < 300; i++) {
      const row = Array.from(logits.slice(4 * i, 4 * i + 4));
      expect(classes[i]).toBe(row.indexOf(Math.max(...row)));
      expect(outputs[i]).toBe(Math.max(...row));
    }
    dispose();
    model.dispose();
  });

  test('records its method and options, and no training step where there was no training', async () => {
    const { model } = await linearModel(await testDevice(), 5, 3);
    const attribution = await saliency(model, examplesOf(2, 5), { target: [0, 2], output: 'probability', signed: true });
    expect(attribution).toMatchObject({ method: 'saliency', options: { target: [0, 2], output: 'probability', signed: true } });
    expect(attribution.step).toBeUndefined();
    expect(JSON.parse(JSON.stringify(attribution.options))).toEqual(attribution.options);
    model.dispose();
  });

  test.each(table.map(({ name, explain }) => [name, explain] as const))(
    'refuses examples of another type and no examples: %s',
    async (_name, explain) => {
      const device = await testDevice();
      const model = await randomNetwork(device);
      const more = { background: { name: 'data', size: 2, inputShape: [10], inputs: examplesOf(2, 10) } };
      const indices = device.tensor(new Uint32Array(20), [2, 10], 'indices');
      await expect(explain(model, indices, more)).rejects.toMatchObject({ code: 'dtype-mismatch' });
      await expect(explain(model, new Float32Array(), more)).rejects.toMatchObject({ code: 'empty-dataset' });
      indices.dispose();
      model.dispose();
    },
  );

  test('takes its examples from the GPU or the CPU, to the same bits', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(5, 10);
    const onGpu = device.tensor(x, [5, 10]);
    const [a, b] = [await integratedGradients(model, x), await integratedGradients(model, onGpu)];
    expect(Array.from(await a.values.read())).toEqual(Array.from(await b.values.read()));
    onGpu.dispose();
    model.dispose();
  });

  test('leaves bytes and buffers bounded, however many were made and whatever their options', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [12] });
    const round = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const rows = 1 + ((i * 7) % 19);
        const attribution = await (methods[i % methods.length] as (typeof methods)[number])(model, examplesOf(rows, 12, i));
        attribution.dispose();
      }
    };
    await round(300);
    const { bytes, buffers } = device.memory;
    await round(700);
    expect(device.memory.bytes).toBe(bytes);
    expect(device.memory.buffers).toBe(buffers);
    model.dispose();
  });

  test('frees everything with its model', async () => {
    const device = await testDevice();
    const before = { bytes: device.memory.bytes, buffers: device.memory.buffers };
    const model = await randomNetwork(device);
    for (const method of methods) (await method(model, examplesOf(3, 10))).dispose();
    model.dispose();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual(before);
  });

  test('may overlap others on the same model without mixing them up', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(9, 10);
    const alone: number[][] = [];
    for (const method of methods) alone.push(Array.from(await (await method(model, x)).values.read()));
    const together = await Promise.all([...methods, ...methods].map((method) => method(model, x)));
    for (const [i, attribution] of together.entries()) {
      expect(Array.from(await attribution.values.read())).toEqual(alone[i % methods.length]);
    }
    model.dispose();
  });

  test('ends at its signal, between two runs, and tells how far it is', async () => {
    const model = await randomNetwork(await testDevice());
    const controller = new AbortController();
    const seen: number[] = [];
    const explaining = smoothGrad(model, examplesOf(2, 10), {
      samples: 640,
      signal: controller.signal,
      onProgress: ({ done, total }) => {
        expect(total).toBe(10);
        seen.push(done);
        if (done === 3) controller.abort();
      },
    });
    await expect(explaining).rejects.toMatchObject({ code: 'aborted' } satisfies Partial<VitrineError>);
    expect(seen).toEqual([1, 2, 3]);
    await expect(saliency(model, examplesOf(1, 10), { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    model.dispose();
  });

  test('never changes the training that it looks into, and knows its step', async () => {
    const device = await testDevice();
    const data = clusters(64, 8, 3);
    const run = async (explain: boolean): Promise<Uint32Array> => {
      const model = await smallModel(device);
      const trainer = await createTrainer(model, { data, optimizer: adam(), batchSize: 16 });
      for (let i = 0; i < 10; i++) {
        const training = trainer.run(7);
        if (explain) {
          const x = data.inputs.slice(0, 24) as Float32Array;
          const attributions = await Promise.all(methods.map((method) => method(model, x)));
          for (const attribution of attributions) {
            expect(attribution.step).toBeGreaterThanOrEqual(0);
            expect(attribution.step).toBeLessThanOrEqual(7 * (i + 1));
            attribution.dispose();
          }
        }
        await training;
        if (explain) expect((await saliency(model, data.inputs.slice(0, 8) as Float32Array)).step).toBe(7 * (i + 1));
      }
      const result = await bits(model);
      trainer.dispose();
      model.dispose();
      return result;
    };
    expect(Array.from(await run(true))).toEqual(Array.from(await run(false)));
  });

  test('goes on after the device was lost', async () => {
    const { openDevice } = await import('../../src/engine/index.ts');
    const device = await openDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(3, 10);
    const before = Array.from(await (await integratedGradients(model, x)).values.read());
    const replaced = new Promise<void>((resolve) => {
      device.onReplaced(resolve);
    });
    // Biases were written by hand: what a lost device is filled from has to know.
    model.keepSafe(await model.flatParameters.read());
    device.simulateLoss();
    await replaced;
    expect(Array.from(await (await integratedGradients(model, x)).values.read())).toEqual(before);
    device.destroy();
  });

  test('refuses a model of tokens and one that ends in no single axis, and names a method that can', async () => {
    const device = await testDevice();
    const tokens = await buildModel(device, { inputShape: [4], inputType: 'uint32', layers: [embedding(10, 3), flatten(), dense(2)] });
    await expect(saliency(tokens, Uint32Array.of(1, 2, 3, 4))).rejects.toMatchObject({ code: 'unsupported-model' });
    const images = await buildModel(device, { inputShape: [3, 4], layers: [dense(2)] });
    await expect(saliency(images, examplesOf(1, 12))).rejects.toThrow(
      "saliency: an example's output is [3, 2]; an explanation is about one of a list of outputs.\nTo mend: end the model in one axis, with flatten(), pooling or dense().",
    );
    tokens.dispose();
    images.dispose();
  });

  test('of one output refuses what is always the same of it: its probability and its log-odds', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { classes: 1 });
    const x = examplesOf(2, 10);
    const logits = await model.logits(x);
    const attribution = await saliency(model, x);
    expect(await attribution.output.read()).toEqual(await logits.read());
    attribution.dispose();
    logits.dispose();
    await expect(saliency(model, x, { output: 'probability' })).rejects.toThrow(
      "saliency: the model has one output, of which 'probability' is always the same.\nTo mend: leave output out, which explains the output itself.",
    );
    await expect(saliency(model, x, { output: 'logOdds' })).rejects.toMatchObject({ code: 'invalid-option' });
    model.dispose();
  });
});
