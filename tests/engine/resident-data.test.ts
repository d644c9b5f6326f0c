import { describe, expect, test } from 'vitest';
import type { Dataset } from '../../src/engine/dataset.ts';
import { type Device, openDevice } from '../../src/engine/device.ts';
import { compileGather } from '../../src/engine/gather.ts';
import { permute } from '../../src/engine/random.ts';
import { dataHash, type ResidentData, residentData, type Shard } from '../../src/engine/resident-data.ts';
import { Tensor } from '../../src/engine/tensor.ts';
import { makeState, type StateField } from '../../src/engine/training-state.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

function bytesOf(size: number, width: number, more: Partial<Dataset> = {}): Dataset {
  const inputs = Uint8Array.from({ length: size * width }, (_, i) => (i * 37 + 11) % 256);
  return { name: 'bytes', size, inputShape: [width], inputs, labels: Uint8Array.from({ length: size }, (_, i) => (i * 7) % 10), ...more };
}

function floatsOf(size: number, width: number, more: Partial<Dataset> = {}): Dataset {
  const inputs = Float32Array.from({ length: size * width }, (_, i) => Math.sin(i));
  return { name: 'floats', size, inputShape: [width], inputs, labels: Uint32Array.from({ length: size }, (_, i) => i), ...more };
}

/** The first shard as it is stored. */
const wordsOf = (data: ResidentData): Promise<Uint32Array> => (data.inputs[0] as Shard).tensor.readUint32();

/** Makes data resident as on an adapter that binds no more than `bytes`. */
async function withBindingsOf<T>(device: Device, bytes: number, make: () => Promise<T>): Promise<T> {
  const { limits } = device;
  const small = { maxStorageBufferBindingSize: bytes, maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage };
  Object.defineProperty(device, 'limits', { value: { maxBufferSize: limits.maxBufferSize, ...small }, configurable: true });
  const made = make();
  // Buffers are made before the first await; from here on the adapter is itself again.
  Reflect.deleteProperty(device, 'limits');
  return made;
}

interface Gathered {
  readonly x: number[];
  readonly answer: number[];
}

const CANARY = 12345;
const SPARE = 64;

/** Gathers one batch; x lies between canaries, is bound 64 elements beyond its end and is NaN before. */
async function gather(
  device: Device,
  data: ResidentData,
  batch: number,
  state: Partial<Record<StateField, number>>,
  options: { readonly shuffle?: boolean; readonly first?: number; readonly answerWidth?: number } = {},
): Promise<Gathered> {
  const width = data.dataset.inputShape.reduce((a, b) => a * b, 1);
  const before = device.memory.bytes;
  const whole = device.tensor(new Float32Array(64 + batch * width + SPARE).fill(CANARY), undefined, 'canaries');
  const init = { name: 'x', shape: [batch, width], dtype: 'float32' as const, storage: whole.storage, byteOffset: 256, owned: false };
  const x = new Tensor(device, { ...init, bindingBytes: 4 * (batch * width + SPARE) });
  x.write(new Float32Array(batch * width).fill(Number.NaN));
  const { answerWidth } = options;
  const answer =
    answerWidth === undefined ? device.empty([batch], 'uint32', 'labels') : device.empty([batch, answerWidth], 'float32', 'targets');
  const stateTensor = device.tensor(
    makeState({ batch, stride: batch, rows: batch, examples: data.dataset.size, ...state }),
    undefined,
    'state',
  );
  const plan = await compileGather(device, data, {
    state: stateTensor,
    x,
    answer,
    shuffle: options.shuffle ?? true,
    first: options.first ?? 0,
    owner: 'engine',
  });
  plan.run();
  const around = await whole.read();
  expect([...around.subarray(0, 64), ...around.subarray(64 + batch * width)].every((value) => value === CANARY)).toBe(true);
  const result = { x: [...(await x.read())], answer: [...(await (answerWidth === undefined ? answer.readUint32() : answer.read()))] };
  for (const each of [plan, answer, stateTensor, whole]) each.dispose();
  expect(device.memory.bytes).toBe(before);
  return result;
}

