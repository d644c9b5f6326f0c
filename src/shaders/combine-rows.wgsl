// Every example combined with every reference: y[e, s] = a[s] · x[e] + b[s] · reference[s].
// With a = α, b = 1 - α a point between them, with a = 1, b = -1 their difference.
// No gradient: references are what an explanation compares with, not a part of the network.
// One invocation computes one element, in forward_vec4 four neighbours.

struct Params {
  count: u32,       // elements of y
  width: u32,       // elements of one example
  references: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;          // [examples, width]
@group(0) @binding(1) var<storage, read> reference: array<f32>;  // [references, width]
@group(0) @binding(2) var<storage, read> a: array<f32>;          // [references]
@group(0) @binding(3) var<storage, read> b: array<f32>;          // [references]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;    // [examples, references, width]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let row = i / params.width;
  let element = i % params.width;
  let s = row % params.references;
  y[i] = a[s] * x[row / params.references * params.width + element] + b[s] * reference[s * params.width + element];
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> reference4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y4: array<vec4<f32>>;

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  let width = params.width / 4u;
  let row = i / width;
  let element = i % width;
  let s = row % params.references;
  y4[i] = a[s] * x4[row / params.references * width + element] + b[s] * reference4[s * width + element];
}
