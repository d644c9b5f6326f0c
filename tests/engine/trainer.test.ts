import { describe, expect, test } from 'vitest';
import type { Device } from '../../src/engine/device.ts';
import { openDevice } from '../../src/engine/device.ts';
import { dense, flatten, softmax } from '../../src/engine/layers.ts';
import { buildModel } from '../../src/engine/model.ts';
import { adam, sgd } from '../../src/engine/optimizers.ts';
import { normal } from '../../src/engine/random.ts';
import { cosineDecay } from '../../src/engine/schedules.ts';
import { createTrainer, type Trainer } from '../../src/engine/trainer.ts';
import type { StepRecord, TrainerOptions } from '../../src/engine/training-options.ts';
import { bits, clusters, type SmallModel, smallModel } from './fixtures.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

const data = clusters(100, 8, 3);

/** Trains a small model by `drive` and returns the bits of its parameters. */
async function trained(
  drive: (trainer: Trainer) => Promise<unknown>,
  options: TrainerOptions = {},
  shape: SmallModel = {},
  on?: Device,
): Promise<Uint32Array> {
  const device = on ?? (await testDevice());
  const model = await smallModel(device, shape);
  const trainer = await createTrainer(model, { data, batchSize: 16, optimizer: adam({ learningRate: 0.01 }), ...options });
  await drive(trainer);
  const result = await bits(model);
  trainer.dispose();
  model.dispose();
  return result;
}

describe('a steady step of the MNIST network', () => {
  test('creates, uploads and reads back nothing, in at most 12 dispatches, many a submit', async () => {
    const device = await testDevice();
    const size = 512;
    const images = {
      name: 'noise',
      size,
      inputShape: [28, 28, 1],
      inputs: new Uint8Array(size * 784).map((_v, i) => (i * 37) % 251),
      labels: new Uint8Array(size).map((_v, i) => i % 10),
    };
    const model = await buildModel(device, {
      inputShape: [28, 28, 1],
      layers: [flatten(), dense(128, { activation: 'relu' }), dense(10), softmax()],
    });
    const trainer = await createTrainer(model, { data: images, batchSize: 32 });
    expect(model.parameterCount).toBe(101_770);
    await trainer.run(40);
    const before = structuredClone(device.calls);
    const steps = 100;
    await trainer.run(steps);
    // What the reader does (a safe point every five seconds, should the machine be that slow) is counted apart.
    const owners = (Object.keys(before) as (keyof typeof before)[]).filter((owner) => owner !== 'reader');
    const spent = (kind: keyof typeof before.train): number =>
      owners.reduce((sum, owner) => sum + device.calls[owner][kind] - before[owner][kind], 0);
    for (const kind of ['createBuffer', 'createBindGroup', 'createComputePipeline', 'writeBuffer', 'mapAsync', 'copyBuffer'] as const)
      expect(spent(kind), kind).toBe(0);
    expect(spent('dispatch') / steps).toBe(9);
    expect(spent('submit')).toBeLessThan(steps);
    trainer.dispose();
    model.dispose();
  });

  test('tells a listener every loss and accuracy, late but in order', async () => {
    const records: StepRecord[] = [];
    await trained((trainer) => trainer.run(300, { onSteps: (steps) => records.push(...steps) }));
    expect(records.map(({ step }) => step)).toEqual(Array.from({ length: 300 }, (_v, i) => i));
    expect(records.every(({ loss, accuracy }) => loss > 0 && accuracy >= 0 && accuracy <= 1)).toBe(true);
    expect((records.at(-1) as StepRecord).loss).toBeLessThan((records[0] as StepRecord).loss / 2);
  });

  test('is the last, partial batch of an epoch too', async () => {
    const rows: number[] = [];
    await trained((trainer) => trainer.run(14, { onSteps: (steps) => rows.push(...steps.map((step) => step.rows)) }));
    expect(rows).toEqual([16, 16, 16, 16, 16, 16, 4, 16, 16, 16, 16, 16, 16, 4]);
  });
});

