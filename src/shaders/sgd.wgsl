// Stochastic gradient descent with momentum over the flat buffers, in place:
//   g ← g + decay·p,  v ← μ v + g,  p ← p − rate · v   (Nesterov: p ← p − rate · (g + μ v))
// Compiled behind training-state.wgsl. One invocation updates `vectors` vec4; a block of 16 belongs to one group.
// Source: Polyak 1964; Sutskever et al. 2013; PyTorch's form, where the rate multiplies the velocity.

override vectors: u32 = 8u;   // vec4 an invocation updates: 1, 2, 4, 8 or 16

struct Params {
  blocks: u32,
  nesterov: u32,
  momentum: f32,
}

struct Rates {
  factor: f32,   // of the learning rate
  decay: f32,
  frozen: f32,   // 1: leave as it is
  unused: f32,
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;          // [16 blocks]
@group(0) @binding(1) var<storage, read> block_groups: array<u32>;             // [blocks]
@group(0) @binding(2) var<storage, read> groups: array<Rates>;
@group(0) @binding(3) var<storage, read> state: TrainingState;
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4<f32>>;   // [16 blocks]
@group(0) @binding(5) var<storage, read_write> velocity: array<vec4<f32>>;     // [16 blocks]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn update(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = ((group.y * count.x + group.x) * 64u + lane) * vectors;
  if (first >= 16u * params.blocks || state.halted != RUNNING) { return; }
  let rates = groups[block_groups[first / 16u]];
  if (rates.frozen > 0.0) { return; }
  let rate = state.rate * rates.factor;
  for (var at = first; at < first + vectors; at++) {
    let p = parameters[at];
    let g = gradients[at] * state.clip + rates.decay * p;
    let v = params.momentum * velocity[at] + g;
    velocity[at] = v;
    parameters[at] = p - rate * select(v, g + params.momentum * v, params.nesterov == 1u);
  }
}
