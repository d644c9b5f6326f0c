// Points on straight lines: y[e, s] = base[e] + position[s] · direction[e], for each example e and each position s.
// No gradient: a path is where an explanation looks, not a part of the network.
// One invocation computes one element, in forward_vec4 four neighbours.

struct Params {
  count: u32,      // elements of y
  width: u32,      // elements of one example
  positions: u32,
}

@group(0) @binding(0) var<storage, read> base: array<f32>;       // [examples, width]
@group(0) @binding(1) var<storage, read> direction: array<f32>;  // [examples, width]
@group(0) @binding(2) var<storage, read> position: array<f32>;   // [positions]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;    // [examples, positions, width]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let row = i / params.width;
  let source = row / params.positions * params.width + i % params.width;
  y[i] = base[source] + position[row % params.positions] * direction[source];
}

@group(0) @binding(0) var<storage, read> base4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> direction4: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4<f32>>;

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  let width = params.width / 4u;
  let row = i / width;
  let source = row / params.positions * width + i % width;
  y4[i] = base4[source] + position[row % params.positions] * direction4[source];
}
