import type { Attribution } from '../attribution.ts';
import { type EvidenceMask, masksFor } from './evidence.ts';
import { type Maps, readMaps, scoreEach } from './maps.ts';

/**
 * Relevance mass: the share of a map that lies where the evidence is known to be, Σ_mask |φ| / Σ |φ|.
 *
 * **Shapes** values [rows, ...], mask [...] or [rows, ...] → one number an example, 0 to 1. **Cost** none on the GPU.
 * **Higher is better**; chance is the mask's share of the input, and what a map of zeros scores.
 * **Source** Arras, Osman, Samek 2022, "CLEVR-XAI: a benchmark dataset for the ground truth evaluation of neural network explanations".
 *
 * @throws VitrineError `shape-mismatch`, `invalid-option`
 */
export const relevanceMass = async (attribution: Attribution, mask: EvidenceMask): Promise<Float64Array> =>
  relevanceMassOf(await readMaps(attribution), mask);

export function relevanceMassOf(maps: Maps, mask: EvidenceMask): Float64Array {
  const maskOf = masksFor('relevanceMass', maps, mask);
  return scoreEach(maps, (map, example) => {
    const inside = maskOf(example);
    let [mass, total, share] = [0, 0, 0];
    map.forEach((value, i) => {
      mass += (inside[i] as number) * Math.abs(value);
      total += Math.abs(value);
      share += inside[i] as number;
    });
    return total === 0 ? share / map.length : mass / total;
  });
}
