// Mean of a value a row over the rows in use: y = Σ values[row] / rows in use, over rows below state.rows; the rows beyond weigh 0.
// Gradient: dvalues[row] = dy / rows in use below state.rows, 0 beyond.
// With no row in use the mean is 0. Compiled behind training-state.wgsl and workgroup-rows.wgsl.
// forward: one invocation adds all; forward_workgroup: 64 share them; backward: one a row.

struct Params {
  rows: u32,  // that the buffers hold
}

@group(0) @binding(0) var<storage, read> values: array<f32>;    // [rows]
@group(0) @binding(1) var<storage, read> state: TrainingState;  // [32]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // []
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(1)
fn forward() {
  let rows_in_use = min(state.rows, params.rows);
  var sum = 0.0;
  for (var row = 0u; row < rows_in_use; row++) { sum += values[row]; }
  y[0] = sum / f32(max(rows_in_use, 1u));
}

@compute @workgroup_size(GROUP)
fn forward_workgroup(@builtin(local_invocation_index) lane: u32) {
  let rows_in_use = min(state.rows, params.rows);
  var own = 0.0;
  for (var row = lane; row < rows_in_use; row += GROUP) { own += values[row]; }
  let sum = workgroup_sum(lane, own);
  if (lane == 0u) { y[0] = sum / f32(max(rows_in_use, 1u)); }
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;             // []
@group(0) @binding(2) var<storage, read_write> d_values: array<f32>;  // [rows]

@compute @workgroup_size(64)
fn backward_values(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.rows) { return; }
  let rows_in_use = min(state.rows, params.rows);
  d_values[row] = select(0.0, dy[0] / f32(max(rows_in_use, 1u)), row < rows_in_use);
}
