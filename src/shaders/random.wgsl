// Counter-based random numbers: an integer hash of (seed, stream, step, index).
// The CPU twin, bit for bit, is engine/random.ts. A library: kernels that draw are compiled with it in front.
// Source: pcg4d, Jarzynski and Olano 2020, "Hash Functions for GPU Rendering", JCGT 9(3).

fn pcg4d(key: vec4<u32>) -> vec4<u32> {
  var v = key * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4<u32>(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

// A float in [0, 1) with 24 random bits.
fn uniform_unit(bits: u32) -> f32 {
  return f32(bits >> 8u) / 16777216.0;
}

const SHUFFLE_STREAM = 1u;
const FEISTEL_ROUNDS = 6u;

// A keyed bijection of [0, count): a Feistel network over the next even power of two, walked until it lands inside
// (Luby and Rackoff 1988; Black and Rogaway 2002).
fn permute(position: u32, count: u32, seed: u32, epoch: u32) -> u32 {
  var half_bits = 1u;
  while (half_bits < 16u && (1u << (2u * half_bits)) < count) { half_bits++; }
  let mask = (1u << half_bits) - 1u;
  var value = position;
  loop {
    var left = value >> half_bits;
    var right = value & mask;
    for (var round = 0u; round < FEISTEL_ROUNDS; round++) {
      let mixed = pcg4d(vec4<u32>(seed, SHUFFLE_STREAM + round * 65536u, epoch, right)).x & mask;
      let swapped = left ^ mixed;
      left = right;
      right = swapped;
    }
    value = (left << half_bits) | right;
    if (value < count) { break; }
  }
  return value;
}
