// Masked copies: y[e, s] = base[e] + mask[s] · (x[e] - base[e]), the mask of an element being that of its group.
// Where the mask is 0 or 1 the copy is exactly base or x.
// One invocation computes one element.

struct Params {
  count: u32,    // elements of y
  inputs: u32,   // elements of an example
  samples: u32,
  width: u32,    // columns of the mask; the first is not a group's, see mask-bits.wgsl
}

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [examples, inputs]
@group(0) @binding(1) var<storage, read> base: array<f32>;      // [examples, inputs]
@group(0) @binding(2) var<storage, read> mask: array<f32>;      // [samples, width]
@group(0) @binding(3) var<storage, read> group_of: array<u32>;  // [inputs]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;   // [examples, samples, inputs]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let element = i % params.inputs;
  let row = i / params.inputs;
  let source = row / params.samples * params.inputs + element;
  let share = mask[row % params.samples * params.width + 1u + group_of[element]];
  let there = x[source];
  let gone = base[source];
  y[i] = select(gone + share * (there - gone), there, share == 1.0);
}
