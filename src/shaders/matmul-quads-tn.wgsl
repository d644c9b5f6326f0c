// Matrix product by quads, a transposed: y = aᵀ b, batched; rows, cols and inner divisible by 4. The gradient of an affine layer's weight.
// Shapes: a [batch, inner, rows], b [batch, inner, cols], y [batch, rows, cols], all read and written as vec4 along their last axis.
// A workgroup computes 16 rows, each of its lanes four columns of them, in registers. The four lanes of a quad share what they load of a:
// each loads the rows of its own place in the quad and gets its neighbours' by swaps. Subgroups only move data here, so the order of each
// sum is the plain one, whichever lanes make a quad. A whole workgroup walks the same rows, so no lane may leave before the last swap.
// Loads beyond an edge are clamped to it and their results dropped at the store, so the inner loop has no branch.

enable subgroups;

override lanes: u32 = 32u;

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  a_batch: u32,   // stride from matrix to matrix in vec4, 0 where one serves all
  b_batch: u32,
  batch: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;         // [batch, inner, rows]
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;         // [batch, inner, cols]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;   // [batch, rows, cols]
@group(0) @binding(3) var<storage, read_write> sums: array<vec4<f32>>;   // [cols], weight_gradient only
@group(1) @binding(0) var<uniform> params: Params;

// Part 4 n + s of a lane's tile is row 4 (place ^ s) + n: of the sixteen rows its own four, then those swapped in along x, y and the diagonal.
alias Tile = array<vec4<f32>, 16>;

fn tile(group: vec3<u32>, col: u32, place: u32) -> Tile {
  let rows = params.rows / 4u;
  let cols = params.cols / 4u;
  let in_a = group.z * params.a_batch + min(4u * group.y + place, rows - 1u);
  let in_b = group.z * params.b_batch + min(col, cols - 1u);
  // Sixteen variables, not an array: only so do they stay in registers.
  var own_0 = vec4<f32>(); var own_1 = own_0; var own_2 = own_0; var own_3 = own_0;
  var x_0 = own_0; var x_1 = own_0; var x_2 = own_0; var x_3 = own_0;
  var y_0 = own_0; var y_1 = own_0; var y_2 = own_0; var y_3 = own_0;
  var diagonal_0 = own_0; var diagonal_1 = own_0; var diagonal_2 = own_0; var diagonal_3 = own_0;
  for (var k = 0u; k < params.inner / 4u; k++) {
    let at_b = in_b + 4u * k * cols;
    let rows_of_b = mat4x4<f32>(b[at_b], b[at_b + cols], b[at_b + 2u * cols], b[at_b + 3u * cols]);
    let at_a = in_a + 4u * k * rows;
    let columns_of_a = transpose(mat4x4<f32>(a[at_a], a[at_a + rows], a[at_a + 2u * rows], a[at_a + 3u * rows]));
    let a_0 = columns_of_a[0];
    own_0 += rows_of_b * a_0;
    x_0 += rows_of_b * quadSwapX(a_0);
    y_0 += rows_of_b * quadSwapY(a_0);
    diagonal_0 += rows_of_b * quadSwapDiagonal(a_0);
    let a_1 = columns_of_a[1];
    own_1 += rows_of_b * a_1;
    x_1 += rows_of_b * quadSwapX(a_1);
    y_1 += rows_of_b * quadSwapY(a_1);
    diagonal_1 += rows_of_b * quadSwapDiagonal(a_1);
    let a_2 = columns_of_a[2];
    own_2 += rows_of_b * a_2;
    x_2 += rows_of_b * quadSwapX(a_2);
    y_2 += rows_of_b * quadSwapY(a_2);
    diagonal_2 += rows_of_b * quadSwapDiagonal(a_2);
    let a_3 = columns_of_a[3];
    own_3 += rows_of_b * a_3;
    x_3 += rows_of_b * quadSwapX(a_3);
    y_3 += rows_of_b * quadSwapY(a_3);
    diagonal_3 += rows_of_b * quadSwapDiagonal(a_3);
  }
  return Tile(
    own_0, x_0, y_0, diagonal_0,
    own_1, x_1, y_1, diagonal_1,
    own_2, x_2, y_2, diagonal_2,
    own_3, x_3, y_3, diagonal_3,
  );
}

fn store(value: vec4<f32>, part: u32, group: vec3<u32>, col: u32, place: u32) {
  let row = 16u * group.y + 4u * (place ^ (part & 3u)) + part / 4u;
  if (row < params.rows && 4u * col < params.cols) { y[(group.z * params.rows + row) * (params.cols / 4u) + col] = value; }
}

// y = aᵀ b
@compute @workgroup_size(lanes)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let col = group.x * lanes + lane;
  let place = id & 3u;
  var parts = tile(group, col, place);
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, group, col, place); }
}

// y = aᵀ b and, by the workgroups of the first rows, the sums of b over its inner axis: dW and db of an affine layer
@compute @workgroup_size(lanes)
fn weight_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let col = group.x * lanes + lane;
  let place = id & 3u;
  var parts = tile(group, col, place);
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, group, col, place); }
  let cols = params.cols / 4u;
  if (group.y > 0u || col >= cols) { return; }
  var sum = vec4<f32>();
  for (var k = 0u; k < params.inner; k++) { sum += b[k * cols + col]; }
  sums[col] = sum;
}