describe('the same seed gives the same bits', () => {
  test('twice', async () => {
    expect(await trained((trainer) => trainer.run(60))).toEqual(await trained((trainer) => trainer.run(60)));
  });

  test('and another seed gives others', async () => {
    expect(await trained((trainer) => trainer.run(60))).not.toEqual(await trained((trainer) => trainer.run(60), {}, { seed: 8 }));
  });

  test('whatever the steps a submit and whether anyone watches', async () => {
    const together = await trained((trainer) => trainer.run(60));
    const apart = await trained(async (trainer) => {
      for (let i = 0; i < 60; i++) await trainer.run(1);
    });
    const watched = await trained(async (trainer) => {
      await trainer.watch(['activation/dense_1', 'logits']);
      await trainer.run(60, { onSteps: () => undefined });
    });
    expect(apart).toEqual(together);
    expect(watched).toEqual(together);
  });

  test('whichever variant fetches the batch and updates the parameters', async () => {
    const other: TrainerOptions = { variants: { gatherBatch: 'word', adam: 'vec4x1' } };
    expect(await trained((trainer) => trainer.run(60), other)).toEqual(await trained((trainer) => trainer.run(60)));
    const momentum: TrainerOptions = { optimizer: sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true, weightDecay: 0.01 }) };
    const same = await trained((trainer) => trainer.run(60), { ...momentum, variants: { sgd: 'vec4x1' } });
    expect(same).toEqual(await trained((trainer) => trainer.run(60), momentum));
  });

  test('with parameters treated apart, which then differ', async () => {
    const apart: TrainerOptions = {
      groups: [
        { match: /bias$/, weightDecay: 0, learningRateFactor: 2 },
        { match: ['dense_1/weight'], frozen: true },
      ],
    };
    const device = await testDevice();
    const untouched = await smallModel(device);
    const before = await untouched.parameters.get('dense_1/weight')?.read();
    untouched.dispose();
    const model = await smallModel(device);
    const trainer = await createTrainer(model, {
      data,
      batchSize: 16,
      optimizer: adam({ learningRate: 0.01, weightDecay: 0.1 }),
      ...apart,
    });
    await trainer.run(30);
    expect(await model.parameters.get('dense_1/weight')?.read()).toEqual(before);
    const first = await bits(model);
    trainer.dispose();
    model.dispose();
    const decayed: TrainerOptions = { optimizer: adam({ learningRate: 0.01, weightDecay: 0.1 }) };
    expect(await trained((again) => again.run(30), { ...decayed, ...apart })).toEqual(first);
    expect(await trained((again) => again.run(30), decayed)).not.toEqual(first);
  });

  test('with dropout', async () => {
    const shape = { dropoutRate: 0.4 };
    const first = await trained((trainer) => trainer.run(60), {}, shape);
    const second = await trained(
      async (trainer) => {
        await trainer.run(13);
        await trainer.run(47);
      },
      {},
      shape,
    );
    expect(second).toEqual(first);
    expect(first).not.toEqual(await trained((trainer) => trainer.run(60)));
  });

  test('with a rate changed and a layer frozen on the way', async () => {
    const drive = (chunk: number) => async (trainer: Trainer) => {
      for (let done = 0; done < 30; done += chunk) await trainer.run(chunk);
      trainer.setLearningRate(0.002);
      trainer.setFrozen(['dense_1/weight'], true);
      for (let done = 0; done < 30; done += chunk) await trainer.run(chunk);
    };
    expect(await trained(drive(30))).toEqual(await trained(drive(5)));
    expect(await trained(drive(30))).not.toEqual(await trained((trainer) => trainer.run(60)));
  });

  test('with a schedule and with clipping', async () => {
    const options: TrainerOptions = { schedule: cosineDecay({ steps: 60 }), clipNorm: 0.5 };
    const first = await trained((trainer) => trainer.run(60), options);
    expect(
      await trained(async (trainer) => {
        await trainer.run(21);
        await trainer.run(39);
      }, options),
    ).toEqual(first);
    expect(first).not.toEqual(await trained((trainer) => trainer.run(60)));
  });
});

