/**
 * Draws tensors as pictures: one painter a device serves every view of the page. Views that are due share one submit a frame, their settings one
 * buffer, and the ends of their scales another, which is read in one piece: 8 bytes a view.
 */

import type { Device, Tensor } from '../../engine/index.ts';
import source from '../../shaders/view-tensor.wgsl?raw';
import { extent, type Picture } from './arrange.ts';

export interface PaintedMap {
  readonly tensor: Tensor;
  readonly picture: Picture;
  /** Diverging about 0; magnitudes from 0 up otherwise. */
  readonly signed: boolean;
  /** The scale ends where it does now, instead of at the widest of the run. */
  readonly perFrame: boolean;
  /** Where the scale ends, where another picture shares it. */
  readonly limit?: number | undefined;
  /** RGBA bytes of the colours, from the lowest value to the highest. */
  readonly colors: Uint8Array;
}

/** Where a scale ends: now, and at its widest in the run. */
export interface Ends {
  readonly now: number;
  readonly ofRun: number;
}

export interface PainterView {
  readonly canvas: HTMLCanvasElement;
  /** What to draw; undefined while there is nothing. */
  map(): PaintedMap | undefined;
  /** Tells the training step of what is being drawn. */
  painted(step: number | undefined): void;
  /** Tells where the scale ended, some time after a drawing. */
  ended(ends: Ends): void;
}

const SLOT = 256;
const SLOTS = 96;
/** A canvas has at most so many pixels a side; a larger picture is drawn with cells left out. */
const MOST_PIXELS = 2048;
/** How often the ends of the scales are read while pictures keep changing. */
const READ_MILLISECONDS = 1000;

type DeviceBuffer = ReturnType<Device['createBuffer']>;

interface Entry {
  readonly view: PainterView;
  readonly slot: number;
  context: GPUCanvasContext | undefined;
  due: boolean;
  visible: boolean;
  tensor: Tensor | undefined;
  gpuBuffer: GPUBuffer | undefined;
  colors: Uint8Array | undefined;
  written: string;
  measure: GPUBindGroup | undefined;
  picture: GPUBindGroup | undefined;
  /** Drawn since the ends were read. */
  unread: boolean;
}

const painters = new WeakMap<Device, MapPainter>();

/** The painter of a device. */
export function painterOf(device: Device): MapPainter {
  let painter = painters.get(device);
  if (!painter) {
    painter = new MapPainter(device);
    painters.set(device, painter);
  }
  return painter;
}

