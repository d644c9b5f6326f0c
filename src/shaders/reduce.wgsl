// Reductions over some axes of x: y = factor · Σ x, or y = max x.
// Gradient of the sum: dx = factor · dy, repeated along those axes, which is broadcast.wgsl; of the maximum: engine/ops/largest.ts.
// Neighbouring axes that are all kept or all reduced count as one, so x has at most two kept axes and two reduced ones.
// One invocation computes one element of y; in forward_columns_vec4 four, in forward_workgroup a 64th of one.

override operation: u32 = 0u;  // 0 sum, 1 largest

struct Params {
  count: u32,                 // elements of y
  kept_inner: u32,            // length of the inner kept axis
  kept_outer_stride: u32,     // strides are elements of x
  kept_inner_stride: u32,
  reduced_outer: u32,         // lengths of the reduced axes
  reduced_inner: u32,
  reduced_outer_stride: u32,
  reduced_inner_stride: u32,
  factor: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // kept and reduced axes, in any order
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [kept_outer, kept_inner]
@group(1) @binding(0) var<uniform> params: Params;

// Elements that are summed among themselves before they join the total: long sums then round about as if they were RUN times shorter.
const RUN = 64u;

fn identity() -> f32 {
  return select(0.0, -0x1.fffffep127, operation == 1u);
}

fn combine(p: f32, q: f32) -> f32 {
  if (operation == 1u) { return max(p, q); }
  return p + q;
}

fn combine4(p: vec4<f32>, q: vec4<f32>) -> vec4<f32> {
  if (operation == 1u) { return max(p, q); }
  return p + q;
}

// Where in x the elements of y[i] begin.
fn first_of(i: u32) -> u32 {
  return i / params.kept_inner * params.kept_outer_stride + i % params.kept_inner * params.kept_inner_stride;
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  var total = identity();
  for (var outer = 0u; outer < params.reduced_outer; outer++) {
    let first = first_of(i) + outer * params.reduced_outer_stride;
    for (var begin = 0u; begin < params.reduced_inner; begin += RUN) {
      let end = min(begin + RUN, params.reduced_inner);
      var part = identity();
      for (var inner = begin; inner < end; inner++) { part = combine(part, x[first + inner * params.reduced_inner_stride]); }
      total = combine(total, part);
    }
  }
  y[i] = params.factor * total;
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;        // the last axis divided by 4
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<f32>>;  // [kept_outer, kept_inner / 4]

// The last axis is reduced: four elements of it at a time.
@compute @workgroup_size(64)
fn forward_rows_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  var total = vec4<f32>(identity());
  for (var outer = 0u; outer < params.reduced_outer; outer++) {
    let first = (first_of(i) + outer * params.reduced_outer_stride) / 4u;
    let quads = params.reduced_inner / 4u;
    for (var begin = 0u; begin < quads; begin += RUN) {
      let end = min(begin + RUN, quads);
      var part = vec4<f32>(identity());
      for (var inner = begin; inner < end; inner++) { part = combine4(part, x4[first + inner]); }
      total = combine4(total, part);
    }
  }
  y[i] = params.factor * combine(combine(total.x, total.y), combine(total.z, total.w));
}

// The last axis is kept: four neighbouring elements of y.
@compute @workgroup_size(64)
fn forward_columns_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  var total = vec4<f32>(identity());
  for (var outer = 0u; outer < params.reduced_outer; outer++) {
    let first = (first_of(4u * i) + outer * params.reduced_outer_stride) / 4u;
    let stride = params.reduced_inner_stride / 4u;
    for (var begin = 0u; begin < params.reduced_inner; begin += RUN) {
      let end = min(begin + RUN, params.reduced_inner);
      var part = vec4<f32>(identity());
      for (var inner = begin; inner < end; inner++) { part = combine4(part, x4[first + inner * stride]); }
      total = combine4(total, part);
    }
  }
  y4[i] = params.factor * total;
}

@compute @workgroup_size(GROUP)
fn forward_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = group.y * groups.x + group.x;
  if (i >= params.count) { return; }  // The whole group returns, so no barrier is left waiting.
  let first = first_of(i);
  var own = identity();
  for (var k = lane; k < params.reduced_outer * params.reduced_inner; k += GROUP) {
    let outer = k / params.reduced_inner;
    let inner = k % params.reduced_inner;
    own = combine(own, x[first + outer * params.reduced_outer_stride + inner * params.reduced_inner_stride]);
  }
  var total: f32;
  if (operation == 1u) { total = workgroup_max(lane, own); } else { total = workgroup_sum(lane, own); }
  if (lane == 0u) { y[i] = params.factor * total; }
}
