// DeepLIFT's rescale rule: an elementwise function y = f(x) passes back what arrives times Δy / Δx, the difference from the reference x′ in place
// of the derivative.
//
//     relu    y = max(0, x): 1 where x and x′ are above 0, 0 where neither is, else Δy / Δx, in which nothing cancels
//     smooth  Δy / Δx; where |Δx| is at most `threshold` the derivative half-way, given as `midpoint` = dy f′((x + x′) / 2): there the
//             difference of two rounded numbers would lose more than the derivative does
//
// Source: Shrikumar, Greenside, Kundaje 2017, "Learning important features through propagating activation differences", section 3.3 and
// appendix on numerical stability. No gradient. One invocation computes one element.

struct Params {
  count: u32,      // elements of dx
  threshold: f32,  // of smooth
}

@group(0) @binding(0) var<storage, read> x: array<f32>;            // [count]
@group(0) @binding(1) var<storage, read> x_reference: array<f32>;  // [count], x′
@group(0) @binding(2) var<storage, read> dy: array<f32>;           // [count]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;     // [count]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn relu(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let on = x[i] > 0.0;
  let was_on = x_reference[i] > 0.0;
  var multiplier = select(0.0, 1.0, on);
  if (on != was_on) { multiplier = (max(0.0, x[i]) - max(0.0, x_reference[i])) / (x[i] - x_reference[i]); }
  dx[i] = dy[i] * multiplier;
}

@group(0) @binding(4) var<storage, read> y: array<f32>;            // [count]
@group(0) @binding(5) var<storage, read> y_reference: array<f32>;  // [count]
@group(0) @binding(6) var<storage, read> midpoint: array<f32>;     // [count]

@compute @workgroup_size(64)
fn smooth_function(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let difference = x[i] - x_reference[i];
  let near = abs(difference) <= params.threshold;
  dx[i] = select(dy[i] * (y[i] - y_reference[i]) / difference, midpoint[i], near);
}
