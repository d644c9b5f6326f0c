// Concatenation of two tensors along an axis: everything from that axis on is a row, and y's rows are a's then b's.
// Gradient: da and db are slices of dy. Elements move as bits, whatever their type.
// One invocation moves one element, four neighbours in forward_vec4, where both rows are divisible by 4.

struct Params {
  a_row: u32,  // elements of a row of a
  b_row: u32,
  count: u32,  // elements of y
}

@group(0) @binding(0) var<storage, read> a: array<u32>;        // [rows, a_row]
@group(0) @binding(1) var<storage, read> b: array<u32>;        // [rows, b_row]
@group(0) @binding(2) var<storage, read_write> y: array<u32>;  // [rows, a_row + b_row]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let row = i / (params.a_row + params.b_row);
  let col = i % (params.a_row + params.b_row);
  if (col < params.a_row) {
    y[i] = a[row * params.a_row + col];
  } else {
    y[i] = b[row * params.b_row + col - params.a_row];
  }
}

@group(0) @binding(0) var<storage, read> a4: array<vec4<u32>>;        // [rows, a_row / 4]
@group(0) @binding(1) var<storage, read> b4: array<vec4<u32>>;        // [rows, b_row / 4]
@group(0) @binding(2) var<storage, read_write> y4: array<vec4<u32>>;  // [rows, (a_row + b_row) / 4]

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  let a_quads = params.a_row / 4u;
  let b_quads = params.b_row / 4u;
  let row = i / (a_quads + b_quads);
  let col = i % (a_quads + b_quads);
  if (col < a_quads) {
    y4[i] = a4[row * a_quads + col];
  } else {
    y4[i] = b4[row * b_quads + col - a_quads];
  }
}
