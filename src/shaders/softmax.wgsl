// Softmax over rows: y = exp(x − max x) / Σ exp(x − max x); subtracting the largest element keeps every exp within [0, 1].
// Gradient: dx = p ⊙ (dy − Σ p ⊙ dy), where p is the softmax.
// The sum is relative to the largest element met so far and rescaled when a larger one comes, which saves a reading of x
// (Milakov, Gimelshein 2018, "Online normalizer calculation for softmax").
// One invocation computes one row, four elements at a time in *_vec4; in *_workgroup 64 invocations share a row.

struct Params {
  rows: u32,
  columns: u32,  // elements of a row
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [rows, columns]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [rows, columns]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(32)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let end = first + params.columns;
  var largest = x[first];
  var sum = 1.0;
  for (var i = first + 1u; i < end; i++) {
    let value = x[i];
    if (value > largest) {
      sum = sum * exp(largest - value) + 1.0;
      largest = value;
    } else {
      sum += exp(value - largest);
    }
  }
  for (var i = first; i < end; i++) { y[i] = exp(x[i] - largest) / sum; }
}

@group(0) @binding(0) var<storage, read> p: array<f32>;         // [rows, columns], the softmax
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [rows, columns]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [rows, columns]

@compute @workgroup_size(32)
fn backward_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let end = first + params.columns;
  var mean = 0.0;  // of dy under p
  for (var i = first; i < end; i++) { mean += p[i] * dy[i]; }
  for (var i = first; i < end; i++) { dx[i] = p[i] * (dy[i] - mean); }
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;        // [rows, columns / 4]
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<f32>>;  // [rows, columns / 4]

@compute @workgroup_size(32)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let quads = params.columns / 4u;
  let first = row * quads;
  let end = first + quads;
  var largest = x4[first].x;
  var sum = 0.0;
  for (var i = first; i < end; i++) {
    let value = x4[i];
    let larger = max(max(largest, max(value.x, value.y)), max(value.z, value.w));
    if (larger > largest) {
      sum *= exp(largest - larger);
      largest = larger;
    }
    sum += dot(exp(value - largest), vec4<f32>(1.0));
  }
  for (var i = first; i < end; i++) { y4[i] = exp(x4[i] - largest) / sum; }
}

@group(0) @binding(0) var<storage, read> p4: array<vec4<f32>>;         // [rows, columns / 4]
@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;        // [rows, columns / 4]
@group(0) @binding(2) var<storage, read_write> dx4: array<vec4<f32>>;  // [rows, columns / 4]

@compute @workgroup_size(32)
fn backward_x_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let quads = params.columns / 4u;
  let first = row * quads;
  let end = first + quads;
  var mean = 0.0;
  for (var i = first; i < end; i++) { mean += dot(p4[i], dy4[i]); }
  for (var i = first; i < end; i++) { dx4[i] = p4[i] * (dy4[i] - mean); }
}

@compute @workgroup_size(GROUP)
fn forward_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }  // The whole group returns, so no barrier is left waiting.
  let first = row * params.columns;
  let end = first + params.columns;
  var own = x[first];
  for (var i = first + lane; i < end; i += GROUP) { own = max(own, x[i]); }
  let largest = workgroup_max(lane, own);
  own = 0.0;
  for (var i = first + lane; i < end; i += GROUP) { own += exp(x[i] - largest); }
  let sum = workgroup_sum(lane, own);
  for (var i = first + lane; i < end; i += GROUP) { y[i] = exp(x[i] - largest) / sum; }
}

@compute @workgroup_size(GROUP)
fn backward_x_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let end = first + params.columns;
  var own = 0.0;
  for (var i = first + lane; i < end; i += GROUP) { own += p[i] * dy[i]; }
  let mean = workgroup_sum(lane, own);
  for (var i = first + lane; i < end; i += GROUP) { dx[i] = p[i] * (dy[i] - mean); }
}
