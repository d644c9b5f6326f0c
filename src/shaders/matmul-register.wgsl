// Matrix product in registers: y = a b, batched, either operand transposed by its strides; scalar loads, any shape.
// Shapes: a [batch, rows, inner], b [batch, inner, cols], y [batch, rows, cols], whatever order their memory is in.
// One invocation computes a tile of 4 rows by 4 columns, so each value loaded is used four times. No workgroup memory.
// Loads beyond an edge are clamped to it and their results dropped at the store, so the inner loop has no branch.

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  a_row: u32,     // stride of a from row to row, in elements
  a_inner: u32,   // stride of a along the inner axis
  b_inner: u32,
  b_col: u32,
  a_batch: u32,   // stride from matrix to matrix, 0 where one serves all
  b_batch: u32,
  batch: u32,
  relu: u32,      // 1: affine ends in ReLU
}

@group(0) @binding(0) var<storage, read> a: array<f32>;              // [batch, rows, inner]
@group(0) @binding(1) var<storage, read> b: array<f32>;              // [batch, inner, cols]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;        // [batch, rows, cols]
@group(0) @binding(3) var<storage, read> bias: array<f32>;           // [cols], affine only
@group(0) @binding(4) var<storage, read> gate: array<f32>;           // [batch, rows, cols], masked only
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;     // [cols], weight_gradient only
@group(1) @binding(0) var<uniform> params: Params;

const TILE = vec4<u32>(0u, 1u, 2u, 3u);

// Where the four rows and four columns of a tile lie, clamped to the matrix.
fn rows_of(id: vec3<u32>) -> vec4<u32> {
  return min(vec4<u32>(4u * id.y) + TILE, vec4<u32>(params.rows - 1u));
}

fn cols_of(id: vec3<u32>) -> vec4<u32> {
  return min(vec4<u32>(4u * id.x) + TILE, vec4<u32>(params.cols - 1u));
}

// Column i of the result is row i of the tile.
fn tile(id: vec3<u32>) -> mat4x4<f32> {
  var at_a = id.z * params.a_batch + rows_of(id) * params.a_row;
  var at_b = id.z * params.b_batch + cols_of(id) * params.b_col;
  var sum = mat4x4<f32>();
  for (var k = 0u; k < params.inner; k++) {
    let p = vec4<f32>(a[at_a.x], a[at_a.y], a[at_a.z], a[at_a.w]);
    let q = vec4<f32>(b[at_b.x], b[at_b.y], b[at_b.z], b[at_b.w]);
    sum += mat4x4<f32>(q * p.x, q * p.y, q * p.z, q * p.w);
    at_a += params.a_inner;
    at_b += params.b_inner;
  }
  return sum;
}

fn outside(id: vec3<u32>) -> bool {
  return 4u * id.x >= params.cols || 4u * id.y >= params.rows || id.z >= params.batch;
}

// A loop, because what is stored once is not worth the code that it would unroll to: kernels here are as slow to compile as they are long.
fn store_tile(value: mat4x4<f32>, id: vec3<u32>) {
  var tile_rows = value;
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let row = 4u * id.y + i;
      let col = 4u * id.x + j;
      if (row < params.rows && col < params.cols) { y[(id.z * params.rows + row) * params.cols + col] = tile_rows[i][j]; }
    }
  }
}

// y = a b
@compute @workgroup_size(4, 4)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
  if (outside(id)) { return; }
  store_tile(tile(id), id);
}

fn activate(value: vec4<f32>) -> vec4<f32> {
  return select(value, max(value, vec4<f32>()), params.relu == 1u);
}

// y = a b + bias, through ReLU on request
@compute @workgroup_size(4, 4)
fn affine(@builtin(global_invocation_id) id: vec3<u32>) {
  if (outside(id)) { return; }
  let sum = tile(id);
  let cols = cols_of(id);
  let offset = vec4<f32>(bias[cols.x], bias[cols.y], bias[cols.z], bias[cols.w]);
  store_tile(mat4x4<f32>(activate(sum[0] + offset), activate(sum[1] + offset), activate(sum[2] + offset), activate(sum[3] + offset)), id);
}

fn gated(value: vec4<f32>, row: u32, id: vec3<u32>) -> vec4<f32> {
  let at = (id.z * params.rows + row) * params.cols + cols_of(id);
  let open = vec4<f32>(gate[at.x], gate[at.y], gate[at.z], gate[at.w]) > vec4<f32>();
  return select(vec4<f32>(), value, open);
}

// y = a b where gate > 0, else 0: the gradient of ReLU in the same breath
@compute @workgroup_size(4, 4)
fn masked(@builtin(global_invocation_id) id: vec3<u32>) {
  if (outside(id)) { return; }
  let sum = tile(id);
  let rows = rows_of(id);
  store_tile(mat4x4<f32>(gated(sum[0], rows.x, id), gated(sum[1], rows.y, id), gated(sum[2], rows.z, id), gated(sum[3], rows.w, id)), id);
}

// y = a b and, by the invocations of the first rows, the sums of b over its inner axis: dW and db of an affine layer
@compute @workgroup_size(4, 4)
fn weight_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
  if (outside(id)) { return; }
  store_tile(tile(id), id);
  if (id.y == 0u) {
    var at = cols_of(id) * params.b_col;
    var sum = vec4<f32>();
    for (var k = 0u; k < params.inner; k++) {
      sum += vec4<f32>(b[at.x], b[at.y], b[at.z], b[at.w]);
      at += params.b_inner;
    }
    for (var i = 0u; i < 4u; i++) {
      if (4u * id.x + i < params.cols) { sums[4u * id.x + i] = sum[i]; }
    }
  }
}
