import { describe, expect, test } from 'vitest';
import { type Calls, type Device, openDevice } from '../../src/engine/device.ts';
import type { VitrineError } from '../../src/engine/errors.ts';
import { kernel } from '../../src/engine/kernel.ts';
import { createTrainer } from '../../src/engine/trainer.ts';
import { clusters, smallModel } from './fixtures.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

const requestAdapter = async (): Promise<GPUAdapter> => {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('no adapter');
  return adapter;
};
const requestDevice = async (): Promise<GPUDevice> => (await requestAdapter()).requestDevice();

/** Loses the GPU and waits until everything that can be brought back is back. */
function lose(device: Device): Promise<void> {
  return new Promise((resolve) => {
    const off = device.onReplaced(() => {
      off();
      resolve();
    });
    device.simulateLoss();
  });
}

const failure = (call: () => unknown): Promise<VitrineError> =>
  Promise.resolve()
    .then(call)
    .then(
      () => {
        throw new Error('nothing was thrown');
      },
      (error) => error,
    );

describe('openDevice', () => {
  test("asks for the adapter's own limits, and for the features it has", async () => {
    const device = await openDevice();
    const adapter = await requestAdapter();
    for (const limit of [
      'maxBufferSize',
      'maxStorageBufferBindingSize',
      'maxComputeWorkgroupStorageSize',
      'maxComputeInvocationsPerWorkgroup',
      'maxComputeWorkgroupSizeX',
      'maxComputeWorkgroupSizeY',
      'maxComputeWorkgroupSizeZ',
    ] as const) {
      expect(device.limits[limit], limit).toBe(adapter.limits[limit]);
    }
    for (const feature of ['timestamp-query', 'subgroups', 'shader-f16'] as const)
      expect(device.features.has(feature), feature).toBe(adapter.features.has(feature));
    // Limits that no kernel needs more of stay at WebGPU's default, so that what works here works elsewhere.
    expect(device.limits.maxStorageBuffersPerShaderStage).toBe((await requestDevice()).limits.maxStorageBuffersPerShaderStage);
    device.destroy();
  });

  test('says why where no device can be had', async () => {
    const error = await failure(() => openDevice({ requestDevice: () => Promise.reject(new Error('the cable is out')) }));
    expect(error.code).toBe('no-adapter');
    expect(error.message).toBe(
      'No GPU device could be opened: the cable is out.\nTo mend: ask a new adapter for the device each time; an adapter gives one device only.',
    );
  });

  test('twice gives two devices that work side by side and know nothing of each other', async () => {
    const [one, other] = await Promise.all([openDevice(), openDevice()]);
    const [a, b] = [one.tensor([1, 2, 3]), other.tensor([4, 5])];
    expect(await Promise.all([a.read(), b.read()])).toEqual([new Float32Array([1, 2, 3]), new Float32Array([4, 5])]);
    expect([one.memory.buffers, other.memory.buffers]).toEqual([1, 1]);
    one.destroy();
    expect([...(await b.read())]).toEqual([4, 5]);
    expect(other.memory.buffers).toBe(1);
    other.destroy();
  });
});