/** The same batch on the CPU. */
function expectedBatch(dataset: Dataset, examples: readonly number[]): Gathered {
  const width = dataset.inputShape.reduce((a, b) => a * b, 1);
  const divisor = dataset.inputs instanceof Uint8Array ? (dataset.divisor ?? 255) : 1;
  return {
    x: examples.flatMap((example) =>
      [...dataset.inputs.subarray(example * width, (example + 1) * width)].map((value) => Math.fround(value / divisor)),
    ),
    answer: examples.map((example) => dataset.labels?.[example] as number),
  };
}

const shuffled = (dataset: Dataset, seed: number, epoch: number, from: number, count: number): number[] =>
  Array.from({ length: count }, (_, row) => permute(from + row, dataset.size, seed, epoch));

describe('a resident data set', () => {
  test('keeps bytes as bytes, each row padded with zeros to whole words', async () => {
    const data = await residentData(await testDevice(), bytesOf(3, 5));
    const [shard] = data.inputs;
    expect(data.storage).toBe('bytes');
    expect(shard?.tensor.shape).toEqual([3, 2]);
    const stored = new Uint8Array((await wordsOf(data)).buffer);
    const { inputs } = data.dataset;
    expect([...stored]).toEqual([...inputs.slice(0, 5), 0, 0, 0, ...inputs.slice(5, 10), 0, 0, 0, ...inputs.slice(10, 15), 0, 0, 0]);
    data.dispose();
  });

  test('adds nothing to rows of whole words', async () => {
    const data = await residentData(await testDevice(), bytesOf(3, 8));
    const stored = new Uint8Array((await wordsOf(data)).buffer);
    expect([...stored]).toEqual([...data.dataset.inputs]);
    data.dispose();
  });

  test('keeps floats as their bits, and labels as words', async () => {
    const data = await residentData(await testDevice(), floatsOf(4, 3));
    expect(data.storage).toBe('floats');
    expect(new Float32Array((await wordsOf(data)).buffer)).toEqual(data.dataset.inputs);
    expect([...(await data.labels.readUint32())]).toEqual([0, 1, 2, 3]);
    data.dispose();
  });

  test('holds a part of larger arrays as that part alone', async () => {
    const all = floatsOf(6, 3);
    const data = await residentData(await testDevice(), {
      ...all,
      size: 4,
      inputs: all.inputs.subarray(3, 15),
      labels: all.labels?.subarray(1, 5) as Uint32Array,
    });
    expect(new Float32Array((await wordsOf(data)).buffer)).toEqual(all.inputs.slice(3, 15));
    expect([...(await data.labels.readUint32())]).toEqual([1, 2, 3, 4]);
    data.dispose();
  });

  test('is split into shards of whole rows where one binding is too small', async () => {
    const device = await testDevice();
    const extents = async (dataset: Dataset, bytes: number): Promise<number[][]> => {
      const data = await withBindingsOf(device, bytes, () => residentData(device, dataset));
      const result = data.inputs.map(({ first, count, tensor }) => [first, count, ...tensor.shape]);
      data.dispose();
      return result;
    };
    // A row of 13 bytes takes 16, one of 5 floats 20; a buffer is a multiple of 16 bytes long.
    expect(await extents(bytesOf(23, 13), 96)).toEqual([
      [0, 6, 6, 4],
      [6, 6, 6, 4],
      [12, 6, 6, 4],
      [18, 5, 5, 4],
    ]);
    expect(await extents(floatsOf(9, 5), 96)).toEqual([
      [0, 4, 4, 5],
      [4, 4, 4, 5],
      [8, 1, 1, 5],
    ]);
    expect(await extents(floatsOf(9, 5), 100)).toEqual([
      [0, 4, 4, 5],
      [4, 4, 4, 5],
      [8, 1, 1, 5],
    ]);
  });

  test('is refused where not even one row fits a binding, and leaves nothing behind', async () => {
    const device = await testDevice();
    const before = device.memory.bytes;
    await expect(withBindingsOf(device, 32, () => residentData(device, floatsOf(3, 20)))).rejects.toMatchObject({
      code: 'limit-exceeded',
      message:
        'floats/inputs [1, 20] needs 80 bytes, but this adapter binds at most 32.\nTo mend: make it smaller, split it, or use a GPU with a larger maxStorageBufferBindingSize.',
    });
    expect(device.memory.bytes).toBe(before);
  });

  test('frees all it made when it is disposed of', async () => {
    const device = await testDevice();
    const before = { ...device.memory };
    const data = await withBindingsOf(device, 96, () => residentData(device, bytesOf(23, 13)));
    expect(device.memory.buffers - before.buffers).toBe(5);
    expect(device.memory.bytes - before.bytes).toBe(96 * 3 + 80 + 96);
    data.dispose();
    expect(device.memory).toMatchObject({ bytes: before.bytes, buffers: before.buffers });
  });

  test('is uploaded again when the device was lost', async () => {
    const device = await openDevice();
    const dataset = bytesOf(9, 5);
    const data = await residentData(device, dataset);
    const replaced = new Promise<void>((resolve) => device.onReplaced(resolve));
    device.simulateLoss();
    await replaced;
    expect(await gather(device, data, 4, { seed: 3 })).toEqual(expectedBatch(dataset, shuffled(dataset, 3, 0, 0, 4)));
    device.destroy();
  });
});

