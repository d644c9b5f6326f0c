// Matrix product in registers, b transposed: y = a bᵀ, batched; inner and cols divisible by 4. The gradient of an affine layer's input.
// Shapes: a [batch, rows, inner], b [batch, cols, inner], y [batch, rows, cols], all read and written as vec4 along their last axis.
// One invocation computes a tile of 8 rows by 8 columns; no workgroup memory. With the rows of b as the columns of a matrix B and the
// rows of a as those of A, column i of Bᵀ·A is Σ_k a[i][k] b[j][k] over j: row i of the product.
// Loads beyond an edge are clamped to it and their results dropped at the store, so the inner loop has no branch.

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  a_batch: u32,   // stride from matrix to matrix in vec4, 0 where one serves all
  b_batch: u32,
  batch: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;         // [batch, rows, inner]
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;         // [batch, cols, inner]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;   // [batch, rows, cols]
@group(0) @binding(3) var<storage, read> gate: array<vec4<f32>>;      // [batch, rows, cols], masked only
@group(1) @binding(0) var<uniform> params: Params;

// Each 4×4 block holds row i of its part of the tile in column i.
struct Tile {
  top_left: mat4x4<f32>,
  top_right: mat4x4<f32>,
  bottom_left: mat4x4<f32>,
  bottom_right: mat4x4<f32>,
}

fn tile(id: vec3<u32>) -> Tile {
  let inner = params.inner / 4u;
  let step = vec4<u32>(0u, 1u, 2u, 3u);
  let last_row = vec4<u32>(params.rows - 1u);
  let last_col = vec4<u32>(params.cols - 1u);
  var top = id.z * params.a_batch + min(8u * id.y + step, last_row) * inner;
  var bottom = id.z * params.a_batch + min(8u * id.y + 4u + step, last_row) * inner;
  var left = id.z * params.b_batch + min(8u * id.x + step, last_col) * inner;
  var right = id.z * params.b_batch + min(8u * id.x + 4u + step, last_col) * inner;
  var sum = Tile();
  for (var k = 0u; k < inner; k++) {
    let a_top = mat4x4<f32>(a[top.x], a[top.y], a[top.z], a[top.w]);
    let a_bottom = mat4x4<f32>(a[bottom.x], a[bottom.y], a[bottom.z], a[bottom.w]);
    let b_left = transpose(mat4x4<f32>(b[left.x], b[left.y], b[left.z], b[left.w]));
    let b_right = transpose(mat4x4<f32>(b[right.x], b[right.y], b[right.z], b[right.w]));
    sum.top_left += b_left * a_top;
    sum.top_right += b_right * a_top;
    sum.bottom_left += b_left * a_bottom;
    sum.bottom_right += b_right * a_bottom;
    top += 1u;
    bottom += 1u;
    left += 1u;
    right += 1u;
  }
  return sum;
}

fn outside(id: vec3<u32>) -> bool {
  return 8u * id.x >= params.cols || 8u * id.y >= params.rows || id.z >= params.batch;
}

fn store_row(left: vec4<f32>, right: vec4<f32>, row: u32, id: vec3<u32>) {
  if (row >= params.rows) { return; }
  let at = (id.z * params.rows + row) * (params.cols / 4u) + 2u * id.x;
  y[at] = left;
  if (8u * id.x + 4u < params.cols) { y[at + 1u] = right; }
}

fn store_tile(sum: Tile, id: vec3<u32>) {
  var parts = sum;
  for (var i = 0u; i < 4u; i++) {
    store_row(parts.top_left[i], parts.top_right[i], 8u * id.y + i, id);
    store_row(parts.bottom_left[i], parts.bottom_right[i], 8u * id.y + 4u + i, id);
  }
}

// y = a b
@compute @workgroup_size(4, 4)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
  if (outside(id)) { return; }
  store_tile(tile(id), id);
}

// The part of a row that passes an open gate.
fn gated_row(left: vec4<f32>, right: vec4<f32>, row: u32, id: vec3<u32>) {
  let cols = params.cols / 4u;
  let at = (id.z * params.rows + min(row, params.rows - 1u)) * cols;
  let zero = vec4<f32>();
  let open_left = gate[at + 2u * id.x] > zero;
  let open_right = gate[at + min(2u * id.x + 1u, cols - 1u)] > zero;
  store_row(select(zero, left, open_left), select(zero, right, open_right), row, id);
}

// y = a bᵀ where gate > 0, else 0: the gradient of ReLU in the same breath
@compute @workgroup_size(4, 4)
fn masked(@builtin(global_invocation_id) id: vec3<u32>) {
  if (outside(id)) { return; }
  var parts = tile(id);
  for (var i = 0u; i < 4u; i++) {
    gated_row(parts.top_left[i], parts.top_right[i], 8u * id.y + i, id);
    gated_row(parts.bottom_left[i], parts.bottom_right[i], 8u * id.y + 4u + i, id);
  }
}
