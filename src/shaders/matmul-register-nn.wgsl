// Matrix product in registers, both operands row-major: y = a b, batched; inner and cols divisible by 4.
// Shapes: a [batch, rows, inner], b [batch, inner, cols], y [batch, rows, cols], all read and written as vec4 along their last axis.
// One invocation computes a tile of 8 rows by 8 columns; no workgroup memory. With the rows of b as the columns of a matrix B and the
// rows of a as those of A, column i of B·A is Σ_k a[i][k] b[k]: row i of the product.
// Loads beyond an edge are clamped to it and their results dropped at the store, so the inner loop has no branch.

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  a_batch: u32,   // stride from matrix to matrix in vec4, 0 where one serves all
  b_batch: u32,
  batch: u32,
  relu: u32,      // 1: affine ends in ReLU
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;         // [batch, rows, inner]
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;         // [batch, inner, cols]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;   // [batch, rows, cols]
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;      // [cols], affine only
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
  let cols = params.cols / 4u;
  let last = params.rows - 1u;
  let rows = vec4<u32>(8u * id.y) + vec4<u32>(0u, 1u, 2u, 3u);
  var top = id.z * params.a_batch + min(rows, vec4<u32>(last)) * inner;
  var bottom = id.z * params.a_batch + min(rows + 4u, vec4<u32>(last)) * inner;
  var left = id.z * params.b_batch + 2u * id.x;
  var right = id.z * params.b_batch + min(2u * id.x + 1u, cols - 1u);
  var sum = Tile();
  for (var k = 0u; k < inner; k++) {
    let a_top = mat4x4<f32>(a[top.x], a[top.y], a[top.z], a[top.w]);
    let a_bottom = mat4x4<f32>(a[bottom.x], a[bottom.y], a[bottom.z], a[bottom.w]);
    let b_left = mat4x4<f32>(b[left], b[left + cols], b[left + 2u * cols], b[left + 3u * cols]);
    let b_right = mat4x4<f32>(b[right], b[right + cols], b[right + 2u * cols], b[right + 3u * cols]);
    sum.top_left += b_left * a_top;
    sum.top_right += b_right * a_top;
    sum.bottom_left += b_left * a_bottom;
    sum.bottom_right += b_right * a_bottom;
    top += 1u;
    bottom += 1u;
    left += 4u * cols;
    right += 4u * cols;
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

fn shifted(block: mat4x4<f32>, offset: vec4<f32>) -> mat4x4<f32> {
  let sum = block + mat4x4<f32>(offset, offset, offset, offset);
  if (params.relu == 0u) { return sum; }
  let zero = vec4<f32>();
  return mat4x4<f32>(max(sum[0], zero), max(sum[1], zero), max(sum[2], zero), max(sum[3], zero));
}

// y = a b + bias, through ReLU on request
@compute @workgroup_size(4, 4)
fn affine(@builtin(global_invocation_id) id: vec3<u32>) {
  if (outside(id)) { return; }
  let sum = tile(id);
  let left = bias[2u * id.x];
  let right = bias[min(2u * id.x + 1u, params.cols / 4u - 1u)];
  store_tile(Tile(shifted(sum.top_left, left), shifted(sum.top_right, right), shifted(sum.bottom_left, left), shifted(sum.bottom_right, right)), id);
}
