// Squared error of each row: loss = mean over the row of (output − wanted)².
// Gradient: d_output = 2 / columns · (output − wanted) · d_loss; that of `wanted` is its negative.
// forward: one invocation computes one row, four elements at a time in forward_vec4; in forward_workgroup 64 invocations share a row.
// backward_output: one invocation computes one element.

struct Params {
  rows: u32,
  columns: u32,  // elements of a row
}

@group(0) @binding(0) var<storage, read> output: array<f32>;      // [rows, columns]
@group(0) @binding(1) var<storage, read> wanted: array<f32>;      // [rows, columns]
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;  // [rows]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(32)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  var sum = 0.0;
  for (var i = first; i < first + params.columns; i++) {
    let difference = output[i] - wanted[i];
    sum += difference * difference;
  }
  loss[row] = sum / f32(params.columns);
}

@group(0) @binding(0) var<storage, read> output4: array<vec4<f32>>;  // [rows, columns / 4]
@group(0) @binding(1) var<storage, read> wanted4: array<vec4<f32>>;  // [rows, columns / 4]

@compute @workgroup_size(32)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let quads = params.columns / 4u;
  let first = row * quads;
  var sum = 0.0;
  for (var i = first; i < first + quads; i++) {
    let difference = output4[i] - wanted4[i];
    sum += dot(difference, difference);
  }
  loss[row] = sum / f32(params.columns);
}

@compute @workgroup_size(GROUP)
fn forward_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }  // The whole group returns, so no barrier is left waiting.
  let first = row * params.columns;
  var own = 0.0;
  for (var i = first + lane; i < first + params.columns; i += GROUP) {
    let difference = output[i] - wanted[i];
    own += difference * difference;
  }
  let sum = workgroup_sum(lane, own);
  if (lane == 0u) { loss[row] = sum / f32(params.columns); }
}

@group(0) @binding(2) var<storage, read> d_loss: array<f32>;          // [rows]
@group(0) @binding(3) var<storage, read_write> d_output: array<f32>;  // [rows, columns]

@compute @workgroup_size(64)
fn backward_output(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.rows * params.columns) { return; }
  d_output[i] = 2.0 / f32(params.columns) * (output[i] - wanted[i]) * d_loss[i / params.columns];
}
