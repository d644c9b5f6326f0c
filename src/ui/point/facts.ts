/** What a card says of a cell: read from the GPU in one piece, and no more than is shown. */

import type { Device, Tensor } from '../../engine/index.ts';
import type { Values } from '../maps/tensor-view.ts';
import type { MethodName } from '../session/methods.ts';
import type { MapCard, Snapshot } from '../session/session.ts';
import { readColumn } from './column.ts';

export interface PixelFacts {
  readonly kind: 'pixel';
  readonly index: number;
  readonly example: string;
  readonly value: number;
  /** The value of each card's map here, and the step that the map is of. */
  readonly maps: readonly { readonly method: MethodName; readonly value: number; readonly step: number }[];
  /** Absent where the first layer with weights does not meet the input value by value. */
  readonly strongest?: StrongestUnit;
}

export interface StrongestUnit {
  readonly layer: string;
  readonly unit: number;
  readonly weight: number;
  /** What the pixel brings to the unit, w · x; 0 for a pixel that is 0, of which the largest weight is taken. */
  readonly product: number;
  readonly step: number;
}

export interface UnitFacts {
  readonly kind: 'unit';
  readonly layer: string;
  readonly unit: number;
  readonly example: string;
  /** What comes out of it for the chosen example: the largest over its places, where it has several. */
  readonly activation: number | undefined;
  readonly weights: Float32Array;
  readonly bias: number | undefined;
  readonly step: number;
}

/** The first layer with weights, where its weight is [inputs, units] over the input's values. */
export function firstWeights({ subject, example }: Snapshot): { readonly layer: string; readonly weight: Tensor | Values } | undefined {
  if (!subject || !example) return undefined;
  const first = [...subject.parameters].find(([, { shape }]) => shape.length > 1);
  if (!first) return undefined;
  const [name, weight] = first;
  const meets = name.endsWith('/weight') && weight.shape.length === 2 && weight.shape[0] === example.values.length;
  return meets ? { layer: name.slice(0, -'/weight'.length), weight } : undefined;
}

/** Where part of a tensor lies; its values themselves, where they are on the CPU. */
const part = (tensor: Tensor | Values, first: number, count: number): Float32Array | Part =>
  'values' in tensor
    ? tensor.values.subarray(first, first + count)
    : { buffer: tensor.storage, byteOffset: tensor.byteOffset + 4 * first, bytes: 4 * count };

type Part = Parameters<Device['readRanges']>[1][number];

/** Reads what is not on the CPU, in one piece, so that it is of one moment. */
async function readParts(device: Device | undefined, parts: readonly (Float32Array | Part)[]): Promise<Float32Array[]> {
  const far = parts.filter((each): each is Part => !(each instanceof Float32Array));
  const read = device && far.length > 0 ? await device.readRanges('cell card', far, 'ui') : [];
  let next = 0;
  return parts.map((each) => (each instanceof Float32Array ? each : new Float32Array(read[next++] ?? new ArrayBuffer(each.bytes))));
}

/** Maps up to this many values are read whole, so that the next move of the pointer is answered at once. */
const MOST_MAP = 4096;
const readMaps = new WeakMap<object, Float32Array>();

/** A map as it was read with its look, or by an earlier move. */
export const valuesOnCpu = ({ values, attribution }: NonNullable<MapCard['map']>): Float32Array | undefined =>
  values ?? readMaps.get(attribution);

const wholeOr = (values: Tensor | Values, index: number): Float32Array | Part => {
  const count = values.shape.reduce((product, length) => product * length, 1);
  return count <= MOST_MAP ? part(values, 0, count) : part(values, index, 1);
};