describe('training that was interrupted ends in the same bits', () => {
  const shape = { dropoutRate: 0.3 };
  const drive = async (trainer: Trainer): Promise<void> => {
    await trainer.run(20);
    trainer.setLearningRate(0.003);
    await trainer.run(20);
  };

  test('by snapshot and restore, in the same trainer and in another', async () => {
    const straight = await trained(drive, {}, shape);
    const device = await testDevice();
    const model = await smallModel(device, shape);
    const trainer = await createTrainer(model, { data, batchSize: 16, optimizer: adam({ learningRate: 0.01 }) });
    await trainer.run(20);
    trainer.setLearningRate(0.003);
    await trainer.run(7);
    const snapshot = await trainer.snapshot();
    await trainer.run(31);
    await trainer.restore(snapshot);
    expect(trainer.step).toBe(27);
    await trainer.run(13);
    expect(await bits(model)).toEqual(straight);
    trainer.dispose();
    model.dispose();

    const other = await smallModel(device, shape);
    const second = await createTrainer(other, { data, batchSize: 16, optimizer: adam({ learningRate: 0.01 }) });
    await second.restore(snapshot);
    await second.run(13);
    expect(await bits(other)).toEqual(straight);
    second.dispose();
    other.dispose();
  });

  test('but not by a snapshot that was taken on other data, before or after the data were set', async () => {
    const model = await smallModel(await testDevice(), shape);
    const trainer = await createTrainer(model, { data, batchSize: 16, optimizer: adam({ learningRate: 0.01 }) });
    await trainer.run(3);
    const [first, again] = [await trainer.snapshot(), await trainer.snapshot()];
    expect(again.data).toBe(first.data);
    const inputs = (data.inputs as Float32Array).slice();
    inputs[inputs.length - 1]! += 1;
    await trainer.setData({ ...data, inputs });
    expect((await trainer.snapshot()).data).not.toBe(first.data);
    await expect(trainer.restore(first)).rejects.toMatchObject({ code: 'invalid-option' });
    await trainer.setData(data);
    await trainer.restore(first);
    expect(trainer.step).toBe(3);
    trainer.dispose();
    model.dispose();
  });

  test('by reset, which starts again from the first step', async () => {
    const straight = await trained(drive, {}, shape);
    expect(
      await trained(
        async (trainer) => {
          await trainer.run(33);
          await trainer.reset();
          await drive(trainer);
        },
        {},
        shape,
      ),
    ).toEqual(straight);
  });

  test('by a lost device, between runs and in the middle of one', async () => {
    const straight = await trained(drive, {}, shape);
    const device = await openDevice();
    let replaced = 0;
    device.onReplaced(() => {
      replaced += 1;
    });
    const interrupted = await trained(
      async (trainer) => {
        await trainer.run(11);
        device.simulateLoss();
        await trainer.run(9);
        trainer.setLearningRate(0.003);
        let lost = false;
        await trainer.run(20, {
          onSteps: () => {
            if (!lost) device.simulateLoss();
            lost = true;
          },
        });
      },
      {},
      shape,
      device,
    );
    expect(interrupted).toEqual(straight);
    expect(replaced).toBeGreaterThanOrEqual(1);
    expect(device.faults.map(({ message }) => message)).toEqual([]);
    device.destroy();
  });

  test('by a device lost while nothing runs: what was done is done again before anything else', async () => {
    const straight = await trained(drive, {}, shape);
    const device = await openDevice();
    const lose = (): Promise<void> =>
      new Promise((resolve) => {
        const off = device.onReplaced(() => {
          off();
          resolve();
        });
        device.simulateLoss();
      });
    const steps: number[] = [];
    const interrupted = await trained(
      async (trainer) => {
        await trainer.run(11, { onSteps: (records) => steps.push(...records.map(({ step }) => step)) });
        await lose();
        expect(trainer.step).toBe(11);
        await trainer.run(9, { onSteps: (records) => steps.push(...records.map(({ step }) => step)) });
        await lose();
        expect((await trainer.synchronize()).step).toBe(20);
        trainer.setLearningRate(0.003);
        await trainer.run(15);
        await lose();
        expect((await trainer.snapshot()).step).toBe(35);
        await lose();
        const { loss } = await trainer.evaluate(data);
        expect(loss).toBeGreaterThan(0);
        await trainer.run(5);
      },
      {},
      shape,
      device,
    );
    // A listener is told every step once.
    expect(steps).toEqual(Array.from({ length: 20 }, (_v, i) => i));
    expect(interrupted).toEqual(straight);
    device.destroy();
  });

  test('by a lost device after other data was set, on which it goes on', async () => {
    const other = clusters(64, 8, 3, 9);
    const drive = async (trainer: Trainer, between: () => Promise<unknown>): Promise<void> => {
      await trainer.run(10);
      await trainer.setData(other);
      await trainer.run(6);
      await between();
      await trainer.run(6);
    };
    const straight = await trained((trainer) => drive(trainer, async () => undefined));
    const device = await openDevice();
    const interrupted = await trained(
      (trainer) =>
        drive(
          trainer,
          () =>
            new Promise<void>((resolve) => {
              device.onReplaced(resolve);
              device.simulateLoss();
            }),
        ),
      {},
      {},
      device,
    );
    expect(interrupted).toEqual(straight);
    device.destroy();
  });
});