describe('a gathered batch', () => {
  const sets: Record<string, Dataset> = {
    'one byte': bytesOf(5, 1),
    'bytes that fill no word': bytesOf(23, 13),
    'bytes of whole words': bytesOf(23, 12, { divisor: 127 }),
    floats: floatsOf(23, 5),
    'rows that several invocations share': bytesOf(11, 4 * 28 + 3),
    'wide rows of floats': floatsOf(11, 57),
  };
  test.each(Object.entries(sets))('holds the examples that the CPU twin `permute` names: %s', async (_name, dataset) => {
    const device = await testDevice();
    const data = await residentData(device, dataset);
    for (const [seed, epoch, cursor] of [
      [0, 0, 0],
      [7, 3, 2],
      [0xffffffff, 1, dataset.size - 4],
    ] as const) {
      const got = await gather(device, data, 4, { seed, epoch, cursor });
      expect(got).toEqual(expectedBatch(dataset, shuffled(dataset, seed, epoch, cursor, 4)));
    }
    data.dispose();
  });

  test('leads through every example once an epoch', async () => {
    const device = await testDevice();
    const data = await residentData(device, floatsOf(23, 2));
    const seen: number[] = [];
    for (let cursor = 0; cursor < 23; cursor += 5) {
      const rows = Math.min(5, 23 - cursor);
      seen.push(...(await gather(device, data, 5, { seed: 4, epoch: 2, cursor, rows })).answer.slice(0, rows));
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, i) => i));
    data.dispose();
  });

  test('shuffles only the examples that are trained on, not those held out', async () => {
    const device = await testDevice();
    const dataset = floatsOf(23, 2);
    const data = await residentData(device, dataset);
    const { answer } = await gather(device, data, 17, { seed: 4, examples: 17 });
    expect(answer).toEqual(Array.from({ length: 17 }, (_, position) => permute(position, 17, 4, 0)));
    data.dispose();
  });

  test('takes the order of the data where nothing is shuffled, from any example on', async () => {
    const device = await testDevice();
    const dataset = bytesOf(23, 13);
    const data = await residentData(device, dataset);
    expect(await gather(device, data, 3, { cursor: 4 }, { shuffle: false, first: 15 })).toEqual(expectedBatch(dataset, [19, 20, 21]));
    data.dispose();
  });

  test.each(Object.entries(sets))('is zero in the rows that a partial batch leaves over: %s', async (_name, dataset) => {
    const device = await testDevice();
    const data = await residentData(device, dataset);
    const width = dataset.inputs.length / dataset.size;
    const cursor = dataset.size - 2;
    const { x, answer } = await gather(device, data, 5, { seed: 7, cursor, rows: 2 });
    const expected = expectedBatch(dataset, shuffled(dataset, 7, 0, cursor, 2));
    expect(x).toEqual([...expected.x, ...new Array<number>(3 * width).fill(0)]);
    expect(answer.slice(0, 2)).toEqual(expected.answer);
    data.dispose();
  });

  test.each([
    ['bytes', bytesOf(23, 13), 4],
    ['floats', floatsOf(23, 5), 6],
  ] as const)('is the same from several shards of %s as from one, partial batches too', async (_name, dataset, shards) => {
    const device = await testDevice();
    const whole = await residentData(device, dataset);
    const split = await withBindingsOf(device, 96, () => residentData(device, dataset));
    expect([whole.inputs.length, split.inputs.length]).toEqual([1, shards]);
    for (const [batch, state] of [
      [23, { seed: 1 }],
      [8, { seed: 5, epoch: 9, cursor: 11 }],
      [8, { seed: 5, cursor: 18, rows: 5 }],
      [1, { seed: 2, cursor: 22 }],
    ] as const) {
      expect(await gather(device, split, batch, state)).toEqual(await gather(device, whole, batch, state));
    }
    whole.dispose();
    split.dispose();
  });

  test('brings the targets of a regression along, from several shards of their own', async () => {
    const device = await testDevice();
    const targets = Float32Array.from({ length: 46 }, (_, i) => Math.cos(i));
    const { labels: _none, ...floats } = floatsOf(23, 5);
    const dataset: Dataset = { ...floats, targets, targetShape: [2] };
    const data = await withBindingsOf(device, 48, () => residentData(device, dataset));
    expect([data.inputs.length, data.targets.length]).toEqual([12, 4]);
    const rows = 6;
    const { x, answer } = await gather(device, data, 8, { seed: 3, cursor: 17, rows }, { answerWidth: 2 });
    const examples = shuffled(dataset, 3, 0, 17, rows);
    expect(x).toEqual([...expectedBatch(dataset, examples).x, ...new Array<number>(10).fill(0)]);
    expect(answer).toEqual([...examples.flatMap((example) => [...targets.subarray(2 * example, 2 * example + 2)]), 0, 0, 0, 0]);
    data.dispose();
  });
});

describe('the fingerprint of a data set', () => {
  test('is pinned: snapshots hold it', () => {
    const dataset: Dataset = { name: 'any', size: 1, inputShape: [6], inputs: new TextEncoder().encode('foobar') };
    expect(dataHash(dataset)).toBe('1-bf9cf968'); // FNV-1a's own test vector
  });

  test('does not depend on the name or on where in memory the data lies', () => {
    const dataset = floatsOf(4, 3);
    const moved = new Float32Array(14);
    moved.set(dataset.inputs, 2);
    expect(dataHash({ ...dataset, name: 'other', inputs: moved.subarray(2) })).toBe(dataHash(dataset));
  });

  test('is another when one input, one label or one target is', () => {
    const dataset: Dataset = { ...floatsOf(4, 3), targets: new Float32Array(4), targetShape: [1] };
    const changed = (key: 'inputs' | 'labels' | 'targets'): string => {
      const values = (dataset[key] as Float32Array).slice();
      values[1] = 9;
      return dataHash({ ...dataset, [key]: values });
    };
    expect(new Set([dataHash(dataset), changed('inputs'), changed('labels'), changed('targets')]).size).toBe(4);
  });
});
