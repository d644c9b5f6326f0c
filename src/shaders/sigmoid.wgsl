// The logistic sigmoid: y = 1 / (1 + e⁻ˣ).
// Gradient: dx = dy y (1 − y). It needs y only, so x need not be kept.
// One invocation computes one element, in *_vec4 four.

struct Params {
  count: u32,  // elements of y
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [count]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [count]
@group(1) @binding(0) var<uniform> params: Params;

// e⁻ˣ would overflow for x below −88; e^−|x| cannot.
fn logistic(x: vec4<f32>) -> vec4<f32> {
  let e = exp(-abs(x));
  return select(e, vec4<f32>(1.0), x >= vec4<f32>(0.0)) / (1.0 + e);
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = logistic(vec4<f32>(x[i])).x;
}

@group(0) @binding(0) var<storage, read> out: array<f32>;       // [count], the output y
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [count]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [count]

@compute @workgroup_size(64)
fn backward_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  dx[i] = dy[i] * out[i] * (1.0 - out[i]);
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;        // [count / 4]
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<f32>>;  // [count / 4]

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  y4[i] = logistic(x4[i]);
}

@group(0) @binding(0) var<storage, read> out4: array<vec4<f32>>;       // [count / 4]
@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;        // [count / 4]
@group(0) @binding(2) var<storage, read_write> dx4: array<vec4<f32>>;  // [count / 4]

@compute @workgroup_size(64)
fn backward_x_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  dx4[i] = dy4[i] * out4[i] * (1.0 - out4[i]);
}
