/**
 * Models and snapshots as files: the safetensors format, which other readers open too, with what only Vitrine needs (the architecture; the
 * step, the variants and the journal) as JSON under `vitrine` in its metadata.
 */

import { registerBuiltInLayers } from './built-in-layers.ts';
import type { Device } from './device.ts';
import { type ErrorParameters, show, VitrineError } from './errors.ts';
import type { Layer } from './layers.ts';
import { buildModel, type Model, type ModelLayout, type ModelSpec, modelLayout } from './model.ts';
import {
  badFile,
  decodeSafetensors,
  encodeSafetensors,
  isRecord,
  isShape,
  isWhole,
  type StoredTensor,
  type TensorToStore,
} from './safetensors.ts';
import type { Change, Snapshot } from './snapshot.ts';
import { STATE_WORDS } from './training-state.ts';

/** Grows when a file can no longer be read by what wrote files before. */
const FORMAT_VERSION = 1;

/** What the metadata says under `vitrine`. */
interface About {
  readonly version: number;
  readonly kind: 'model' | Snapshot['kind'];
  readonly [key: string]: unknown;
}

const contents: Readonly<Record<About['kind'], { readonly what: string; readonly load: string }>> = {
  model: { what: 'a model', load: 'loadModel()' },
  full: { what: 'a full snapshot of training', load: 'loadSnapshot()' },
  view: { what: 'a view snapshot of training', load: 'loadSnapshot()' },
};

const encode = (tensors: readonly TensorToStore[], about: About): Uint8Array<ArrayBuffer> =>
  encodeSafetensors(tensors, { vitrine: JSON.stringify(about) });

/** The tensors of a file of ours, and what its metadata says. @throws VitrineError `bad-file` */
function decode(
  bytes: ArrayBuffer | Uint8Array,
  wanted: readonly About['kind'][],
): { readonly tensors: Map<string, StoredTensor>; readonly about: About } {
  const { tensors, metadata } = decodeSafetensors(bytes);
  if (!Object.hasOwn(metadata, 'vitrine')) {
    const list = [...tensors].slice(0, 3).map(([name, { dtype, shape }]) => `${name} ${dtype} ${show(shape)}`);
    if (tensors.size > 3) list.push('…');
    throw badFile(
      'foreign',
      `The file holds ${tensors.size} tensors${tensors.size > 0 ? ` (${list.join(', ')})` : ''}, but no architecture of Vitrine's.`,
      "build the model with buildModel(), read the file with decodeSafetensors() and write() each tensor to its place in model.parameters; a weight of PyTorch's Linear is [outputs, inputs], so transpose it.",
      { tensors: [...tensors.keys()] },
    );
  }
  let about: unknown;
  try {
    about = JSON.parse(metadata.vitrine as string);
  } catch {
    about = undefined;
  }
  if (!isRecord(about) || !isWhole(about.version) || typeof about.kind !== 'string') {
    throw damaged('its metadata is not the JSON that saveModel() and saveSnapshot() write');
  }
  if (about.version > FORMAT_VERSION) {
    throw badFile(
      'newer',
      `The file was written in version ${about.version} of the format; this Vitrine reads up to ${FORMAT_VERSION}.`,
      'load it with a newer Vitrine.',
      {
        version: about.version,
        known: FORMAT_VERSION,
      },
    );
  }
  const kind = about.kind as About['kind'];
  if (!wanted.includes(kind)) {
    const { what, load } = Object.hasOwn(contents, kind) ? contents[kind] : { what: `'${kind}'`, load: 'a newer Vitrine' };
    throw badFile('other-kind', `The file holds ${what}, not ${contents[wanted[0] as About['kind']].what}.`, `load it with ${load}.`, {
      kind,
    });
  }
  return { tensors: new Map(tensors), about: about as About };
}

const damaged = (what: string, parameters: ErrorParameters = {}): VitrineError =>
  badFile('damaged', `The file is damaged: ${what}.`, 'load another copy of the file.', parameters);

