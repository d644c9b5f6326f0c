/** Draws a layer's weights as pictures: a render pipeline that binds the parameter's own buffer. Nothing is read back to draw. */

import type { Device, Tensor } from '../engine/index.ts';
import source from '../shaders/unit-pictures.wgsl?raw';

export interface PictureView {
  /** Size of one picture, in weights. */
  readonly height: number;
  readonly width: number;
  readonly units: number;
  /** Units in a row of the grid. */
  readonly columns: number;
  /** The scale fits the weights as they are now, instead of keeping the widest of the run. */
  readonly perFrame: boolean;
  /** Unit with a frame around it. */
  readonly marked: number | undefined;
  /** RGBA bytes of that frame. */
  readonly frame: Uint8Array;
}

/** Cells between two pictures. */
export const GAP = 2;
const VIEW_BYTES = 48;
const COLORS = 511;

type DeviceBuffer = ReturnType<Device['createBuffer']>;

export class UnitPictures {
  readonly #device: Device;
  readonly #canvas: HTMLCanvasElement;
  readonly #view: DeviceBuffer;
  readonly #limits: DeviceBuffer;
  readonly #colors: DeviceBuffer;
  #colorTable: Uint8Array = new Uint8Array(4 * COLORS);
  #weights: Tensor | undefined;
  #context: GPUCanvasContext | undefined;
  #measure: GPUComputePipeline | undefined;
  #picture: GPURenderPipeline | undefined;
  #groups: { readonly measure: GPUBindGroup; readonly picture: GPUBindGroup } | undefined;
  /** The view as it was written last: a frame that changes nothing writes nothing. */
  #written: Uint8Array | undefined;
  #disposed = false;

  constructor(device: Device, canvas: HTMLCanvasElement) {
    this.#device = device;
    this.#canvas = canvas;
    const own = { recoverable: true, owner: 'ui' } as const;
    this.#view = device.createBuffer('unit pictures: view', VIEW_BYTES, {
      ...own,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#limits = device.createBuffer('unit pictures: limits', 8, own);
    this.#colors = device.createBuffer('unit pictures: colours', 4 * COLORS, own);
    device.register(this);
  }

  /** Makes the pipelines; again after the device was replaced. */
  async rebuild(): Promise<void> {
    const { gpu } = this.#device;
    const format = navigator.gpu.getPreferredCanvasFormat();
    this.#context ??= this.#canvas.getContext('webgpu') ?? undefined;
    this.#context?.configure({ device: gpu, format, alphaMode: 'premultiplied' });
    const module = gpu.createShaderModule({ label: 'unit-pictures', code: source });
    const [measure, picture] = await Promise.all([
      gpu.createComputePipelineAsync({ label: 'unit-pictures.measure', layout: 'auto', compute: { module, entryPoint: 'measure' } }),
      gpu.createRenderPipelineAsync({
        label: 'unit-pictures.picture',
        layout: 'auto',
        vertex: { module, entryPoint: 'cover' },
        fragment: { module, entryPoint: 'picture', targets: [{ format }] },
      }),
    ]);
    if (this.#disposed || gpu !== this.#device.gpu) return;
    this.#device.count('ui', 'createComputePipeline');
    this.#measure = measure;
    this.#picture = picture;
    this.#written = undefined;
    this.setColors(this.#colorTable);
    this.#bind();
  }

  /** The colours from the most negative weight to the most positive: 511 RGBA bytes, the middle ones for 0. */
  setColors(table: Uint8Array): void {
    this.#colorTable = table;
    this.#device.writeBuffer('ui', this.#colors, 0, table);
  }

  /** **Shapes** weights [height × width, units]. */
  show(weights: Tensor): void {
    if (this.#weights === weights) return;
    this.#weights = weights;
    this.#bind();
  }

  #bind(): void {
    if (!this.#weights || !this.#measure || !this.#picture) return;
    const weights = { buffer: this.#weights.buffer, offset: this.#weights.byteOffset, size: this.#weights.bytes };
    const whole = (buffer: DeviceBuffer): GPUBindingResource => ({ buffer: buffer.gpu });
    const group = (
      pipeline: GPUComputePipeline | GPURenderPipeline,
      resources: Readonly<Record<number, GPUBindingResource>>,
    ): GPUBindGroup =>
      this.#device.gpu.createBindGroup({
        label: pipeline.label,
        layout: pipeline.getBindGroupLayout(0),
        entries: Object.entries(resources).map(([binding, resource]) => ({ binding: Number(binding), resource })),
      });
    this.#device.count('ui', 'createBindGroup', 2);
    this.#groups = {
      measure: group(this.#measure, { 0: weights, 1: whole(this.#limits), 2: whole(this.#view) }),
      picture: group(this.#picture, { 0: weights, 2: whole(this.#view), 3: whole(this.#limits), 4: whole(this.#colors) }),
    };
  }

  /** Forgets the scale of the run: a new run begins. */
  forget(): void {
    this.#device.writeBuffer('ui', this.#limits, 0, new Float32Array(2));
  }

  /** Draws one frame: one submit, and nothing else while the view stays the same. Returns whether there was something to draw. */
  draw(view: PictureView): boolean {
    const { width, height } = this.#canvas;
    if (!this.#groups || !this.#measure || !this.#picture || !this.#context || width === 0 || height === 0) return false;
    this.#writeView(view, width, height);
    const { measure, picture } = this.#groups;
    const [computePipeline, renderPipeline, context] = [this.#measure, this.#picture, this.#context];
    this.#device.submit('ui', 'unit pictures', (encoder) => {
      const reduce = encoder.beginComputePass({ label: 'unit pictures' });
      reduce.setPipeline(computePipeline);
      reduce.setBindGroup(0, measure);
      reduce.dispatchWorkgroups(1);
      reduce.end();
      this.#device.count('ui', 'dispatch');
      const pass = encoder.beginRenderPass({
        label: 'unit pictures',
        colorAttachments: [{ view: context.getCurrentTexture().createView(), loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] }],
      });
      pass.setPipeline(renderPipeline);
      pass.setBindGroup(0, picture);
      pass.draw(3);
      pass.end();
    });
    return true;
  }

  #writeView(view: PictureView, width: number, height: number): void {
    const bytes = new Uint8Array(VIEW_BYTES);
    const data = new DataView(bytes.buffer);
    data.setUint32(0, view.width, true);
    data.setUint32(4, view.height, true);
    data.setUint32(8, view.units, true);
    data.setUint32(12, view.columns, true);
    data.setFloat32(16, width, true);
    data.setFloat32(20, height, true);
    data.setFloat32(24, GAP, true);
    data.setUint32(28, view.perFrame ? 1 : 0, true);
    data.setInt32(32, view.marked ?? -1, true);
    bytes.set(view.frame, 36);
    if (this.#written?.every((byte, i) => byte === bytes[i])) return;
    this.#written = bytes;
    this.#device.writeBuffer('ui', this.#view, 0, bytes);
  }

  /** Where the scale ends, in the last frame and over the run: the 99.9th percentile of |weight|, up to a thousandth. 8 bytes are read. */
  async readLimits(): Promise<{ readonly now: number; readonly ofRun: number }> {
    const [now = 0, ofRun = 0] = new Float32Array(await this.#device.readBuffer(this.#limits, 0, 8, 'ui'));
    return { now, ofRun };
  }

  dispose(): void {
    this.#disposed = true;
    this.#device.unregister(this);
    for (const buffer of [this.#view, this.#limits, this.#colors]) buffer.dispose();
    this.#context?.unconfigure();
  }
}
