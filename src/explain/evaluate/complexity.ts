import type { Attribution } from '../attribution.ts';
import { type Maps, readMaps, scoreEach } from './maps.ts';

/**
 * Complexity: the entropy of a map's shares, −Σ q ln q, q = |φ| / Σ|φ|, in nats.
 *
 * **Shapes** values [rows, ...] → one number an example: 0 where one element alone counts, ln d where all count the same.
 * **Cost** none on the GPU. **Lower is simpler**, which is easier to read and no sign of truth. A map of zeros says the same of every element: ln d.
 * **Source** Bhatt, Weller, Moura 2020, "Evaluating and aggregating feature-based model explanations", definition 4.
 */
export const complexity = async (attribution: Attribution): Promise<Float64Array> => complexityOf(await readMaps(attribution));

export const complexityOf = (maps: Maps): Float64Array =>
  scoreEach(maps, (map) => {
    let total = 0;
    for (const value of map) total += Math.abs(value);
    if (total === 0) return Math.log(map.length);
    let entropy = 0;
    for (const value of map) {
      const share = Math.abs(value) / total;
      if (share > 0) entropy -= share * Math.log(share);
    }
    return entropy;
  });