describe('training stops before the update', () => {
  test('at the first step that is not finite, naming the tensor and the step', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    const trainer = await createTrainer(model, { data, batchSize: 16, optimizer: sgd({ learningRate: 1e18 }) });
    const records: StepRecord[] = [];
    const error = await trainer.run(200, { onSteps: (steps) => records.push(...steps) }).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error.code).toBe('non-finite-training');
    const { step, tensor } = error.parameters;
    expect(step).toBe(records.length);
    expect(error.message.split('\n')[0]).toBe(`Training stopped before step ${step}: ${tensor} holds a value that is not finite.`);
    expect(tensor).toMatch(/activation|logits|softmax|preactivation|dense/);
    // Nothing was updated in that step: the parameters are finite still, and those of the step before.
    const stopped = await bits(model);
    expect([...new Float32Array(stopped.buffer)].every(Number.isFinite)).toBe(true);
    trainer.dispose();
    model.dispose();
    const replay = await trained((again) => again.run(step), { optimizer: sgd({ learningRate: 1e18 }) });
    expect(stopped).toEqual(replay);
  });

  test('on a condition of its own, and goes on after resume', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    const trainer = await createTrainer(model, { data, batchSize: 16, optimizer: adam({ learningRate: 0.01 }) });
    trainer.stopWhen({ step: 25 });
    await trainer.run(60);
    expect(await trainer.synchronize()).toMatchObject({ step: 25, halted: 'step-reached' });
    trainer.stopWhen({ lossBelow: 0.2 });
    trainer.resume();
    await trainer.run(2000);
    const end = await trainer.synchronize();
    expect(end.halted).toBe('loss-below');
    expect(end.loss).toBeLessThan(0.2);
    trainer.stopWhen({});
    trainer.resume();
    await trainer.run(5);
    expect((await trainer.synchronize()).step).toBe(end.step + 5);
    trainer.dispose();
    model.dispose();
  });

  test('on an abort, without losing what was done', async () => {
    const controller = new AbortController();
    await trained(async (trainer) => {
      const history = await trainer.fit({
        epochs: 1000,
        signal: controller.signal,
        onProgress: ({ totalStep }) => {
          if (totalStep > 20) controller.abort();
        },
      });
      expect(history.stopped).toBe('aborted');
      const { step } = await trainer.synchronize();
      expect(step).toBeGreaterThan(20);
      await trainer.run(3);
      expect((await trainer.synchronize()).step).toBe(step + 3);
    });
  });
});

test('an evaluation is submitted piece by piece, so that something else may be drawn meanwhile', async () => {
  const device = await testDevice();
  const model = await smallModel(device);
  const many = clusters(12_000, 8, 3);
  const trainer = await createTrainer(model, { data, batchSize: 16, optimizer: adam() });
  const few = await trainer.evaluate(many);
  const before = device.calls.engine.submit;
  expect(await trainer.evaluate(many)).toEqual(few);
  // 47 batches of 256: from one a submit, where the GPU is slow, to 1, 2, 4, 8, 16 and 32, where it is quick; never all at once.
  const submits = device.calls.engine.submit - before;
  expect(submits).toBeGreaterThanOrEqual(6);
  expect(submits).toBeLessThanOrEqual(48);
  trainer.dispose();
  model.dispose();
});

