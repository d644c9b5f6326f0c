/** One column of a matrix, gathered on the GPU: of a layer's weights only those of the unit that is pointed at are read. */

import type { Device, Tensor } from '../../engine/index.ts';
import source from '../../shaders/view-column.wgsl?raw';

const take: Parameters<Device['pipeline']>[0] = { name: 'view-column.take', source, entry: 'take', bindings: ['values', 'result'] };
const LANES = 64;
const MOST_GROUPS = 65535;

/**
 * **Shapes** matrix [..., columns], float32 → [...] as one list, of column `column`.
 *
 * @throws VitrineError `device-lost`, `tensor-disposed`
 */
export async function readColumn(device: Device, matrix: Tensor, column: number): Promise<Float32Array> {
  const pipeline = await device.pipeline(take, {}, 'ui');
  const columns = matrix.shape.at(-1) ?? 1;
  const rows = matrix.length / columns;
  const result = device.createBuffer('column', 4 * rows, { owner: 'ui' });
  const parameters = device.createBuffer('column: parameters', 16, {
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    owner: 'ui',
  });
  try {
    device.writeBuffer('ui', parameters, 0, Uint32Array.of(rows, columns, column));
    const group = (layout: GPUBindGroupLayout, resources: readonly GPUBufferBinding[]): GPUBindGroup =>
      device.gpu.createBindGroup({
        label: 'view-column',
        layout,
        entries: resources.map((resource, binding) => ({ binding, resource })),
      });
    device.count('ui', 'createBindGroup', 2);
    const buffers = group(pipeline.bufferLayout, [
      { buffer: matrix.buffer, offset: matrix.byteOffset, size: matrix.bytes },
      { buffer: result.gpu },
    ]);
    const numbers = group(pipeline.parameterLayout, [{ buffer: parameters.gpu, size: 16 }]);
    const groups = Math.ceil(rows / LANES);
    const across = Math.min(groups, MOST_GROUPS);
    device.submit('ui', 'column', (encoder) => {
      const pass = encoder.beginComputePass({ label: 'column' });
      pass.setPipeline(pipeline.gpu);
      pass.setBindGroup(0, buffers);
      pass.setBindGroup(1, numbers);
      pass.dispatchWorkgroups(across, Math.ceil(groups / across));
      pass.end();
      device.count('ui', 'dispatch');
    });
    return new Float32Array(await device.readBuffer(result, 0, 4 * rows, 'ui'));
  } finally {
    result.dispose();
    parameters.dispose();
  }
}
