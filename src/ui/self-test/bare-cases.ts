/** Kernels that are no operations: those that the benchmark times, and those that draw and describe tensors in the studio. */

import type { Device } from '../../engine/index.ts';
import { normal } from '../../engine/random.ts';
import type { Finding } from '../../engine/reference/check-operation.ts';
import { histogramReference, weightSumsReference } from '../../explain/reference/weights.ts';
import copySource from '../../shaders/copy.wgsl?raw';
import peakSource from '../../shaders/multiply-add-peak.wgsl?raw';
import viewSource from '../../shaders/view-tensor.wgsl?raw';
import { statisticsOf } from '../maps/statistics.ts';
import { readColumn } from '../point/column.ts';
import { type Compared, findingsFrom, type SelfTestCase } from './cases.ts';

const bare = (
  operation: string,
  name: string,
  kernels: readonly string[],
  compare: (device: Device) => Promise<readonly Compared[]>,
): SelfTestCase => ({
  operation,
  name,
  examine: (device): AsyncGenerator<Finding> => findingsFrom(kernels, () => compare(device)),
});

type Words = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

interface Binding {
  readonly binding: number;
  readonly values: Words;
  readonly uniform?: true;
}

/** A buffer with values in it for as long as `work` takes; WebGPU's own errors are thrown. */
async function withBuffers<Result>(
  device: Device,
  given: readonly Binding[],
  work: (buffers: readonly GPUBuffer[]) => Promise<Result>,
): Promise<Result> {
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const { gpu } = device;
  gpu.pushErrorScope('validation');
  const buffers = given.map(({ values, uniform }) => {
    const buffer = gpu.createBuffer({ size: values.byteLength, usage: (uniform ? UNIFORM : STORAGE) | COPY_SRC | COPY_DST });
    gpu.queue.writeBuffer(buffer, 0, values);
    return buffer;
  });
  try {
    return await work(buffers);
  } finally {
    for (const buffer of buffers) buffer.destroy();
    const fault = await gpu.popErrorScope();
    // biome-ignore lint/correctness/noUnsafeFinally: what WebGPU says is why the work went wrong
    if (fault) throw new Error(fault.message);
  }
}

async function read(device: Device, buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const { gpu } = device;
  const staging = gpu.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = staging.getMappedRange().slice(0);
  staging.destroy();
  return values;
}

const groupOf = (device: Device, layout: GPUBindGroupLayout, given: readonly Binding[], buffers: readonly GPUBuffer[]): GPUBindGroup =>
  device.gpu.createBindGroup({
    layout,
    entries: given.map(({ binding }, i) => ({ binding, resource: { buffer: buffers[i] as GPUBuffer } })),
  });

/** Runs an entry point on buffers that hold `given`, and reads the one at binding `output`. */
async function runBare(
  device: Device,
  code: string,
  entryPoint: string,
  given: readonly Binding[],
  output: number,
  workgroups: number,
): Promise<ArrayBuffer> {
  const { gpu } = device;
  return withBuffers(device, given, async (buffers) => {
    const pipeline = await gpu.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: gpu.createShaderModule({ code }), entryPoint },
    });
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, groupOf(device, pipeline.getBindGroupLayout(0), given, buffers));
    pass.dispatchWorkgroups(workgroups);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    const at = given.findIndex(({ binding }) => binding === output);
    return read(device, buffers[at] as GPUBuffer, (given[at] as Binding).values.byteLength);
  });
}

const someValues = (length: number, stream: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => normal(4, stream, 0, i));

/** A workgroup of `copy` copies this many vectors; the second has only a few. */
const COPIED = 4 * (64 * 8 + 3);

