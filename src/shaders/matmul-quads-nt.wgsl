// Matrix product by quads, b transposed: y = a bᵀ, batched; inner and cols divisible by 4. The gradient of an affine layer's input.
// Shapes: a [batch, rows, inner], b [batch, cols, inner], y [batch, rows, cols], all read and written as vec4 along their last axis.
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

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;         // [batch, rows, inner]
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;         // [batch, cols, inner]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;   // [batch, rows, cols]
@group(0) @binding(3) var<storage, read> gate: array<vec4<f32>>;      // [batch, rows, cols], masked only
@group(1) @binding(0) var<uniform> params: Params;

// Part 4 n + s of a lane's tile is row 4 n + (place ^ s): of each four rows its own, then those swapped in along x, y and the diagonal.
alias Tile = array<vec4<f32>, 16>;

fn tile(group: vec3<u32>, col: u32, place: u32) -> Tile {
  let inner = params.inner / 4u;
  let rows = min(16u * group.y + place + vec4<u32>(0u, 4u, 8u, 12u), vec4<u32>(params.rows - 1u));
  let in_a = group.z * params.a_batch + rows * inner;
  let in_b = group.z * params.b_batch + min(4u * col + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.cols - 1u)) * inner;
  // Sixteen variables, not an array: only so do they stay in registers.
  var own_0 = vec4<f32>(); var own_1 = own_0; var own_2 = own_0; var own_3 = own_0;
  var x_0 = own_0; var x_1 = own_0; var x_2 = own_0; var x_3 = own_0;
  var y_0 = own_0; var y_1 = own_0; var y_2 = own_0; var y_3 = own_0;
  var diagonal_0 = own_0; var diagonal_1 = own_0; var diagonal_2 = own_0; var diagonal_3 = own_0;
  for (var k = 0u; k < inner; k++) {
    let columns_of_b = transpose(mat4x4<f32>(b[in_b.x + k], b[in_b.y + k], b[in_b.z + k], b[in_b.w + k]));
    let a_0 = a[in_a.x + k];
    own_0 += columns_of_b * a_0;
    x_0 += columns_of_b * quadSwapX(a_0);
    y_0 += columns_of_b * quadSwapY(a_0);
    diagonal_0 += columns_of_b * quadSwapDiagonal(a_0);
    let a_1 = a[in_a.y + k];
    own_1 += columns_of_b * a_1;
    x_1 += columns_of_b * quadSwapX(a_1);
    y_1 += columns_of_b * quadSwapY(a_1);
    diagonal_1 += columns_of_b * quadSwapDiagonal(a_1);
    let a_2 = a[in_a.z + k];
    own_2 += columns_of_b * a_2;
    x_2 += columns_of_b * quadSwapX(a_2);
    y_2 += columns_of_b * quadSwapY(a_2);
    diagonal_2 += columns_of_b * quadSwapDiagonal(a_2);
    let a_3 = a[in_a.w + k];
    own_3 += columns_of_b * a_3;
    x_3 += columns_of_b * quadSwapX(a_3);
    y_3 += columns_of_b * quadSwapY(a_3);
    diagonal_3 += columns_of_b * quadSwapDiagonal(a_3);
  }
  return Tile(
    own_0, x_0, y_0, diagonal_0,
    own_1, x_1, y_1, diagonal_1,
    own_2, x_2, y_2, diagonal_2,
    own_3, x_3, y_3, diagonal_3,
  );
}

fn row_of(part: u32, group: vec3<u32>, place: u32) -> u32 {
  return 16u * group.y + (part & 12u) + (place ^ (part & 3u));
}

fn store(value: vec4<f32>, part: u32, group: vec3<u32>, col: u32, place: u32) {
  let row = row_of(part, group, place);
  if (row < params.rows && 4u * col < params.cols) { y[(group.z * params.rows + row) * (params.cols / 4u) + col] = value; }
}

// y = a bᵀ
@compute @workgroup_size(lanes)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let col = group.x * lanes + lane;
  let place = id & 3u;
  var parts = tile(group, col, place);
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, group, col, place); }
}

// y = a bᵀ where gate > 0, else 0: the gradient of ReLU in the same breath
@compute @workgroup_size(lanes)
fn masked(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let col = group.x * lanes + lane;
  let place = id & 3u;
  var parts = tile(group, col, place);
  for (var i = 0u; i < 16u; i++) {
    let row = min(row_of(i, group, place), params.rows - 1u);
    let open = gate[(group.z * params.rows + row) * (params.cols / 4u) + min(col, params.cols / 4u - 1u)] > vec4<f32>();
    store(select(vec4<f32>(), parts[i], open), i, group, col, place);
  }
}