/** A row of the first weights and a value of each map; some kilobytes for the first move after a look, some hundred bytes after. @throws VitrineError `device-lost`, `tensor-disposed` */
export async function pixelFacts(device: Device | undefined, snapshot: Snapshot, index: number): Promise<PixelFacts | undefined> {
  const { example } = snapshot;
  const value = example?.values[index];
  if (!example || value === undefined) return undefined;
  const maps = snapshot.cards.flatMap(({ method, map }) => (map && map.example === example.key ? [{ method, map }] : []));
  const first = firstWeights(snapshot);
  const units = first?.weight.shape[1] ?? 0;
  const step = stepOf(first?.weight) ?? snapshot.step;
  const [row, ...values] = await readParts(device, [
    first ? part(first.weight, units * index, units) : new Float32Array(),
    ...maps.map(({ map }) => valuesOnCpu(map) ?? wholeOr(map.attribution.values, index)),
  ]);
  for (const [i, { map }] of maps.entries()) if (values[i]!.length > 1) readMaps.set(map.attribution, values[i]!);
  return {
    kind: 'pixel',
    index,
    example: example.key,
    value,
    maps: maps.map(({ method, map }, i) => ({
      method,
      value: values[i]!.length > 1 ? values[i]![index]! : values[i]![0]!,
      step: map.step,
    })),
    ...(first && row ? { strongest: strongestOf(first.layer, row, value, step) } : {}),
  };
}

/** argmax over units of |w · x|; of |w| where x is 0. Ties to the lowest unit. */
export function strongestOf(layer: string, row: Float32Array, value: number, step: number): StrongestUnit {
  let unit = 0;
  // The factor |x| is the same for all units.
  for (let j = 1; j < row.length; j++) if (Math.abs(row[j]!) > Math.abs(row[unit]!)) unit = j;
  return { layer, unit, weight: row[unit]!, product: row[unit]! * value, step };
}

/** The weights that come into one unit, its bias and its activation. @throws VitrineError `device-lost`, `tensor-disposed` */
export async function unitFacts(
  device: Device | undefined,
  snapshot: Snapshot,
  layer: string,
  unit: number,
): Promise<UnitFacts | undefined> {
  const { subject, tensors, example } = snapshot;
  const weight: Tensor | Values | undefined = subject?.parameters.get(`${layer}/weight`);
  if (!weight || !example || unit >= (weight.shape.at(-1) ?? 0)) return undefined;
  const step = stepOf(weight) ?? snapshot.step;
  const bias: Tensor | Values | undefined = subject?.parameters.get(`${layer}/bias`);
  const activation: Tensor | Values | undefined = tensors.get(`activation/${layer}`);
  const [weights, places, [first]] = await Promise.all([
    columnOf(device, weight, unit),
    activation ? columnOf(device, activation, unit) : undefined,
    readParts(device, bias ? [part(bias, unit, 1)] : []),
  ]);
  return {
    kind: 'unit',
    layer,
    unit,
    example: example.key,
    bias: first?.[0],
    activation: places?.reduce((most, each) => Math.max(most, each), Number.NEGATIVE_INFINITY),
    weights: weights ?? new Float32Array(),
    step,
  };
}

async function columnOf(device: Device | undefined, matrix: Tensor | Values, column: number): Promise<Float32Array | undefined> {
  const columns = matrix.shape.at(-1) ?? 1;
  if ('values' in matrix) return matrix.values.filter((_value, i) => i % columns === column);
  return device && readColumn(device, matrix, column);
}

const stepOf = (tensor: Tensor | Values | undefined): number | undefined => (tensor && 'step' in tensor ? tensor.step : undefined);

export interface Histogram {
  readonly least: number;
  readonly greatest: number;
  readonly counts: readonly number[];
}

/** Counts in equal bins from the least to the greatest finite value. */
export function histogramOf(values: Float32Array, bins: number): Histogram {
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const greatest = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const counts = new Array<number>(bins).fill(0);
  for (const value of finite) counts[Math.min(bins - 1, Math.floor((bins * (value - least)) / Math.max(greatest - least, 1e-30)))]! += 1;
  return { least, greatest, counts };
}