const benchmark = (): SelfTestCase[] => [
  bare('copy', `${COPIED} numbers`, ['copy.copy'], async (device) => {
    const given = someValues(COPIED, 1);
    const bindings = [
      { binding: 0, values: given },
      { binding: 1, values: new Float32Array(COPIED) },
    ];
    const copied = new Float32Array(await runBare(device, copySource, 'copy', bindings, 1, 2));
    return [{ what: 'copy', actual: copied, expected: Array.from(given), tolerance: 0 }];
  }),
  bare('copy', 'touch', ['copy.touch'], async (device) => {
    const values = someValues(8, 2);
    const touched = new Float32Array(await runBare(device, copySource, 'touch', [{ binding: 1, values }], 1, 1));
    const expected = Array.from(values, (value, i) => value + (i < 4 ? 1 : 0));
    return [{ what: 'touched', actual: touched, expected, tolerance: 1e-6 }];
  }),
  bare('multiplyAddPeak', '3 rounds of 64 invocations', ['multiply-add-peak.multiply_add'], async (device) => {
    const [rounds, a, b] = [3, 0.5, 0.25];
    const parameters = new Uint32Array(4);
    parameters[0] = rounds;
    new Float32Array(parameters.buffer).set([a, b], 1);
    const bindings = [
      { binding: 0, values: new Float32Array(65) },
      { binding: 1, values: parameters, uniform: true },
    ] as const;
    const out = new Float32Array(await runBare(device, peakSource, 'multiply_add', bindings, 0, 2));
    const expected = Array.from({ length: 65 }, (_, i) => {
      let total = 0;
      for (let chain = 0; chain < 8; chain++) {
        let x = i + chain;
        for (let step = 0; step < 4 * rounds; step++) x = x * a + b;
        total += 4 * x;
      }
      return total;
    });
    return [{ what: 'sum of the chains', actual: out, expected, tolerance: 1e-6 }];
  }),
];

const described = (): SelfTestCase[] => [
  bare('statistics', '[67, 9], with a dead unit and numbers that are none', ['view-statistics.summarise'], async (device) => {
    const [rows, columns, bins] = [67, 9, 64];
    // In the middle of 64 bins from 2 to 6, but for the ends themselves: no rounding decides.
    const values = Float32Array.from({ length: rows * columns }, (_, i) => {
      if (i % columns === 4) return 0;
      if (i === 100) return Number.NaN;
      if (i === 101) return Number.POSITIVE_INFINITY;
      return i === 0 ? -2 : i === 1 ? 2 : -2 + (((i * 13) % bins) + 0.5) / 16;
    });
    const tensor = device.tensor(values, [rows, columns], 'self-test');
    try {
      const found = await statisticsOf(device, tensor);
      const wanted = weightSumsReference(values);
      return [
        {
          what: 'counts',
          actual: [found.notFinite, found.zeros, found.dead, found.columns],
          expected: [wanted.broken, wanted.zeros, 1, columns],
          tolerance: 0,
        },
        { what: 'extremes', actual: [found.least, found.greatest], expected: [wanted.least, wanted.greatest], tolerance: 0 },
        {
          what: 'mean and deviation',
          actual: [found.mean, found.deviation],
          expected: [wanted.mean, Math.sqrt(wanted.deviations / wanted.number)],
          tolerance: 1e-6,
        },
        { what: 'histogram', actual: found.histogram, expected: histogramReference(values, -2, 2, bins), tolerance: 0 },
      ];
    } finally {
      tensor.dispose();
    }
  }),
  bare('column', '7 of [131, 12]', ['view-column.take'], async (device) => {
    const values = someValues(131 * 12, 3);
    const tensor = device.tensor(values, [131, 12], 'self-test');
    try {
      const actual = await readColumn(device, tensor, 7);
      return [{ what: 'column', actual, expected: Array.from({ length: 131 }, (_, row) => values[12 * row + 7] as number), tolerance: 0 }];
    } finally {
      tensor.dispose();
    }
  }),
];

/** Two tiles of 5 × 3 cells side by side, one cell apart: the columns of a matrix [15, 2]. */
const VIEW = { width: 5, height: 3, tiles: 2, columns: 2, gap: 1, offset: 0, tileStride: 1, rowStride: 10, columnStride: 2, cells: 15 };
const CANVAS = [11, 3] as const;
const COLORS = 255;

/** `struct View`. */
function viewWords(signed: boolean, limit: number): Uint32Array<ArrayBuffer> {
  const { width, height, tiles, columns, gap, offset, tileStride, rowStride, columnStride, cells } = VIEW;
  const words = Uint32Array.of(
    width,
    height,
    tiles,
    columns,
    gap,
    offset,
    tileStride,
    rowStride,
    columnStride,
    cells,
    signed ? 1 : 0,
    1,
    COLORS,
    0,
    0,
    0,
  );
  new Float32Array(words.buffer).set([1, 1, limit], 13);
  return words;
}

/** Entry k of the table is told from its neighbours by red, and by the rest from what is no colour of it. */
const colorTable = (): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: COLORS + 1 }, (_, k) => (0xff_40_80_00 | k) >>> 0);

