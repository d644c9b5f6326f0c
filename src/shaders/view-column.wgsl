// A column of a matrix, such as all weights that come into one unit: column[i] = values[i · columns + column].
// No gradient: this only looks. One invocation copies one value.

struct Params {
  rows: u32,
  columns: u32,  // length of the last axis
  column: u32,
}

@group(0) @binding(0) var<storage, read> values: array<f32>;         // [rows, columns]
@group(0) @binding(1) var<storage, read_write> result: array<f32>;   // [rows]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn take(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  // More rows than one axis of workgroups holds fold into y.
  let row = id.x + id.y * groups.x * 64u;
  if (row >= params.rows) { return; }
  result[row] = values[row * params.columns + params.column];
}
