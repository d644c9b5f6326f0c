/** What the adapter itself can do, measured with kernels that do one thing each: the roof that every other figure stands under. */

import { openDevice } from '../engine/index.ts';
import copySource from '../shaders/copy.wgsl?raw';
import peakSource from '../shaders/multiply-add-peak.wgsl?raw';

export interface AdapterFigures {
  /** `google swiftshader`: what the browser tells. */
  readonly name: string;
  readonly isFallback: boolean;
  readonly features: readonly string[];
  /** float32 multiply-adds in registers, two operations each. */
  readonly multiplyAddGflops: number;
  /** Read and written, by a kernel of vec4. */
  readonly copyGigabytesPerSecond: number;
  /** Read and written, by copyBufferToBuffer. */
  readonly transferGigabytesPerSecond: number;
  /** Of one small dispatch among many in a pass, each waiting for the one before. */
  readonly dispatchMicroseconds: number;
  /** Of a submit with one such dispatch, beyond the dispatch. */
  readonly submitMicroseconds: number;
}

const COPIED_BYTES = 32 * 2 ** 20;
/** A measurement lasts about so long, several times over; the best counts, for it is a roof. */
const TARGET_MILLISECONDS = 80;
const TRIES = 5;

export async function measureAdapter(): Promise<AdapterFigures> {
  const device = await openDevice();
  const { gpu } = device;
  const pipeline = (code: string, entryPoint: string): Promise<GPUComputePipeline> => {
    const module = gpu.createShaderModule({ code });
    return gpu.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } });
  };
  const buffer = (size: number, usage: number): GPUBuffer => gpu.createBuffer({ size, usage });
  const [peak, copy, touch] = await Promise.all([
    pipeline(peakSource, 'multiply_add'),
    pipeline(copySource, 'copy'),
    pipeline(copySource, 'touch'),
  ]);
  const bind = (of: GPUComputePipeline, buffers: readonly (readonly [binding: number, GPUBuffer])[]): GPUBindGroup =>
    gpu.createBindGroup({
      layout: of.getBindGroupLayout(0),
      entries: buffers.map(([binding, each]) => ({ binding, resource: { buffer: each } })),
    });
  const submit = (encode: (encoder: GPUCommandEncoder) => void): void => {
    const encoder = gpu.createCommandEncoder();
    encode(encoder);
    gpu.queue.submit([encoder.finish()]);
  };
  const dispatch = (of: GPUComputePipeline, group: GPUBindGroup, workgroups: number, times: number): void =>
    submit((encoder) => {
      const pass = encoder.beginComputePass();
      pass.setPipeline(of);
      pass.setBindGroup(0, group);
      for (let i = 0; i < times; i++) pass.dispatchWorkgroups(workgroups);
      pass.end();
    });
  const milliseconds = async (work: () => void): Promise<number> => {
    const begin = performance.now();
    work();
    await gpu.queue.onSubmittedWorkDone();
    return performance.now() - begin;
  };
  /** Milliseconds of one repetition: the best of several runs long enough for the clock. */
  const best = async (work: (times: number) => void): Promise<number> => {
    let times = 1;
    await milliseconds(() => work(1));
    let elapsed = await milliseconds(() => work(times));
    while (elapsed < TARGET_MILLISECONDS / 2 && times < 2 ** 20) {
      times = Math.ceil(Math.min(8, TARGET_MILLISECONDS / Math.max(elapsed, 0.01)) * times);
      elapsed = await milliseconds(() => work(times));
    }
    let least = elapsed / times;
    for (let i = 1; i < TRIES; i++) least = Math.min(least, (await milliseconds(() => work(times))) / times);
    return least;
  };

  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const workgroups = 256;
  const rounds = 256;
  const out = buffer(4 * 64 * workgroups, STORAGE);
  const parameters = buffer(16, UNIFORM | COPY_DST);
  const values = new DataView(new ArrayBuffer(16));
  values.setUint32(0, rounds, true);
  values.setFloat32(4, 0.5, true);
  values.setFloat32(8, 0.25, true);
  gpu.queue.writeBuffer(parameters, 0, values.buffer);
  const peakGroup = bind(peak, [
    [0, out],
    [1, parameters],
  ]);
  const multiplyAdds = 8 * 4 * 4 * rounds * 64 * workgroups;
  const peakMilliseconds = await best((times) => dispatch(peak, peakGroup, workgroups, times));

  const [from, to] = [buffer(COPIED_BYTES, STORAGE | COPY_SRC | COPY_DST), buffer(COPIED_BYTES, STORAGE | COPY_SRC | COPY_DST)];
  const copyGroup = bind(copy, [
    [0, from],
    [1, to],
  ]);
  const copyMilliseconds = await best((times) => dispatch(copy, copyGroup, COPIED_BYTES / 16 / 64 / 8, times));
  const transferMilliseconds = await best((times) =>
    submit((encoder) => {
      for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(i % 2 === 0 ? from : to, 0, i % 2 === 0 ? to : from, 0, COPIED_BYTES);
    }),
  );

  const touchGroup = bind(touch, [[1, to]]);
  const dispatchMilliseconds = await best((times) => dispatch(touch, touchGroup, 1, times));
  const submitMilliseconds = await best((times) => {
    for (let i = 0; i < times; i++) dispatch(touch, touchGroup, 1, 1);
  });

  const { vendor, architecture, description, isFallbackAdapter } = device.info;
  const figures = {
    name: [vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed',
    isFallback: isFallbackAdapter,
    features: [...device.features].sort(),
    multiplyAddGflops: (2 * multiplyAdds) / peakMilliseconds / 1e6,
    copyGigabytesPerSecond: (2 * COPIED_BYTES) / copyMilliseconds / 1e6,
    transferGigabytesPerSecond: (2 * COPIED_BYTES) / transferMilliseconds / 1e6,
    dispatchMicroseconds: 1000 * dispatchMilliseconds,
    submitMicroseconds: 1000 * Math.max(0, submitMilliseconds - dispatchMilliseconds),
  };
  device.destroy();
  return figures;
}
