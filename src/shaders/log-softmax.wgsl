// Logarithm of the softmax over rows: y = (x − max x) − log Σ exp(x − max x), which stays finite where the softmax is 0.
// Gradient: dx = dy − exp(y) Σ dy.
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
  let log_sum = log(sum);
  for (var i = first; i < end; i++) { y[i] = (x[i] - largest) - log_sum; }
}

@group(0) @binding(0) var<storage, read> log_p: array<f32>;     // [rows, columns], the log-softmax
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [rows, columns]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [rows, columns]

@compute @workgroup_size(32)
fn backward_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let end = first + params.columns;
  var sum = 0.0;
  for (var i = first; i < end; i++) { sum += dy[i]; }
  for (var i = first; i < end; i++) { dx[i] = dy[i] - exp(log_p[i]) * sum; }
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
  let log_sum = log(sum);
  for (var i = first; i < end; i++) { y4[i] = (x4[i] - largest) - log_sum; }
}

@group(0) @binding(0) var<storage, read> log_p4: array<vec4<f32>>;     // [rows, columns / 4]
@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;        // [rows, columns / 4]
@group(0) @binding(2) var<storage, read_write> dx4: array<vec4<f32>>;  // [rows, columns / 4]

@compute @workgroup_size(32)
fn backward_x_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let quads = params.columns / 4u;
  let first = row * quads;
  let end = first + quads;
  var sum = 0.0;
  for (var i = first; i < end; i++) { sum += dot(dy4[i], vec4<f32>(1.0)); }
  for (var i = first; i < end; i++) { dx4[i] = dy4[i] - exp(log_p4[i]) * sum; }
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
  let log_sum = log(workgroup_sum(lane, own));
  for (var i = first + lane; i < end; i += GROUP) { y[i] = (x[i] - largest) - log_sum; }
}

@compute @workgroup_size(GROUP)
fn backward_x_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let end = first + params.columns;
  var own = 0.0;
  for (var i = first + lane; i < end; i += GROUP) { own += dy[i]; }
  let sum = workgroup_sum(lane, own);
  for (var i = first + lane; i < end; i += GROUP) { dx[i] = dy[i] - exp(log_p[i]) * sum; }
}