/** Values that fall in the middle of their colour, one of them no number. */
const pictured = (signed: boolean): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: 30 }, (_, i) => {
    if (i === 8) return Number.NaN;
    const color = (i * 37) % (COLORS + 1);
    return signed ? (2 * color) / COLORS - 1 : color / COLORS;
  });

async function drawn(device: Device, signed: boolean): Promise<Uint8Array> {
  const { gpu } = device;
  const size = [...CANVAS];
  const given: Binding[] = [
    { binding: 0, values: pictured(signed) },
    { binding: 2, values: viewWords(signed, 1), uniform: true },
    { binding: 3, values: new Float32Array(2) },
    { binding: 4, values: colorTable() },
  ];
  return withBuffers(device, given, async (buffers) => {
    const module = gpu.createShaderModule({ code: viewSource });
    const format = 'rgba8unorm';
    const pipeline = await gpu.createRenderPipelineAsync({
      layout: 'auto',
      vertex: { module, entryPoint: 'cover' },
      fragment: { module, entryPoint: 'picture', targets: [{ format }] },
    });
    const texture = gpu.createTexture({ size, format, usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC });
    const bytesPerRow = 256;
    const pixels = gpu.createBuffer({ size: bytesPerRow * CANVAS[1], usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
    try {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginRenderPass({
        colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store', clearValue: [1, 1, 1, 1] }],
      });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, groupOf(device, pipeline.getBindGroupLayout(0), given, buffers));
      pass.draw(3);
      pass.end();
      encoder.copyTextureToBuffer({ texture }, { buffer: pixels, bytesPerRow }, size);
      gpu.queue.submit([encoder.finish()]);
      const bytes = new Uint8Array(await read(device, pixels, bytesPerRow * CANVAS[1]));
      const own = (row: number): Uint8Array => bytes.subarray(row * bytesPerRow, row * bytesPerRow + 4 * CANVAS[0]);
      return Uint8Array.from(Array.from({ length: CANVAS[1] }, (_, row) => [...own(row)]).flat());
    } finally {
      texture.destroy();
      pixels.destroy();
    }
  });
}

function pictureReference(signed: boolean): number[] {
  const values = pictured(signed);
  return Array.from({ length: CANVAS[0] * CANVAS[1] }, (_, pixel) => {
    const [x, y] = [pixel % CANVAS[0], Math.floor(pixel / CANVAS[0])];
    const tile = Math.floor(x / (VIEW.width + VIEW.gap));
    const column = x % (VIEW.width + VIEW.gap);
    if (column >= VIEW.width) return [0, 0, 0, 0];
    const value = values[tile + y * VIEW.rowStride + column * VIEW.columnStride] as number;
    if (!Number.isFinite(value)) return [255, 0, Math.round(0.565 * 255), 255];
    return [Math.round((signed ? 0.5 + 0.5 * value : value) * COLORS), 0x80, 0x40, 0xff];
  }).flat();
}

const pictures = (): SelfTestCase[] =>
  [true, false].flatMap((signed) => {
    const kind = signed ? 'signed' : 'magnitudes';
    return [
      bare('picture', `where the scale ends, ${kind}`, ['view-tensor.measure'], async (device) => {
        // Of 2002 values two may lie beyond a signed scale: those at 8; the next from above are three at 4.
        const values = Float32Array.from({ length: 2002 }, (_, i) => (i < 1997 ? (i % 2 === 0 ? 1 : -1) * (i / 2000) : i < 2000 ? -4 : 8));
        const view = viewWords(signed, 0);
        view.set([2002, 1, 1, 1, 0, 0, 0, 0, 1, 2002]);
        const bindings = [
          { binding: 0, values },
          { binding: 1, values: Float32Array.of(0, 9) },
          { binding: 2, values: view, uniform: true },
        ] as const;
        const [end, widest] = new Float32Array(await runBare(device, viewSource, 'measure', bindings, 1, 1));
        // Bins of 8 / 1024: the upper end of theirs.
        const expected = signed ? 4 + 8 / 1024 : 8;
        return [{ what: 'ends, now and of the run', actual: [end as number, widest as number], expected: [expected, 9], tolerance: 1e-6 }];
      }),
      bare('picture', `two tiles, ${kind}`, ['view-tensor.cover', 'view-tensor.picture'], async (device) => [
        // A byte may be rounded either way.
        { what: 'bytes', actual: await drawn(device, signed), expected: pictureReference(signed), tolerance: 1 / 255 },
      ]),
    ];
  });

export const bareCases = (): SelfTestCase[] => [...benchmark(), ...described(), ...pictures()];
