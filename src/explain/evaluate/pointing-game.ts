import type { Attribution } from '../attribution.ts';
import { type EvidenceMask, masksFor } from './evidence.ts';
import { type Maps, readMaps, scoreEach } from './maps.ts';

/**
 * Pointing game: whether a map's largest value lies where the evidence is known to be. Where several elements are the largest, the share of
 * them that lies there, so that a map that says nothing scores exactly chance.
 *
 * **Shapes** values [rows, ...], mask [...] or [rows, ...] → one number an example, 0 to 1. **Cost** none on the GPU.
 * **Higher is better**; chance is the mask's share of the input. **Does not show** anything about the rest of the map.
 * **Source** Zhang, Bargal, Lin, Brandt, Shen, Sclaroff 2018, "Top-down neural attention by excitation backprop"; planted evidence: Adebayo et al. 2020.
 *
 * @throws VitrineError `shape-mismatch`, `invalid-option`
 */
export const pointingGame = async (attribution: Attribution, mask: EvidenceMask): Promise<Float64Array> =>
  pointingGameOf(await readMaps(attribution), mask);

export function pointingGameOf(maps: Maps, mask: EvidenceMask): Float64Array {
  const maskOf = masksFor('pointingGame', maps, mask);
  return scoreEach(maps, (map, example) => {
    const inside = maskOf(example);
    const largest = map.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let [hits, peaks] = [0, 0];
    map.forEach((value, i) => {
      if (value !== largest) return;
      peaks += 1;
      hits += inside[i] as number;
    });
    return hits / peaks;
  });
}