/** Takes a tensor out of those of a file. @throws VitrineError `bad-file`, `shape-mismatch` */
function take(
  tensors: Map<string, StoredTensor>,
  name: string,
  dtype: 'F32',
  shape: readonly number[] | undefined,
): Float32Array<ArrayBuffer>;
function take(tensors: Map<string, StoredTensor>, name: string, dtype: 'U32', shape: readonly number[]): Uint32Array<ArrayBuffer>;
function take(
  tensors: Map<string, StoredTensor>,
  name: string,
  dtype: string,
  shape: readonly number[] | undefined,
): StoredTensor['values'] {
  const found = tensors.get(name);
  if (!found) {
    throw badFile(
      'missing-tensor',
      `${name}${shape ? ` ${show(shape)}` : ''} is not in the file.`,
      'save it again; a tensor was taken out of this file.',
      { name },
    );
  }
  if (found.dtype !== dtype) {
    throw badFile('dtype', `${name} is ${found.dtype} in the file; it must be ${dtype}.`, `convert it to ${dtype}.`, {
      name,
      dtype: found.dtype,
      expected: dtype,
    });
  }
  if (shape && (found.shape.length !== shape.length || found.shape.some((size, i) => size !== shape[i]))) {
    throw new VitrineError(
      'shape-mismatch',
      `${name} is ${show(found.shape)} in the file, but ${show(shape)} in its architecture.`,
      'save it again; the file does not fit together.',
      {
        name,
        actual: found.shape,
        expected: shape,
      },
    );
  }
  tensors.delete(name);
  return found.values;
}

function refuseMore(tensors: ReadonlyMap<string, StoredTensor>, owner: string): void {
  for (const [name, { shape }] of tensors) {
    throw badFile(
      'extra-tensor',
      `${name} ${show(shape)} is in the file, but has no place in ${owner}.`,
      'save it again; a tensor was added to this file.',
      { name },
    );
  }
}

// ---- models ------------------------------------------------------------------------------------------------------------------------

/**
 * A model as a safetensors file: every parameter by name, and the architecture in the metadata. The same model gives the same bytes.
 *
 * @throws VitrineError `non-finite-data` for a parameter that is NaN or infinite, `invalid-option` for a layer option that is no JSON,
 * `tensor-disposed`, `device-lost`
 */
export async function saveModel(model: Model): Promise<Uint8Array<ArrayBuffer>> {
  const { inputShape, layers, seed = 0, inputType = 'float32' } = model.spec;
  requireJson(layers, 'layers');
  const flat = await model.flatParameters.read();
  const tensors = [...model.extents()].map(([name, { offset, length, shape }]) => ({
    name,
    shape,
    values: flat.subarray(offset, offset + length),
  }));
  for (const { name, values } of tensors) requireFinite(name, values);
  return encode(tensors, { version: FORMAT_VERSION, kind: 'model', spec: { inputShape, layers, seed, inputType } });
}

/**
 * Builds the model that `saveModel` wrote. A file that it refuses leaves nothing on the device.
 *
 * @throws VitrineError `bad-file`, `unknown-layer`, `shape-mismatch`, `non-finite-data`; `limit-exceeded`, `out-of-memory`
 */
export async function loadModel(device: Device, bytes: ArrayBuffer | Uint8Array): Promise<Model> {
  const { tensors, about } = decode(bytes, ['model']);
  const spec = readSpec(about.spec);
  const { layout, floats } = layoutOf(spec);
  const flat = new Float32Array(floats);
  for (const [name, { shape, offset }] of layout) {
    const values = take(tensors, name, 'F32', shape);
    requireFinite(name, values);
    flat.set(values, offset);
  }
  refuseMore(tensors, 'its architecture');
  const model = await buildModel(device, spec);
  model.flatParameters.write(flat);
  model.keepSafe(flat);
  return model;
}

function requireFinite(name: string, values: Float32Array): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  throw new VitrineError(
    'non-finite-data',
    `${name}: value ${index} is ${values[index]}.`,
    'save the model as it was before its training went wrong.',
    { name, index },
  );
}

/** Refuses what JSON would drop or change without a word. */
function requireJson(value: unknown, path: string): void {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return;
  const plain = Array.isArray(value) || (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype);
  if (!plain) {
    const what = typeof value === 'number' ? value : `a ${typeof value === 'object' ? value.constructor?.name : typeof value}`;
    throw new VitrineError(
      'invalid-option',
      `${path} is ${what}, which a file cannot hold.`,
      'use numbers, texts, lists and plain objects as options of layers.',
      {
        path,
      },
    );
  }
  for (const [key, item] of Object.entries(value as object)) requireJson(item, `${path}${Array.isArray(value) ? `[${key}]` : `.${key}`}`);
}

function readSpec(value: unknown): ModelSpec {
  const spec = isRecord(value) ? value : {};
  const { inputShape, layers, seed, inputType } = spec as Record<string, unknown>;
  if (!isShape(inputShape)) throw damaged('its inputShape is not a list of whole numbers');
  if (!isWhole(seed) || seed > 0xffffffff) throw damaged('its seed is not a whole number below 2³²');
  if (inputType !== 'float32' && inputType !== 'uint32') throw damaged("its inputType is neither 'float32' nor 'uint32'");
  if (!Array.isArray(layers)) throw damaged('it has no list of layers');
  return { inputShape, layers: layers.map(readLayer), seed, inputType };
}