describe('fit', () => {
  test('learns, validates after each epoch and keeps a history', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    const trainer = await createTrainer(model, { data: clusters(300, 8, 3), batchSize: 16, optimizer: adam({ learningRate: 0.01 }) });
    const seen: number[] = [];
    const history = await trainer.fit({ epochs: 6, validationSplit: 0.2, onEpoch: ({ epoch }) => seen.push(epoch) });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(trainer.stepsPerEpoch).toBe(15);
    expect(trainer.step).toBe(90);
    const [first, last] = [history.epochs[0], history.epochs.at(-1)];
    expect(last?.validationAccuracy).toBeGreaterThan(0.9);
    expect(last?.loss).toBeLessThan(first?.loss ?? 0);
    // What fit reports is what evaluate says.
    const held = await trainer.evaluate('validation');
    expect(held.loss).toBe(last?.validationLoss);
    trainer.dispose();
    model.dispose();
  });

  test('stops early when validation no longer improves, and can go back to the best', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    const trainer = await createTrainer(model, {
      data: clusters(60, 8, 3),
      batchSize: 8,
      optimizer: adam({ learningRate: 0.3 }),
      validationSplit: 0.3,
    });
    const history = await trainer.fit({ epochs: 200, earlyStopping: { patience: 2, restoreBest: true } });
    expect(history.stopped).toBe('early-stopping');
    expect(history.epochs.length).toBeLessThan(200);
    const best = Math.min(...history.epochs.map(({ validationLoss }) => validationLoss as number));
    expect((await trainer.evaluate('validation')).loss).toBe(best);
    trainer.dispose();
    model.dispose();
  });

  test('regresses targets by the mean squared error', async () => {
    const device = await testDevice();
    const size = 200;
    const inputs = new Float32Array(size * 3).map((_v, i) => normal(1, 2, 3, i));
    const targets = new Float32Array(size * 2);
    for (let i = 0; i < size; i++) {
      const [a, b, c] = inputs.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
      targets.set([a - 2 * b, 0.5 * c + 1], 2 * i);
    }
    const model = await buildModel(device, { inputShape: [3], layers: [dense(2)] });
    const trainer = await createTrainer(model, {
      data: { name: 'line', size, inputShape: [3], inputs, targets, targetShape: [2] },
      loss: 'meanSquaredError',
      batchSize: 20,
      optimizer: adam({ learningRate: 0.05 }),
    });
    await trainer.fit({ epochs: 40 });
    const weight = await (model.parameters.get('dense_1/weight') as { read(): Promise<Float32Array> }).read();
    [1, 0, -2, 0, 0, 0.5].forEach((w, i) => {
      expect(weight[i]).toBeCloseTo(w, 2);
    });
    trainer.dispose();
    model.dispose();
  });
});

test('memory is flat over 10,000 steps and free after dispose', async () => {
  const device = await testDevice();
  const { bytes, buffers } = device.memory;
  const model = await smallModel(device);
  const trainer = await createTrainer(model, { data, batchSize: 16, optimizer: adam({ learningRate: 0.001 }) });
  await trainer.run(10);
  const steady = { bytes: device.memory.bytes, buffers: device.memory.buffers };
  await trainer.run(10_000);
  expect((await trainer.synchronize()).step).toBe(10_010);
  expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual(steady);
  await trainer.fit({ epochs: 3, validationSplit: 0.1 });
  trainer.dispose();
  model.dispose();
  // The model's prediction plans are freed as soon as they exist.
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
});

test('a prediction does not depend on its neighbours in the batch', async () => {
  const device = await testDevice();
  const model = await buildModel(device, {
    inputShape: [20],
    layers: [dense(36, { activation: 'relu' }), dense(16, { activation: 'gelu' }), dense(10), softmax()],
    seed: 3,
  });
  const x = clusters(256, 20, 10).inputs as Float32Array;
  const alone = await model.predict(x.slice(0, 20));
  const reference = await alone.read();
  for (const rows of [1, 7, 32, 256]) {
    const together = await model.predict(x.slice(0, rows * 20));
    expect((await together.read()).slice(0, 10), `among ${rows}`).toEqual(reference);
    together.dispose();
  }
  alone.dispose();
  model.dispose();
});
