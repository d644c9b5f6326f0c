// ReLU: y = max(0, x).
// Gradient: dx = dy where y > 0, else 0. It needs y only, so x need not be kept.
// One invocation computes one element, in *_vec4 four.

struct Params {
  count: u32,  // elements of y
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [count]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [count]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = max(0.0, x[i]);
}

@group(0) @binding(0) var<storage, read> out: array<f32>;       // [count], the output y
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [count]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [count]

@compute @workgroup_size(64)
fn backward_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  dx[i] = select(0.0, dy[i], out[i] > 0.0);
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;        // [count / 4]
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<f32>>;  // [count / 4]

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  y4[i] = max(vec4<f32>(0.0), x4[i]);
}

@group(0) @binding(0) var<storage, read> out4: array<vec4<f32>>;       // [count / 4]
@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;        // [count / 4]
@group(0) @binding(2) var<storage, read_write> dx4: array<vec4<f32>>;  // [count / 4]

@compute @workgroup_size(64)
fn backward_x_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  dx4[i] = select(vec4<f32>(0.0), dy4[i], out4[i] > vec4<f32>(0.0));
}
