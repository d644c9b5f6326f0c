// Embedding: y[i] = table[indices[i]], a row for each index; zeros where an index names no row (≥ rows of the table).
// Gradient: d_table[v] = Σ dy[i] over the i with indices[i] = v, in the order of i.
// forward: one invocation copies one element. backward_table: one invocation owns one element of d_table and visits every index.
// Both take four neighbours at a time in *_vec4.

struct Params {
  table_rows: u32,
  width: u32,    // elements of a row
  indices: u32,  // number of indices
}

@group(0) @binding(0) var<storage, read> table: array<f32>;     // [table_rows, width]
@group(0) @binding(1) var<storage, read> indices: array<u32>;   // [indices]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // [indices, width]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.indices * params.width) { return; }
  let row = indices[i / params.width];
  if (row < params.table_rows) {
    y[i] = table[row * params.width + i % params.width];
  } else {
    y[i] = 0.0;
  }
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;             // [indices, width]
@group(0) @binding(2) var<storage, read_write> d_table: array<f32>;  // [table_rows, width]

@compute @workgroup_size(64)
fn backward_table(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.table_rows * params.width) { return; }
  let row = at / params.width;
  let col = at % params.width;
  var sum = 0.0;
  for (var i = 0u; i < params.indices; i++) {
    if (indices[i] == row) { sum += dy[i * params.width + col]; }
  }
  d_table[at] = sum;
}

@group(0) @binding(0) var<storage, read> table4: array<vec4<f32>>;    // [table_rows, width / 4]
@group(0) @binding(2) var<storage, read_write> y4: array<vec4<f32>>;  // [indices, width / 4]

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  let quads = params.width / 4u;
  if (i >= params.indices * quads) { return; }
  let row = indices[i / quads];
  if (row < params.table_rows) {
    y4[i] = table4[row * quads + i % quads];
  } else {
    y4[i] = vec4<f32>();
  }
}

@group(0) @binding(0) var<storage, read> dy4: array<vec4<f32>>;             // [indices, width / 4]
@group(0) @binding(2) var<storage, read_write> d_table4: array<vec4<f32>>;  // [table_rows, width / 4]

@compute @workgroup_size(64)
fn backward_table_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  let quads = params.width / 4u;
  if (at >= params.table_rows * quads) { return; }
  let row = at / quads;
  let col = at % quads;
  var sum = vec4<f32>();
  for (var i = 0u; i < params.indices; i++) {
    if (indices[i] == row) { sum += dy4[i * quads + col]; }
  }
  d_table4[at] = sum;
}
