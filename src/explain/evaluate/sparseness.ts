import type { Attribution } from '../attribution.ts';
import { type Maps, readMaps, scoreEach } from './maps.ts';
import { absolute } from './ranks.ts';

/**
 * Sparseness: the Gini index of a map, Σ_i (2i − d − 1) a_(i) / (d Σ a), a = |φ| in rising order, i from 1.
 *
 * **Shapes** values [rows, ...] → one number an example: 0 where all elements count the same, (d − 1)/d where one alone counts.
 * **Cost** none on the GPU. **Higher is sparser**, which is easier to read and no sign of truth. A map of zeros gives 0.
 * **Source** Chalasani, Chen, Chowdhury, Jha, Wu 2020, "Concise explanations of neural networks using adversarial training"; Hurley, Rickard 2009.
 * Quantus adds 1e-7 to every element.
 */
export const sparseness = async (attribution: Attribution): Promise<Float64Array> => sparsenessOf(await readMaps(attribution));

export const sparsenessOf = (maps: Maps): Float64Array =>
  scoreEach(maps, (map) => {
    const rising = absolute(map).sort();
    const count = rising.length;
    let [weighted, total] = [0, 0];
    rising.forEach((value, i) => {
      weighted += (2 * (i + 1) - count - 1) * value;
      total += value;
    });
    return total === 0 ? 0 : weighted / (count * total);
  });
