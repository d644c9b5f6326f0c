// Matrix product in registers, a transposed: y = aᵀ b, batched; rows, cols and inner divisible by 4. The gradient of an affine layer's weight.
// Shapes: a [batch, inner, rows], b [batch, inner, cols], y [batch, rows, cols], all read and written as vec4 along their last axis.
// One invocation computes a tile of 8 rows by 8 columns; no workgroup memory. With four rows of b as the columns of a matrix B and four
// rows of a as those of A, column i of B·Aᵀ is Σ_k a[k][i] b[k]: row i of the product.
// Loads beyond an edge are clamped to it and their results dropped at the store, so the inner loop has no branch.

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  a_batch: u32,   // stride from matrix to matrix in vec4, 0 where one serves all
  b_batch: u32,
  batch: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;            // [batch, inner, rows]
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;            // [batch, inner, cols]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;      // [batch, rows, cols]
@group(0) @binding(3) var<storage, read_write> sums: array<vec4<f32>>;   // [cols], weight_gradient only
@group(1) @binding(0) var<uniform> params: Params;

// Each 4×4 block holds row i of its part of the tile in column i.
struct Tile {
  top_left: mat4x4<f32>,
  top_right: mat4x4<f32>,
  bottom_left: mat4x4<f32>,
  bottom_right: mat4x4<f32>,
}

fn tile(id: vec3<u32>) -> Tile {
  let rows = params.rows / 4u;
  let cols = params.cols / 4u;
  var top = id.z * params.a_batch + 2u * id.y;
  var bottom = id.z * params.a_batch + min(2u * id.y + 1u, rows - 1u);
  var left = id.z * params.b_batch + 2u * id.x;
  var right = id.z * params.b_batch + min(2u * id.x + 1u, cols - 1u);
  var sum = Tile();
  for (var k = 0u; k < params.inner / 4u; k++) {
    let a_top = transpose(mat4x4<f32>(a[top], a[top + rows], a[top + 2u * rows], a[top + 3u * rows]));
    let a_bottom = transpose(mat4x4<f32>(a[bottom], a[bottom + rows], a[bottom + 2u * rows], a[bottom + 3u * rows]));
    let b_left = mat4x4<f32>(b[left], b[left + cols], b[left + 2u * cols], b[left + 3u * cols]);
    let b_right = mat4x4<f32>(b[right], b[right + cols], b[right + 2u * cols], b[right + 3u * cols]);
    sum.top_left += b_left * a_top;
    sum.top_right += b_right * a_top;
    sum.bottom_left += b_left * a_bottom;
    sum.bottom_right += b_right * a_bottom;
    top += 4u * rows;
    bottom += 4u * rows;
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

// y = aᵀ b
@compute @workgroup_size(4, 4)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
  if (outside(id)) { return; }
  store_tile(tile(id), id);
}

// y = aᵀ b and, by the invocations of the first rows, the sums of b over its inner axis: dW and db of an affine layer
@compute @workgroup_size(4, 4)
fn weight_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
  if (outside(id)) { return; }
  store_tile(tile(id), id);
  if (id.y > 0u) { return; }
  let cols = params.cols / 4u;
  for (var col = 2u * id.x; col < min(2u * id.x + 2u, cols); col++) {
    var sum = vec4<f32>();
    for (var k = 0u; k < params.inner; k++) { sum += b[k * cols + col]; }
    sums[col] = sum;
  }
}
