// The hyperbolic tangent: y = tanh x.
// Gradient: dx = dy (1 − y²). It needs y only, so x need not be kept.
// One invocation computes one element, in *_vec4 four.

struct Params {
  count: u32,  // elements of y
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [count]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [count]
@group(1) @binding(0) var<uniform> params: Params;

// WGSL's own tanh may lose most digits near 0 and overflow far from it. Near 0 an odd polynomial (Moshier 1992, Cephes, tanhf.c), beyond
// it 1 − 2 / (e²ˣ + 1), which from 10 on is 1.
fn tangent(x: vec4<f32>) -> vec4<f32> {
  let s = x * x;
  let near = x + x * s * ((((-5.70498872745e-3 * s + 2.06390887954e-2) * s - 5.37397155531e-2) * s + 1.33314422036e-1) * s - 3.33332819422e-1);
  let size = min(abs(x), vec4<f32>(10.0));
  let far = sign(x) * (1.0 - 2.0 / (exp(2.0 * size) + 1.0));
  return select(far, near, abs(x) < vec4<f32>(0.625));
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = tangent(vec4<f32>(x[i])).x;
}

@group(0) @binding(0) var<storage, read> out: array<f32>;       // [count], the output y
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [count]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [count]

@compute @workgroup_size(64)
fn backward_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  dx[i] = dy[i] * (1.0 - out[i] * out[i]);
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;        // [count / 4]
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<f32>>;  // [count / 4]

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  y4[i] = tangent(x4[i]);
}

@group(0) @binding(0) var<storage, read> out4: array<vec4<f32>>;       // [count / 4]
@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;        // [count / 4]
@group(0) @binding(2) var<storage, read_write> dx4: array<vec4<f32>>;  // [count / 4]

@compute @workgroup_size(64)
fn backward_x_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  dx4[i] = dy4[i] * (1.0 - out4[i] * out4[i]);
}
