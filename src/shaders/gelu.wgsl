// GELU, the Gaussian error linear unit: y = x C(x), where C(x) is the chance that a normal number is below x:
//   exactly     C(x) = (1 + erf(x / √2)) / 2
//   as by tanh  C(x) = (1 + tanh u) / 2 = 1 / (1 + e⁻²ᵘ), u = √(2 / π) (x + 0.044715 x³)
// Gradient: dx = dy (C + x C′). Its own derivative, the curvature: y″ = 2 C′ + x C″.
// One invocation computes one element, in *_vec4 four.
// Source: Hendrycks, Gimpel 2016, "Gaussian Error Linear Units".

override by_tanh: bool = false;

struct Params {
  count: u32,  // elements of y
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [count]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [count]
@group(1) @binding(0) var<uniform> params: Params;

struct Curve {
  value: vec4<f32>,   // C
  slope: vec4<f32>,   // C′
  second: vec4<f32>,  // C″
}

// 1 − erf(z) for z ≥ 0, given e^−z²; within 1.5e-7 (Hastings 1955, sheet 45; Abramowitz, Stegun 1964, 7.1.26).
fn erf_complement(z: vec4<f32>, gauss: vec4<f32>) -> vec4<f32> {
  let t = 1.0 / (1.0 + 0.3275911 * z);
  return gauss * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
}

// The tail below −|x| is computed, so that C keeps its digits where it is small. Beyond |x| = 12 nothing changes any more.
fn exact_curve(far: vec4<f32>) -> Curve {
  let x = clamp(far, vec4<f32>(-12.0), vec4<f32>(12.0));
  let gauss = exp(-0.5 * x * x);
  let tail = 0.5 * erf_complement(abs(x) * 0.70710678, gauss);
  let density = gauss * 0.39894228;  // divided by √(2π)
  return Curve(select(tail, 1.0 - tail, x >= vec4<f32>(0.0)), density, -x * density);
}

fn tanh_curve(far: vec4<f32>) -> Curve {
  let x = clamp(far, vec4<f32>(-12.0), vec4<f32>(12.0));
  let v = 1.5957691 * (x + 0.044715 * x * x * x);   // 2 u
  let dv = 1.5957691 * (1.0 + 0.134145 * x * x);
  let ddv = 1.5957691 * 0.26829 * x;
  let e = exp(-abs(v));
  let tail = e / (1.0 + e);
  let value = select(tail, 1.0 - tail, v >= vec4<f32>(0.0));
  let bell = tail * (1.0 - tail);                   // the derivative of the sigmoid, as its argument's sign does not matter
  return Curve(value, bell * dv, bell * ((1.0 - 2.0 * value) * dv * dv + ddv));
}

fn curve(x: vec4<f32>) -> Curve {
  if (by_tanh) { return tanh_curve(x); }
  return exact_curve(x);
}

fn value_of(x: vec4<f32>) -> vec4<f32> {
  return x * curve(x).value;
}

fn slope_of(x: vec4<f32>) -> vec4<f32> {
  let c = curve(x);
  return c.value + x * c.slope;
}

fn curvature_of(x: vec4<f32>) -> vec4<f32> {
  let c = curve(x);
  return 2.0 * c.slope + x * c.second;
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = value_of(vec4<f32>(x[i])).x;
}

@compute @workgroup_size(64)
fn curvature(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = curvature_of(vec4<f32>(x[i])).x;
}

@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [count]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [count]

@compute @workgroup_size(64)
fn backward_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  dx[i] = dy[i] * slope_of(vec4<f32>(x[i])).x;
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;        // [count / 4]
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<f32>>;  // [count / 4]

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  y4[i] = value_of(x4[i]);
}

@compute @workgroup_size(64)
fn curvature_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  y4[i] = curvature_of(x4[i]);
}

@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;        // [count / 4]
@group(0) @binding(2) var<storage, read_write> dx4: array<vec4<f32>>;  // [count / 4]

@compute @workgroup_size(64)
fn backward_x_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  dx4[i] = dy4[i] * slope_of(x4[i]);
}
