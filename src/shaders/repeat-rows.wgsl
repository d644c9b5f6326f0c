// Copies of examples: y[e · copies + c] = x[e]. Elements move as bits, whatever their type.
// One invocation moves one element; in forward_vec4 four neighbours.

struct Params {
  count: u32,   // elements of y
  width: u32,   // elements of an example
  copies: u32,  // of each example, neighbours in y
}

@group(0) @binding(0) var<storage, read> x: array<u32>;        // [examples, width]
@group(0) @binding(1) var<storage, read_write> y: array<u32>;  // [examples · copies, width]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = x[i / params.width / params.copies * params.width + i % params.width];
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<u32>>;        // [examples, width / 4]
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<u32>>;  // [examples · copies, width / 4]

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  let quads = params.width / 4u;
  y4[i] = x4[i / quads / params.copies * quads + i % quads];
}
