/**
 * A recorded session: a run as it stood at a few of its steps, for a visitor whose browser has no WebGPU. One safetensors file, gzipped:
 * the tensors below, and in the metadata, under `recording`, everything that is not a tensor, as JSON.
 *
 * | tensor | shape | |
 * |---|---|---|
 * | `inputs` | [examples, ...input shape] | as the network gets them |
 * | `curve/loss`, `curve/accuracy` | [steps] | of every training step |
 * | `STEP/parameter/NAME` | as the parameter | |
 * | `STEP/example/NAME` | [examples, ...] | every activation, `logits` and `probabilities` |
 * | `STEP/map/METHOD` | [examples, ...input shape] | of the class that is predicted there |
 * | `STEP/output/METHOD`, `STEP/delta/METHOD` | [examples] | the explained logit and the completeness gap; NaN where a method promises none |
 *
 * Values are rounded to eleven significant bits (three digits), which halves the file; the file says so.
 */

import { type Optimizer, VitrineError } from '../../engine/index.ts';
import type { LayerSummary } from '../../engine/model.ts';
import { decodeSafetensors, encodeSafetensors, type TensorToStore } from '../../engine/safetensors.ts';
import type { EpochRow } from '../curve-history.ts';
import type { MethodName } from '../session/methods.ts';
import type { Settings } from '../settings.ts';

/** What is recorded beside tensors. */
export interface RecordingNotes {
  readonly version: 1;
  readonly settings: Settings;
  readonly inputShape: readonly number[];
  readonly classes: readonly string[];
  readonly labels: readonly number[];
  /** The name of the data set that the examples are of. */
  readonly dataset: string;
  readonly layers: readonly LayerSummary[];
  readonly optimizer: Optimizer;
  /** Steps at which the run was looked at, in order; the first is 0. */
  readonly steps: readonly number[];
  readonly stepsPerEpoch: number;
  readonly epochs: readonly EpochRow[];
  /** Of the methods that were asked, with what. */
  readonly methods: Readonly<Partial<Record<MethodName, Readonly<Record<string, unknown>>>>>;
  /** Significant bits of every value. */
  readonly bits: number;
  /** The adapter that computed it. */
  readonly adapter: string;
}

export interface Recording extends RecordingNotes {
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array<ArrayBuffer> }>;
}

export const RECORDED_BITS = 11;

/** Rounds to so many significant bits, ties to even. What is not finite stays. */
export function roundBits(values: Float32Array, bits: number): Float32Array<ArrayBuffer> {
  const rounded = Float32Array.from(values);
  const words = new Uint32Array(rounded.buffer);
  const dropped = 24 - bits;
  const mask = (1 << dropped) - 1;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    if (!Number.isFinite(rounded[i])) continue;
    const odd = (word >>> dropped) & 1;
    words[i] = (word + (mask >>> 1) + odd) & ~mask;
  }
  return rounded;
}

export async function writeRecording(notes: RecordingNotes, tensors: readonly TensorToStore[]): Promise<Uint8Array<ArrayBuffer>> {
  const rounded = tensors.map(({ name, shape, values }) => ({ name, shape, values: roundBits(values as Float32Array, notes.bits) }));
  return through(encodeSafetensors(rounded, { recording: JSON.stringify(notes) }), new CompressionStream('gzip'));
}

/** @throws VitrineError `bad-file` for a file that is no recording */
export async function readRecording(bytes: Uint8Array<ArrayBuffer>): Promise<Recording> {
  // A server may have unpacked it on the way.
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const { tensors, metadata } = decodeSafetensors(packed ? await through(bytes, new DecompressionStream('gzip')) : bytes);
  const notes = metadata.recording === undefined ? undefined : (JSON.parse(metadata.recording) as RecordingNotes);
  if (notes?.version !== 1) {
    throw new VitrineError('bad-file', 'The recorded session is of no version that this page can read.', 'load the page anew.', {
      reason: 'version',
    });
  }
  return { ...notes, tensors: tensors as Recording['tensors'] };
}

async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}
