import { hcl, type RGBColor, rgb } from 'd3-color';
import { interpolateCividis, interpolateGreys, interpolateViridis } from 'd3-scale-chromatic';

/** Colours for numbers. A sequential map tells how much, a diverging one also the sign; never one map for both. */
export interface ColorMap {
  readonly name: string;
  readonly kind: 'sequential' | 'diverging';
  /** RGBA bytes, evenly spaced from the low limit to the high one. A diverging map has an odd number: its middle one is 0. */
  readonly table: Uint8Array<ArrayBuffer>;
}

/** The values that get the first and the last colour of a map. */
export type Limits = readonly [low: number, high: number];

export type Color = readonly [red: number, green: number, blue: number];

const SEQUENTIAL_COLORS = 256;
const DIVERGING_COLORS = 511;

/** What is not a number, or infinite: a colour of none of the maps. */
export const NOT_FINITE_COLOR: Color = [255, 0, 144];

/** viridis: activations. Dark violet is low, yellow high; lightness rises evenly. **Source** Smith, van der Walt 2015. */
export const viridis: ColorMap = sequential('viridis', interpolateViridis);

/** cividis: as viridis, and the same to people with a colour-vision deficiency. **Source** Nuñez, Anderton, Renslow 2018. */
export const cividis: ColorMap = sequential('cividis', interpolateCividis);

/** greys: ink on paper. White is low, black high. */
export const greys: ColorMap = sequential('greys', interpolateGreys);

/**
 * blueOrange: signed values. Near-white is 0, blue below it, orange above it; at the same distance from 0 both have the same
 * lightness and the same chroma (CIE LCh), so neither sign looks stronger.
 *
 * **Source** Moreland 2009, "Diverging Color Maps for Scientific Visualization".
 */
export const blueOrange: ColorMap = {
  name: 'blue–orange',
  kind: 'diverging',
  table: tabulate(DIVERGING_COLORS, (t) => {
    const signed = 2 * t - 1;
    const strength = Math.abs(signed);
    // The chroma stays within what sRGB has at both hues.
    return hcl(signed < 0 ? 272 : 62, 60 * strength ** 0.9, 97 - 44 * strength).rgb();
  }),
};

/** Every colour map, by no order of merit: three for magnitudes, blueOrange for signed values. */
export const colorMaps: readonly ColorMap[] = [viridis, cividis, blueOrange, greys];

/**
 * limitsOf: the limits that show all of `values`. Always finite, never equal, and 0 lies in them.
 *
 * Sequential: [min(0, least), max(0, greatest)]. Diverging: ± the 99.9th percentile of |value|, so φ and −φ have the same limits
 * and one outlier does not wash out the rest. Values that are all 0 get a width of 1.
 *
 * @param share of the values of a diverging map that lie within the limits, in [0, 1]; 0.999 by default
 */
export function limitsOf(values: ArrayLike<number>, map: ColorMap, share: number = 0.999): Limits {
  let [low, high] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (map.kind === 'sequential') return low === high ? [0, 1] : [low, high];
  const limit = percentileOfMagnitude(values, share) || Math.max(-low, high) || 1;
  return [-limit, limit];
}

/**
 * colorOf: the colour of one value. Beyond the limits it is the colour of the nearer one; `NOT_FINITE_COLOR` for NaN and ±∞.
 */
export function colorOf(value: number, map: ColorMap, [low, high]: Limits): Color {
  if (!Number.isFinite(value)) return NOT_FINITE_COLOR;
  const last = map.table.length / 4 - 1;
  const entry = 4 * Math.round(last * Math.min(1, Math.max(0, (value - low) / (high - low))));
  return [map.table[entry]!, map.table[entry + 1]!, map.table[entry + 2]!];
}

function percentileOfMagnitude(values: ArrayLike<number>, share: number): number {
  const magnitudes = Float64Array.from(values, Math.abs)
    .filter((value) => Number.isFinite(value))
    .sort();
  return magnitudes[Math.ceil(share * magnitudes.length) - 1] ?? 0;
}

function sequential(name: string, interpolate: (t: number) => string): ColorMap {
  return { name, kind: 'sequential', table: tabulate(SEQUENTIAL_COLORS, (t) => rgb(interpolate(t))) };
}

function tabulate(count: number, at: (t: number) => RGBColor): Uint8Array<ArrayBuffer> {
  const table = new Uint8Array(4 * count);
  for (let i = 0; i < count; i++) {
    const { r, g, b } = at(i / (count - 1)).clamp();
    table.set([Math.round(r), Math.round(g), Math.round(b), 255], 4 * i);
  }
  return table;
}
