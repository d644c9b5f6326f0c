// Dropout: y = x · scale where the element's random number is at least `rate`, else 0; scale = 1 / (1 − rate).
// Gradient: dropout of dy with the same keys, which draws the same mask again.
// Compiled behind random.wgsl and training-state.wgsl. The number of element i is pcg4d(seed, stream, step, i).x, whose upper 24 bits are compared.
// One invocation computes one element, four neighbours in forward_vec4.

struct Params {
  count: u32,      // elements of x
  stream: u32,
  threshold: u32,  // rate · 2²⁴, rounded up: u ≥ rate as whole numbers, so the CPU twin agrees bit for bit
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> state: TrainingState;  // [32]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

fn factor(i: u32) -> f32 {
  let bits = pcg4d(vec4<u32>(state.seed, params.stream, state.step, i)).x;
  return select(0.0, params.scale, (bits >> 8u) >= params.threshold);
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = x[i] * factor(i);
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4<f32>>;

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let quad = (group.y * groups.x + group.x) * 64u + lane;
  if (quad >= params.count / 4u) { return; }
  let i = quad * 4u;
  y4[quad] = x4[quad] * vec4<f32>(factor(i), factor(i + 1u), factor(i + 2u), factor(i + 3u));
}