function readLayer(value: unknown, index: number): Layer {
  const { kind, name, options } = isRecord(value) ? value : ({} as Record<string, unknown>);
  if (typeof kind !== 'string' || !isRecord(options) || (name !== undefined && typeof name !== 'string')) {
    throw damaged(`layer ${index + 1} is not { kind, name?, options }`, { layer: index + 1 });
  }
  return frozen({ kind, ...(name === undefined ? {} : { name }), options });
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** The parameters that an architecture from a file has. */
function layoutOf(spec: ModelSpec): ModelLayout {
  registerBuiltInLayers();
  try {
    return modelLayout(spec);
  } catch (error) {
    const { code, parameters } = error instanceof VitrineError ? error : { code: undefined, parameters: {} as ErrorParameters };
    if (code === 'unknown-layer') {
      const known = (parameters.known as readonly string[]).join(', ');
      throw new VitrineError(
        'unknown-layer',
        `The file has a layer of the kind '${parameters.kind}', which this Vitrine does not know.`,
        `load it with the Vitrine that saved it, or defineLayer() the kind first; known are ${known}.`,
        parameters,
      );
    }
    const [why] = (error as Error).message.split('\n');
    throw badFile(
      'architecture',
      `The file's architecture cannot be built: ${why}`,
      'load another copy of the file, or mend the architecture in its metadata.',
      { ...parameters, code },
    );
  }
}

// ---- snapshots ---------------------------------------------------------------------------------------------------------------------

/**
 * A snapshot as a safetensors file: `parameters`, `moments/0`, …, and `state`, flat, as they lie in memory. It holds them as they are, NaN
 * included: a run that went wrong can be kept to be looked at.
 */
export function saveSnapshot(snapshot: Snapshot): Uint8Array<ArrayBuffer> {
  const { kind, step, parameters } = snapshot;
  const flat = (name: string, values: Float32Array | Uint32Array): TensorToStore => ({ name, shape: [values.length], values });
  if (snapshot.kind === 'view') return encode([flat('parameters', parameters)], { version: FORMAT_VERSION, kind, step });
  const { moments, state, variants, journal, data } = snapshot;
  const tensors = [flat('parameters', parameters), ...moments.map((moment, i) => flat(`moments/${i}`, moment)), flat('state', state)];
  return encode(tensors, { version: FORMAT_VERSION, kind, step, variants, journal, data });
}

/** The snapshot that `saveSnapshot` wrote, bit for bit. @throws VitrineError `bad-file`, `shape-mismatch` */
export function loadSnapshot(bytes: ArrayBuffer | Uint8Array): Snapshot {
  const { tensors, about } = decode(bytes, ['full', 'view']);
  const { step, variants, journal, data } = about;
  if (!isWhole(step)) throw damaged('its step is not a whole number');
  const parameters = take(tensors, 'parameters', 'F32', undefined);
  if (about.kind === 'view') {
    refuseMore(tensors, 'a view snapshot');
    return { kind: 'view', step, parameters };
  }
  if (!isRecord(variants) || !Object.values(variants).every((name) => typeof name === 'string'))
    throw damaged('its variants are not a table of names');
  if (!Array.isArray(journal) || !journal.every(isChange)) throw damaged('its journal is not a list of changes');
  if (data !== undefined && typeof data !== 'string') throw damaged('its fingerprint of the data is not a text');
  const moments: Float32Array<ArrayBuffer>[] = [];
  while (tensors.has(`moments/${moments.length}`)) moments.push(take(tensors, `moments/${moments.length}`, 'F32', [parameters.length]));
  const state = take(tensors, 'state', 'U32', [STATE_WORDS]);
  refuseMore(tensors, 'a full snapshot');
  return {
    kind: 'full',
    step,
    parameters,
    moments,
    state,
    variants: variants as Record<string, string>,
    journal,
    ...(data === undefined ? {} : { data }),
  };
}

function isChange(value: unknown): value is Change {
  if (!isRecord(value) || !isWhole(value.step)) return false;
  if (value.key === 'learningRate') return Number.isFinite(value.value);
  return (
    (value.key === 'freeze' || value.key === 'thaw') && Array.isArray(value.value) && value.value.every((name) => typeof name === 'string')
  );
}
