// Noisy copies: y[e, s] = x[e] + deviation[e] · n, n normal (Box, Muller 1958) or uniform in [-1, 1), drawn for (seed, sample, element).
// The draw knows neither the example nor the batch, so an example's copies are the same bits alone and among others.
// Compiled behind random.wgsl. One invocation computes one element.

struct Params {
  count: u32,    // elements of y
  width: u32,    // elements of one example
  samples: u32,
  stream: u32,
  uniform_noise: u32,  // 1 for uniform noise, 0 for normal
}

@group(0) @binding(0) var<storage, read> x: array<f32>;          // [examples, width]
@group(0) @binding(1) var<storage, read> deviation: array<f32>;  // [examples]
@group(0) @binding(2) var<storage, read> draw: array<u32>;       // [3]: the seed, the number of the first sample, how many count
@group(0) @binding(3) var<storage, read_write> y: array<f32>;    // [examples, samples, width]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let row = i / params.width;
  let element = i % params.width;
  let example = row / params.samples;
  let bits = pcg4d(vec4<u32>(draw[0], params.stream, draw[1] + row % params.samples, element));
  // 1 - u lies in (0, 1], so the logarithm is finite.
  let normal = sqrt(-2.0 * log(1.0 - uniform_unit(bits.x))) * cos(6.283185307179586 * uniform_unit(bits.y));
  let noise = select(normal, 2.0 * uniform_unit(bits.x) - 1.0, params.uniform_noise == 1u);
  y[i] = x[example * params.width + element] + deviation[example] * noise;
}
