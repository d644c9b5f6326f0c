// An elementary function of each element: y = f(x), where f is chosen by `operation`.
// Gradient: dx = f'(x) dy, built of arithmetic (engine/ops/elementary.ts).
// One invocation computes one element of y, in forward_vec4 four.

override operation: u32 = 0u;  // 0 exp, 1 log, 2 sqrt, 3 abs, 4 sign, 5 square, 6 reciprocal, 7 power

struct Params {
  count: u32,     // elements of x
  exponent: f32,  // of power
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [count]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [count]
@group(1) @binding(0) var<uniform> params: Params;

// x to the power of a whole number, by repeated squaring: right for negative x too, where WGSL's pow is not.
fn whole_power(x: f32, n: i32) -> f32 {
  var result = 1.0;
  var square = x;
  for (var bits = abs(n); bits > 0; bits >>= 1u) {
    if ((bits & 1) == 1) { result *= square; }
    square *= square;
  }
  return select(result, 1.0 / result, n < 0);
}

fn power(x: f32) -> f32 {
  let exponent = params.exponent;
  if (abs(exponent) <= 64.0 && trunc(exponent) == exponent) { return whole_power(x, i32(exponent)); }
  if (x == 0.0 && exponent > 0.0) { return 0.0; }  // pow goes by way of log 0.
  return pow(x, exponent);
}

fn value(x: f32) -> f32 {
  switch operation {
    case 0u: { return exp(x); }
    case 1u: { return log(x); }
    case 2u: { return sqrt(x); }
    case 3u: { return abs(x); }
    case 4u: { return sign(x); }
    case 5u: { return x * x; }
    case 6u: { return 1.0 / x; }
    default: { return power(x); }
  }
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = value(x[i]);
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;        // [count / 4]
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<f32>>;  // [count / 4]

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  let v = x4[i];
  y4[i] = vec4<f32>(value(v.x), value(v.y), value(v.z), value(v.w));
}