export class MapPainter {
  /** Told when the GPU is done with a drawing. */
  onPainted: (() => void) | undefined;
  /** Drawings made so far. */
  drawings = 0;
  readonly #device: Device;
  readonly #views: DeviceBuffer;
  readonly #ends: DeviceBuffer;
  readonly #tables = new Map<Uint8Array, DeviceBuffer>();
  readonly #entries = new Map<PainterView, Entry>();
  readonly #free: number[] = Array.from({ length: SLOTS }, (_, i) => SLOTS - 1 - i);
  #made: Promise<void> | undefined;
  #measure: GPUComputePipeline | undefined;
  #picture: GPURenderPipeline | undefined;
  /** Of the device that the pipelines are of. */
  #generation = 0;
  #frame = 0;
  #readAt = 0;
  #reading = false;
  #readTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(device: Device) {
    this.#device = device;
    const own = { recoverable: true, owner: 'ui' } as const;
    this.#views = device.createBuffer('maps: views', SLOT * SLOTS, { ...own, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    this.#ends = device.createBuffer('maps: ends of scales', SLOT * SLOTS, own);
    device.register(this);
  }

  /** Makes the pipelines; again after the device was replaced. */
  rebuild(): Promise<void> {
    this.#made = this.#make();
    return this.#made;
  }

  async #make(): Promise<void> {
    const { gpu } = this.#device;
    const format = navigator.gpu.getPreferredCanvasFormat();
    const module = gpu.createShaderModule({ label: 'view-tensor', code: source });
    const [measure, picture] = await Promise.all([
      gpu.createComputePipelineAsync({ label: 'view-tensor.measure', layout: 'auto', compute: { module, entryPoint: 'measure' } }),
      gpu.createRenderPipelineAsync({
        label: 'view-tensor.picture',
        layout: 'auto',
        vertex: { module, entryPoint: 'cover' },
        fragment: { module, entryPoint: 'picture', targets: [{ format }] },
      }),
    ]);
    if (gpu !== this.#device.gpu) return;
    this.#device.count('ui', 'createComputePipeline');
    this.#measure = measure;
    this.#picture = picture;
    this.#generation = this.#device.generation;
    for (const [table, buffer] of this.#tables) this.#device.writeBuffer('ui', buffer, 0, table);
    for (const entry of this.#entries.values()) {
      entry.context?.configure({ device: gpu, format, alphaMode: 'premultiplied' });
      entry.written = '';
      entry.tensor = undefined;
      entry.due = true;
    }
    this.#schedule();
  }

  /** Takes a view in. Off screen it draws nothing. */
  add(view: PainterView): void {
    const slot = this.#free.pop();
    if (slot === undefined) return;
    this.#entries.set(view, {
      view,
      slot,
      context: undefined,
      due: true,
      visible: false,
      tensor: undefined,
      gpuBuffer: undefined,
      colors: undefined,
      written: '',
      measure: undefined,
      picture: undefined,
      unread: false,
    });
    this.forget(view);
    if (this.#alive) this.#made ??= this.#make();
  }

  remove(view: PainterView): void {
    const entry = this.#entries.get(view);
    if (!entry) return;
    entry.context?.unconfigure();
    this.#entries.delete(view);
    this.#free.push(entry.slot);
  }

  show(view: PainterView, visible: boolean): void {
    const entry = this.#entries.get(view);
    if (!entry) return;
    entry.visible = visible;
    if (visible && entry.due) this.#schedule();
  }

  /** Asks for a drawing at the next frame in which the view is on screen. */
  request(view: PainterView): void {
    const entry = this.#entries.get(view);
    if (!entry) return;
    entry.due = true;
    if (entry.visible) this.#schedule();
  }

  /** Forgets the widest scale of a view: another series of pictures begins. */
  forget(view: PainterView): void {
    const entry = this.#entries.get(view);
    if (entry && this.#alive) this.#device.writeBuffer('ui', this.#ends, SLOT * entry.slot, new Float32Array(2));
  }

  /** False once the device is gone for good: there is nothing to draw with. */
  get #alive(): boolean {
    try {
      return this.#device.gpu !== undefined;
    } catch {
      return false;
    }
  }

  #schedule(): void {
    // Asked for anew each time: a frame that never came, as in a tab that was hidden, must not hold back the next.
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #table(colors: Uint8Array): DeviceBuffer {
    let buffer = this.#tables.get(colors);
    if (!buffer) {
      buffer = this.#device.createBuffer('maps: colours', colors.length, { recoverable: true, owner: 'ui' });
      this.#device.writeBuffer('ui', buffer, 0, colors);
      this.#tables.set(colors, buffer);
    }
    return buffer;
  }

  #paint(): void {
    if (!this.#alive) return;
    const { gpu } = this.#device;
    const [measure, picture] = [this.#measure, this.#picture];
    // Pipelines of a device that was replaced are no good; those of the new one are on their way.
    if (!measure || !picture || this.#generation !== this.#device.generation) return;
    const drawn: { readonly entry: Entry; readonly texture: GPUTextureView }[] = [];
    for (const entry of this.#entries.values()) {
      if (!entry.due || !entry.visible) continue;
      const map = entry.view.map();
      if (!map || !this.#bind(entry, map, measure, picture)) continue;
      const texture = entry.context?.getCurrentTexture().createView();
      if (texture) drawn.push({ entry, texture });
      entry.due = false;
      // Submitted in this very turn, so it shows the results of the steps submitted so far and no others.
      entry.view.painted(map.tensor.step);
    }
    if (drawn.length === 0) return;
    this.#device.submit('ui', 'maps', (encoder) => {
      const reduce = encoder.beginComputePass({ label: 'maps: measure' });
      reduce.setPipeline(measure);
      for (const { entry } of drawn) {
        reduce.setBindGroup(0, entry.measure as GPUBindGroup);
        reduce.dispatchWorkgroups(1);
      }
      reduce.end();
      this.#device.count('ui', 'dispatch', drawn.length);
      for (const { entry, texture } of drawn) {
        const pass = encoder.beginRenderPass({
          label: 'maps: picture',
          colorAttachments: [{ view: texture, loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] }],
        });
        pass.setPipeline(picture);
        pass.setBindGroup(0, entry.picture as GPUBindGroup);
        pass.draw(3);
        pass.end();
        entry.unread = true;
      }
    });
    this.drawings += 1;
    gpu.queue.onSubmittedWorkDone().then(
      () => this.onPainted?.(),
      () => undefined,
    );
    this.#readSoon();
  }

  /** Makes a view's bind groups where what it shows has changed. */
  #bind(entry: Entry, map: PaintedMap, measure: GPUComputePipeline, picture: GPURenderPipeline): boolean {
    const device = this.#device;
    const { canvas } = entry.view;
    const whole = extent(map.picture);
    const [width, height] = [Math.min(MOST_PIXELS, whole.width), Math.min(MOST_PIXELS, whole.height)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    if (!entry.context) {
      entry.context = canvas.getContext('webgpu') ?? undefined;
      entry.context?.configure({ device: device.gpu, format: navigator.gpu.getPreferredCanvasFormat(), alphaMode: 'premultiplied' });
    }
    let gpuBuffer: GPUBuffer;
    try {
      gpuBuffer = map.tensor.buffer;
    } catch {
      // It was disposed of; what replaces it will be asked for.
      return false;
    }
    this.#write(entry, map, whole.width / width, whole.height / height);
    if (entry.tensor === map.tensor && entry.gpuBuffer === gpuBuffer && entry.colors === map.colors) return true;
    const values = {
      buffer: gpuBuffer,
      offset: map.tensor.byteOffset,
      size: Math.min(Math.ceil(map.tensor.bytes / 16) * 16, map.tensor.storage.size - map.tensor.byteOffset),
    };
    const slot = { offset: SLOT * entry.slot };
    const view = { buffer: this.#views.gpu, ...slot, size: 64 };
    const ends = { buffer: this.#ends.gpu, ...slot, size: 8 };
    const group = (
      pipeline: GPUComputePipeline | GPURenderPipeline,
      resources: Readonly<Record<number, GPUBindingResource>>,
    ): GPUBindGroup =>
      device.gpu.createBindGroup({
        label: pipeline.label,
        layout: pipeline.getBindGroupLayout(0),
        entries: Object.entries(resources).map(([binding, resource]) => ({ binding: Number(binding), resource })),
      });
    device.count('ui', 'createBindGroup', 2);
    entry.measure = group(measure, { 0: values, 1: ends, 2: view });
    entry.picture = group(picture, { 0: values, 2: view, 3: ends, 4: { buffer: this.#table(map.colors).gpu } });
    entry.tensor = map.tensor;
    entry.gpuBuffer = gpuBuffer;
    entry.colors = map.colors;
    return true;
  }

  #write(entry: Entry, { picture, signed, perFrame, limit = 0, colors }: PaintedMap, skipX: number, skipY: number): void {
    const words = [
      picture.width,
      picture.height,
      picture.tiles,
      picture.columns,
      picture.gap,
      picture.offset,
      picture.tileStride,
      picture.rowStride,
      picture.columnStride,
      picture.cells,
      signed ? 1 : 0,
      perFrame ? 1 : 0,
      colors.length / 4 - 1,
    ];
    const written = [...words, skipX, skipY, limit].join();
    if (entry.written === written) return;
    entry.written = written;
    const data = new DataView(new ArrayBuffer(64));
    for (const [i, word] of words.entries()) data.setUint32(4 * i, word, true);
    data.setFloat32(52, skipX, true);
    data.setFloat32(56, skipY, true);
    data.setFloat32(60, limit, true);
    this.#device.writeBuffer('ui', this.#views, SLOT * entry.slot, new Uint8Array(data.buffer));
  }

  #readSoon(): void {
    if (this.#readTimer !== undefined) return;
    const wait = Math.max(0, READ_MILLISECONDS - (performance.now() - this.#readAt));
    this.#readTimer = setTimeout(() => {
      this.#readTimer = undefined;
      void this.#readEnds();
    }, wait);
  }

  async #readEnds(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const entries = [...this.#entries.values()].filter(({ unread }) => unread);
    for (const entry of entries) entry.unread = false;
    try {
      const ranges = entries.map(({ slot }) => ({ buffer: this.#ends, byteOffset: SLOT * slot, bytes: 8 }));
      const read = ranges.length > 0 ? await this.#device.readRanges('ends of scales', ranges, 'ui') : [];
      entries.forEach(({ view }, i) => {
        const [now = 0, ofRun = 0] = new Float32Array(read[i] as ArrayBuffer);
        if (this.#entries.has(view)) view.ended({ now, ofRun });
      });
    } catch {
      // The GPU went away; the next drawing asks again.
    } finally {
      this.#reading = false;
      this.#readAt = performance.now();
      if ([...this.#entries.values()].some(({ unread }) => unread)) this.#readSoon();
    }
  }
}
