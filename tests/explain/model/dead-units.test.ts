import { describe, expect, test } from 'vitest';
import { buildModel, createTrainer, dense, flatten, type Model, relu, sgd, type Trainer, tanh } from '../../../src/engine/index.ts';
import { stopAtDeadUnit } from '../../../src/explain/model/dead-units.ts';
import { bits, clusters, markedPatches } from '../../engine/fixtures.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';

failOnGpuErrors();

const [FEATURES, CLASSES] = [8, 3];
const HIDDEN = [12, 9] as const;
/** 40 examples in batches of 16: every third batch has 8 rows, and rows of the one before behind them. */
const data = clusters(40, FEATURES, CLASSES);

async function network(
  options: { readonly bias?: number; readonly learningRate?: number } = {},
): Promise<{ model: Model; trainer: Trainer }> {
  const model = await buildModel(await testDevice(), {
    inputShape: [FEATURES],
    layers: [dense(HIDDEN[0], { activation: 'relu' }), dense(HIDDEN[1], { activation: 'relu' }), dense(CLASSES, { activation: 'softmax' })],
    seed: 7,
  });
  wake(model);
  if (options.bias !== undefined) silence(model, 5, options.bias);
  const trainer = await createTrainer(model, { data, optimizer: sgd({ learningRate: options.learningRate ?? 0.05 }), batchSize: 16 });
  return { model, trainer };
}

/** Biases with which every unit answers to some example. */
function wake(model: Model): void {
  for (const [k, units] of HIDDEN.entries())
    model.parameters.get(`dense_${k + 1}/bias`)!.write(new Float32Array(units).fill(k === 0 ? 2 : 10));
}

function silence(model: Model, unit: number, bias: number): void {
  model.parameters.get('dense_1/bias')!.write(Float32Array.from({ length: HIDDEN[0] }, (_, j) => (j === unit ? bias : 2)));
}

/** x · W + b, then ReLU, in float64. */
function layer(x: readonly number[], w: Float32Array, b: Float32Array): number[] {
  return Array.from(b, (bias, j) =>
    Math.max(
      0,
      x.reduce((sum, value, i) => sum + value * w[i * b.length + j]!, bias),
    ),
  );
}

interface Found {
  readonly layer: string;
  readonly unit: number;
  readonly step: number;
}

/** Step by step on an unwatched twin, on the CPU: which unit is silent for `window` batches first, and after which step. */
async function reference({ model, trainer }: { model: Model; trainer: Trainer }, window: number, most: number): Promise<Found | undefined> {
  const quiet = HIDDEN.map((units) => new Array<number>(units).fill(0));
  for (let step = 1; step <= most; step++) {
    const parameters = new Map<string, Float32Array>();
    for (const [name, tensor] of model.parameters) parameters.set(name, await tensor.read());
    let rows = 0;
    await trainer.run(1, {
      onSteps: ([record]) => {
        rows = record!.rows;
      },
    });
    const x = await trainer.tensors.get('batch/input')!.read();
    const alive = HIDDEN.map(() => new Set<number>());
    for (let row = 0; row < rows; row++) {
      let values = Array.from(x.subarray(row * FEATURES, (row + 1) * FEATURES));
      for (const k of [0, 1]) {
        values = layer(values, parameters.get(`dense_${k + 1}/weight`)!, parameters.get(`dense_${k + 1}/bias`)!);
        for (const [j, value] of values.entries()) if (value > 0) alive[k]!.add(j);
      }
    }
    for (const k of [0, 1]) {
      for (let j = 0; j < HIDDEN[k]!; j++) quiet[k]![j] = alive[k]!.has(j) ? 0 : quiet[k]![j]! + 1;
    }
    for (const k of [0, 1]) {
      const unit = quiet[k]!.indexOf(window);
      if (unit >= 0) return { layer: `dense_${k + 1}`, unit, step };
    }
  }
  return undefined;
}

async function dispose(...made: { model: Model; trainer: Trainer }[]): Promise<void> {
  for (const { model, trainer } of made) {
    trainer.dispose();
    model.dispose();
  }
}

