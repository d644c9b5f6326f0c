/**
 * Counter-based random numbers: an integer hash of (seed, stream, step, index), so a number depends on what it is for and never on
 * when it was drawn. The GPU twin, bit for bit, is `shaders/random.wgsl`.
 *
 * **Source** pcg4d: Jarzynski and Olano 2020, "Hash Functions for GPU Rendering", JCGT 9(3).
 */

const multiply = Math.imul;

/** Four independent uint32 from four uint32. */
export function pcg4d(a: number, b: number, c: number, d: number): [number, number, number, number] {
  let x = (multiply(a, 1664525) + 1013904223) | 0;
  let y = (multiply(b, 1664525) + 1013904223) | 0;
  let z = (multiply(c, 1664525) + 1013904223) | 0;
  let w = (multiply(d, 1664525) + 1013904223) | 0;
  x = (x + multiply(y, w)) | 0;
  y = (y + multiply(z, x)) | 0;
  z = (z + multiply(x, y)) | 0;
  w = (w + multiply(y, z)) | 0;
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  w ^= w >>> 16;
  x = (x + multiply(y, w)) | 0;
  y = (y + multiply(z, x)) | 0;
  z = (z + multiply(x, y)) | 0;
  w = (w + multiply(y, z)) | 0;
  return [x >>> 0, y >>> 0, z >>> 0, w >>> 0];
}

/** A uint32 → a float in [0, 1) with 24 random bits, exact in float32. */
const unit = (bits: number): number => (bits >>> 8) / 16777216;

/** A number in [0, 1), a function of its four keys. */
export function uniform(seed: number, stream: number, step: number, index: number): number {
  return unit(pcg4d(seed, stream, step, index)[0]);
}

/** A normal number of mean 0 and deviation 1 (Box, Muller 1958), a function of its four keys. */
export function normal(seed: number, stream: number, step: number, index: number): number {
  const [a, b] = pcg4d(seed, stream, step, index);
  // 1 − u lies in (0, 1], so the logarithm is finite.
  return Math.sqrt(-2 * Math.log(1 - unit(a))) * Math.cos(2 * Math.PI * unit(b));
}

/** A stream number from a name, so that `dense_1/weight` draws the same values whatever else the model holds (FNV-1a). */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = multiply(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Streams that the engine itself draws from. */
export const SHUFFLE_STREAM = 1;

const FEISTEL_ROUNDS = 6;

/**
 * Where position `position` of epoch `epoch` looks in a set of `count` examples: a keyed bijection of [0, count), so an epoch visits
 * every example once with no table to keep. A Feistel network over the next even power of two, walked until it lands inside.
 *
 * **Source** Luby, Rackoff 1988 (Feistel networks); Black, Rogaway 2002 (cycle walking).
 */
export function permute(position: number, count: number, seed: number, epoch: number): number {
  let halfBits = 1;
  while (2 ** (2 * halfBits) < count) halfBits++;
  const mask = 2 ** halfBits - 1;
  let value = position;
  do {
    let left = value >>> halfBits;
    let right = value & mask;
    for (let round = 0; round < FEISTEL_ROUNDS; round++) {
      const mixed = pcg4d(seed, SHUFFLE_STREAM + round * 65536, epoch, right)[0] & mask;
      [left, right] = [right, left ^ mixed];
    }
    value = ((left << halfBits) | right) >>> 0;
  } while (value >= count);
  return value;
}