describe('the counters', () => {
  test('tell calls apart by owner and by kind', async () => {
    const device = await openDevice();
    const spent = async (call: () => unknown): Promise<Record<string, Partial<Calls>>> => {
      const before = structuredClone(device.calls);
      await call();
      const owners = Object.entries(device.calls).map(([owner, calls]) => {
        const old = before[owner as keyof typeof before];
        const grown = Object.entries(calls).flatMap(([kind, count]) =>
          count === old[kind as keyof Calls] ? [] : [[kind, count - old[kind as keyof Calls]]],
        );
        return [owner, Object.fromEntries(grown)] as const;
      });
      return Object.fromEntries(owners.filter(([, grown]) => Object.keys(grown).length > 0));
    };
    const buffer = device.createBuffer('counted', 64);
    expect(await spent(() => device.createBuffer('another', 64, { owner: 'explain' }))).toEqual({ explain: { createBuffer: 1 } });
    expect(await spent(() => device.writeBuffer('ui', buffer, 0, new Uint32Array(4)))).toEqual({ ui: { writeBuffer: 1 } });
    expect(await spent(() => device.submit('train', 'empty', () => undefined))).toEqual({ train: { submit: 1 } });
    expect(await spent(() => device.readBuffer(buffer, 0, 16))).toEqual({
      reader: { createBuffer: 1, copyBuffer: 1, mapAsync: 1, submit: 1 },
    });
    expect(await spent(() => device.tensor([1, 2]))).toEqual({ engine: { createBuffer: 1, writeBuffer: 1 } });
    device.destroy();
  });

  test('tell the bytes and buffers held now, and the most that ever were', async () => {
    const device = await openDevice();
    expect(device.memory).toEqual({ bytes: 0, buffers: 0, peakBytes: 0 });
    const small = device.empty([4], 'float32', 'small');
    const large = device.empty([1000], 'uint32', 'large');
    // The smallest buffer takes 16 bytes.
    const least = device.empty([], 'float32', 'least');
    expect(device.memory).toEqual({ bytes: 16 + 4000 + 16, buffers: 3, peakBytes: 4032 });
    large.dispose();
    large.dispose();
    expect(device.memory).toEqual({ bytes: 32, buffers: 2, peakBytes: 4032 });
    small.dispose();
    least.dispose();
    device.empty([8], 'float32', 'later');
    expect(device.memory).toEqual({ bytes: 32, buffers: 1, peakBytes: 4032 });
    device.destroy();
    expect([device.memory.bytes, device.memory.buffers]).toEqual([0, 0]);
  });
});

describe('pipelines', () => {
  const source = `
    override factor = 2u;
    struct Params { count: u32, }
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @group(1) @binding(0) var<uniform> params: Params;
    @compute @workgroup_size(1) fn forward() { y[0] = factor * params.count; }
  `;

  test('are compiled once for a kernel and its constants', async () => {
    const device = await testDevice();
    const marked = `${source}// ${Math.random()}`;
    const made = (): number => device.calls.ui.createComputePipeline;
    const before = made();
    const one = await device.pipeline(kernel('double', marked, 'forward', ['y']), { factor: 2 }, 'ui');
    // Another descriptor of the same kernel, and two requests at once.
    const again = await Promise.all([1, 2].map(() => device.pipeline(kernel('double', marked, 'forward', ['y']), { factor: 2 }, 'ui')));
    expect(again.every(({ gpu }) => gpu === one.gpu)).toBe(true);
    expect(made() - before).toBe(1);
    expect((await device.pipeline(kernel('double', marked, 'forward', ['y']), { factor: 3 }, 'ui')).gpu).not.toBe(one.gpu);
    expect((await device.pipeline(kernel('double', `${marked} `, 'forward', ['y']), { factor: 2 }, 'ui')).gpu).not.toBe(one.gpu);
    expect(made() - before).toBe(3);
  });

  test('that do not compile say where, each time they are asked for', async () => {
    const device = await testDevice();
    const broken = kernel('broken', source.replace('factor *', 'factr *'), 'forward', ['y']);
    for (let i = 0; i < 2; i++) {
      const error = await failure(() => device.pipeline(broken));
      expect(error.code).toBe('shader-invalid');
      expect(error.message).toMatch(
        /^broken\.forward: the shader does not compile: 6:\d+ .*factr.*\nTo mend: correct the WGSL at the line and column given\.$/s,
      );
    }
  });
});