describe('stopAtDeadUnit', () => {
  test('stops a unit with a large negative bias at exactly the last step of its window, with the bits of an unwatched run', async () => {
    const [watched, twin] = [await network({ bias: -1000 }), await network({ bias: -1000 })];
    const watch = await stopAtDeadUnit(watched.trainer, { window: 7 });
    await watched.trainer.run(200);
    const { step, halted } = await watched.trainer.synchronize();
    expect([step, halted]).toEqual([7, 'dead-unit']);
    expect(await watch.read()).toEqual({ layer: 'dense_1', unit: 5, step: 7 });
    await twin.trainer.run(7);
    expect([...(await bits(watched.model))]).toEqual([...(await bits(twin.model))]);
    watch.dispose();
    expect(watched.trainer.companions.size).toBe(0);
    await dispose(watched, twin);
  });

  test('finds the unit that dies while it is trained, at the step that a CPU reference predicts, while a listener is told of every step', async () => {
    // A rate at which units die.
    const options = { learningRate: 1.5 };
    const twin = await network(options);
    const expected = await reference(twin, 6, 120);
    expect(expected).toBeDefined();
    // It had been alive.
    expect(expected!.step).toBeGreaterThan(6);
    const watched = await network(options);
    const watch = await stopAtDeadUnit(watched.trainer, { window: 6 });
    const told: number[] = [];
    await watched.trainer.run(500, { onSteps: (records) => void told.push(...records.map(({ step }) => step)) });
    expect(watched.trainer.halted).toBe('dead-unit');
    expect(watched.trainer.step).toBe(expected!.step);
    expect(await watch.read()).toEqual(expected);
    expect(told).toEqual(Array.from({ length: expected!.step }, (_, i) => i));
    expect([...(await bits(watched.model))]).toEqual([...(await bits(twin.model))]);
    watch.dispose();
    await dispose(watched, twin);
  });

  test('goes on after it, and does not find the same unit again; counting begins anew where training does', async () => {
    const made = await network({ bias: -1000, learningRate: 0.01 });
    const { trainer } = made;
    const watch = await stopAtDeadUnit(trainer, { window: 4 });
    await trainer.run(10);
    await trainer.synchronize();
    expect(trainer.step).toBe(4);
    trainer.resume();
    await trainer.run(20);
    expect((await trainer.synchronize()).step).toBe(24);
    expect(trainer.halted).toBe('running');
    await trainer.reset();
    wake(made.model);
    await trainer.run(9);
    expect((await trainer.synchronize()).step).toBe(9);
    silence(made.model, 2, -1000);
    await trainer.run(30);
    expect((await trainer.synchronize()).step).toBe(13);
    expect(await watch.read()).toEqual({ layer: 'dense_1', unit: 2, step: 13 });
    watch.dispose();
    await dispose(made);
  });

  test('makes nothing and reads nothing in a steady step, and frees what it made', async () => {
    const device = await testDevice();
    const made = await network();
    await made.trainer.watch(['activation/dense_1', 'activation/dense_2']);
    const { bytes, buffers } = device.memory;
    const watch = await stopAtDeadUnit(made.trainer);
    expect(watch.window).toBe(100);
    await made.trainer.run(5);
    const before = { ...device.calls.train };
    await made.trainer.run(10);
    const { createBuffer, createBindGroup, writeBuffer, mapAsync } = device.calls.train;
    expect({ createBuffer, createBindGroup, writeBuffer, mapAsync }).toEqual({
      createBuffer: before.createBuffer,
      createBindGroup: before.createBindGroup,
      writeBuffer: before.writeBuffer,
      mapAsync: before.mapAsync,
    });
    watch.dispose();
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    await dispose(made);
  });

  test('a unit that is met at many places is one unit, and relu layers count', async () => {
    const device = await testDevice();
    const model = await buildModel(device, {
      inputShape: [8, 8, 1],
      layers: [dense(3), relu(), flatten(), dense(2, { activation: 'softmax' })],
      seed: 1,
    });
    model.parameters.get('dense_1/bias')!.write(Float32Array.of(0, -1000, 0));
    const trainer = await createTrainer(model, { data: markedPatches(32), batchSize: 8 });
    const watch = await stopAtDeadUnit(trainer, { window: 3 });
    expect(watch.layers).toEqual(['relu_1']);
    await trainer.run(50);
    expect((await trainer.synchronize()).step).toBe(3);
    expect(await watch.read()).toEqual({ layer: 'relu_1', unit: 1, step: 3 });
    watch.dispose();
    trainer.dispose();
    model.dispose();
  });

  test('refuses a network without a ReLU, and a window of nothing', async () => {
    const device = await testDevice();
    const model = await buildModel(device, {
      inputShape: [FEATURES],
      layers: [dense(4), tanh(), dense(CLASSES, { activation: 'softmax' })],
    });
    const trainer = await createTrainer(model, { data });
    await expect(stopAtDeadUnit(trainer)).rejects.toMatchObject({ code: 'unsupported-model' });
    await expect(stopAtDeadUnit(trainer)).rejects.toThrow(
      'stopAtDeadUnit: no hidden layer of this model has a ReLU, so no unit of it can die.\nTo mend: give a hidden layer',
    );
    await expect(stopAtDeadUnit(trainer, { window: 0 })).rejects.toMatchObject({ code: 'invalid-option' });
    trainer.dispose();
    model.dispose();
  });
});
