/** What a tensor comes to in a few numbers, reduced on the GPU; 284 bytes are read. */

import type { Device, Tensor } from '../../engine/index.ts';
import source from '../../shaders/view-statistics.wgsl?raw';

export interface Statistics {
  readonly length: number;
  /** Values that are NaN or infinite. */
  readonly notFinite: number;
  readonly zeros: number;
  /** Columns of the last axis, such as units, in which every value is 0. */
  readonly dead: number;
  readonly columns: number;
  /** Of the finite values. */
  readonly least: number;
  readonly greatest: number;
  readonly mean: number;
  readonly deviation: number;
  /** Counts in 64 equal bins from the least to the greatest. */
  readonly histogram: Uint32Array;
}

const HEAD_WORDS = 7;
const BINS = 64;
const BYTES = 4 * (HEAD_WORDS + BINS);
const summarise: Parameters<Device['pipeline']>[0] = {
  name: 'view-statistics.summarise',
  source,
  entry: 'summarise',
  bindings: ['values', 'result'],
};

/** **Shapes** tensor of any shape, float32. @throws VitrineError `device-lost`, `tensor-disposed` */
export async function statisticsOf(device: Device, tensor: Tensor): Promise<Statistics> {
  const pipeline = await device.pipeline(summarise, {}, 'ui');
  const columns = tensor.shape.at(-1) ?? 1;
  const result = device.createBuffer('statistics', BYTES, { owner: 'ui' });
  const parameters = device.createBuffer('statistics: parameters', 16, {
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    owner: 'ui',
  });
  try {
    device.writeBuffer('ui', parameters, 0, Uint32Array.of(tensor.length, columns));
    const { gpu } = device;
    const size = Math.min(Math.ceil(tensor.bytes / 16) * 16, tensor.storage.size - tensor.byteOffset);
    device.count('ui', 'createBindGroup', 2);
    const buffers = gpu.createBindGroup({
      label: 'view-statistics',
      layout: pipeline.bufferLayout,
      entries: [
        { binding: 0, resource: { buffer: tensor.buffer, offset: tensor.byteOffset, size } },
        { binding: 1, resource: { buffer: result.gpu } },
      ],
    });
    const numbers = gpu.createBindGroup({
      label: 'view-statistics',
      layout: pipeline.parameterLayout,
      entries: [{ binding: 0, resource: { buffer: parameters.gpu, size: 16 } }],
    });
    device.submit('ui', 'statistics', (encoder) => {
      const pass = encoder.beginComputePass({ label: 'statistics' });
      pass.setPipeline(pipeline.gpu);
      pass.setBindGroup(0, buffers);
      pass.setBindGroup(1, numbers);
      pass.dispatchWorkgroups(1);
      pass.end();
      device.count('ui', 'dispatch');
    });
    const words = await device.readBuffer(result, 0, BYTES, 'ui');
    const [finite = 0, zeros = 0, dead = 0] = new Uint32Array(words, 0, 3);
    const [least = 0, greatest = 0, mean = 0, deviation = 0] = new Float32Array(words, 12, 4);
    return {
      length: tensor.length,
      notFinite: tensor.length - finite,
      zeros,
      dead,
      columns,
      least: finite > 0 ? least : Number.NaN,
      greatest: finite > 0 ? greatest : Number.NaN,
      mean,
      deviation,
      histogram: new Uint32Array(words.slice(4 * HEAD_WORDS)),
    };
  } finally {
    result.dispose();
    parameters.dispose();
  }
}