describe('faults', () => {
  test('a tensor beyond the limits is refused before the GPU is asked', async () => {
    const device = await testDevice();
    const most = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    const floats = most / 4 + 4;
    const { bytes, buffers } = device.memory;
    const error = await failure(() => device.empty([floats], 'float32', 'colossus'));
    expect(error.code).toBe('limit-exceeded');
    expect(error.message).toBe(
      `colossus [${floats}] needs ${4 * floats} bytes, but this adapter binds at most ${most}.\n` +
        'To mend: make it smaller, split it, or use a GPU with a larger maxStorageBufferBindingSize.',
    );
    expect([device.memory.bytes, device.memory.buffers]).toEqual([bytes, buffers]);
  });

  test('what WebGPU refuses inside guarded is a typed error, and what was made there is freed', async () => {
    const device = await testDevice();
    const { bytes, buffers } = device.memory;
    const error = await failure(() =>
      device.guarded('twin', () => {
        device.createBuffer('made before the fault', 1024);
        device.createBuffer('mapped storage', 64, { usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
      }),
    );
    expect(error.code).toBe('gpu-validation');
    expect(error.message).toMatch(/^twin: WebGPU refused a call: /);
    expect([device.memory.bytes, device.memory.buffers]).toEqual([bytes, buffers]);
  });

  test('what WebGPU refuses outside of guarded is kept in faults', async () => {
    const device = await openDevice();
    device.createBuffer('mapped storage', 64, { usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    await device.gpu.queue.onSubmittedWorkDone();
    expect(device.faults.map(({ code }) => code)).toEqual(['gpu-validation']);
    device.destroy();
  });
});

describe('a lost device', () => {
  test('takes the contents of ordinary tensors with it, which then say so', async () => {
    const device = await openDevice();
    const tensor = device.tensor([1, 2, 3], [3], 'measurements');
    await lose(device);
    const error = await failure(() => tensor.read());
    expect(error.code).toBe('device-lost');
    expect(error.message).toBe('measurements: its contents went with the lost GPU device.\nTo mend: make the tensor again from its data.');
    expect((await failure(() => tensor.buffer)).code).toBe('device-lost');
    expect((await failure(() => tensor.write(new Float32Array(3)))).code).toBe('device-lost');
    expect(device.memory).toMatchObject({ bytes: 0, buffers: 0 });
    // The device itself works on.
    expect(device.generation).toBe(1);
    expect([...(await device.tensor([4]).read())]).toEqual([4]);
    device.destroy();
  });

  test("keeps the identity of a trainer's tensors, on new buffers, and of a model's", async () => {
    const device = await openDevice();
    const model = await smallModel(device);
    const trainer = await createTrainer(model, { data: clusters(60, 8, 3), batchSize: 16 });
    const tensors = new Map([...trainer.tensors, ...model.parameters]);
    const buffers = new Map([...tensors].map(([name, { buffer }]) => [name, buffer]));
    const weight = await (model.parameters.get('dense_1/weight') as NonNullable<ReturnType<typeof model.parameters.get>>).read();
    const memory = { ...device.memory };
    await lose(device);
    for (const [name, tensor] of new Map([...trainer.tensors, ...model.parameters])) {
      expect(tensor, name).toBe(tensors.get(name));
      expect(tensor.buffer, name).not.toBe(buffers.get(name));
    }
    expect(await model.parameters.get('dense_1/weight')?.read()).toEqual(weight);
    expect(device.memory).toEqual(memory);
    expect(device.faults).toEqual([]);
    device.destroy();
  });

  test('is the end where it was given as a bare GPUDevice', async () => {
    const device = await openDevice({ gpu: await requestDevice() });
    const tensor = device.tensor([1, 2]);
    expect([...(await tensor.read())]).toEqual([1, 2]);
    device.simulateLoss();
    const end = (await device.lost) as VitrineError;
    expect(end.code).toBe('device-lost');
    expect(end.message).toMatch(/^The GPU device was lost.* and was given as a bare GPUDevice\.\nTo mend: open a device with openDevice/);
    for (const use of [() => device.gpu, () => device.tensor([1]), () => device.ready(), () => tensor.read()])
      expect((await failure(use)).code).toBe('device-lost');
  });

  test('is the end where no other can be opened', async () => {
    let asked = 0;
    const device = await openDevice({
      requestDevice: async () => {
        if (asked++ > 0) throw new Error('the GPU has left');
        return requestDevice();
      },
    });
    device.simulateLoss();
    expect(((await device.lost) as VitrineError).message).toMatch(/and no other could be opened \(the GPU has left\)\./);
    expect(asked).toBe(2);
  });

  test('it is not where its owner destroys it', async () => {
    let asked = 0;
    const device = await openDevice({
      requestDevice: () => {
        asked += 1;
        return requestDevice();
      },
    });
    let replaced = 0;
    device.onReplaced(() => {
      replaced += 1;
    });
    const tensor = device.tensor([1]);
    const { gpu } = device;
    device.destroy();
    device.destroy();
    expect(await device.lost).toBe('destroyed');
    await gpu.lost;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([asked, replaced]).toEqual([1, 0]);
    expect((await failure(() => device.gpu)).message).toMatch(/^The device was destroyed by its owner\./);
    expect((await failure(() => tensor.read())).code).toBe('tensor-disposed');
  });
});
