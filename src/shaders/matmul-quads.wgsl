// Matrix product by quads: y = a b, batched, either operand transposed; all lengths divisible by 4.
// Shapes: a [batch, rows, inner], b [batch, inner, cols], y [batch, rows, cols]; all read and written as vec4 along their last axis in memory.
// A workgroup computes 16 rows, each of its lanes four columns of them, in registers. The four lanes of a quad share what they load of a:
// each loads the rows of its own place in the quad and gets its neighbours' by swaps. Subgroups only move data here, so the order of each
// sum is the plain one, whichever lanes make a quad. A whole workgroup walks the same rows, so no lane may leave before the last swap.
// Loads beyond an edge are clamped to it and their results dropped at the store, so the inner loop has no branch.

enable subgroups;

override lanes: u32 = 32u;
override a_transposed: bool = false;
override b_transposed: bool = false;

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  a_batch: u32,   // stride from matrix to matrix in vec4, 0 where one serves all
  b_batch: u32,
  batch: u32,
  relu: u32,      // 1: affine ends in ReLU
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;            // [batch, rows, inner], transposed [batch, inner, rows]
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;            // [batch, inner, cols], transposed [batch, cols, inner]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;      // [batch, rows, cols]
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;         // [cols], affine only
@group(0) @binding(4) var<storage, read> gate: array<vec4<f32>>;         // [batch, rows, cols], masked only
@group(0) @binding(5) var<storage, read_write> sums: array<vec4<f32>>;   // [cols], weight_gradient only
@group(1) @binding(0) var<uniform> params: Params;

// What a lane owns: four columns of the 16 rows of its workgroup.
struct Place {
  row: u32,    // first of the workgroup
  col: u32,    // of the lane, in vec4
  batch: u32,
  quad: u32,   // its place in its quad
}

fn place_of(group: vec3<u32>, lane: u32, id: u32) -> Place {
  return Place(16u * group.y, group.x * lanes + lane, group.z, id & 3u);
}

const FOUR = vec4<u32>(0u, 1u, 2u, 3u);

// Four rows of a at inner places 4k to 4k + 3, one a column; `at` is where they begin.
fn rows_of_a(at: vec4<u32>, k: u32) -> mat4x4<f32> {
  if (!a_transposed) { return mat4x4<f32>(a[at.x + k], a[at.y + k], a[at.z + k], a[at.w + k]); }
  let rows = params.rows / 4u;
  let first = at.x + 4u * k * rows;
  return transpose(mat4x4<f32>(a[first], a[first + rows], a[first + 2u * rows], a[first + 3u * rows]));
}

// Four columns of b at the same places, one a row.
fn columns_of_b(at: vec4<u32>, k: u32) -> mat4x4<f32> {
  if (b_transposed) { return transpose(mat4x4<f32>(b[at.x + k], b[at.y + k], b[at.z + k], b[at.w + k])); }
  let cols = params.cols / 4u;
  let first = at.x + 4u * k * cols;
  return mat4x4<f32>(b[first], b[first + cols], b[first + 2u * cols], b[first + 3u * cols]);
}

// Part 4 n + s of a lane's tile is what it loads as row n, or its neighbour in the quad: itself, along x, along y, along the diagonal.
alias Tile = array<vec4<f32>, 16>;

fn row_of(part: u32, place: Place) -> u32 {
  let quad = place.quad ^ (part & 3u);
  return place.row + select(quad + (part & 12u), 4u * quad + part / 4u, a_transposed);
}

fn tile(place: Place) -> Tile {
  let inner = params.inner / 4u;
  let rows = min(place.row + place.quad + 4u * FOUR, vec4<u32>(params.rows - 1u)) * inner;
  let cols = min(4u * place.col + FOUR, vec4<u32>(params.cols - 1u)) * inner;
  let first_row = vec4<u32>(min(place.row / 4u + place.quad, params.rows / 4u - 1u));
  let first_col = vec4<u32>(min(place.col, params.cols / 4u - 1u));
  let at_a = place.batch * params.a_batch + select(rows, first_row, a_transposed);
  let at_b = place.batch * params.b_batch + select(first_col, cols, b_transposed);
  // Sixteen variables, not an array: only so do they stay in registers.
  var own_0 = vec4<f32>(); var own_1 = own_0; var own_2 = own_0; var own_3 = own_0;
  var x_0 = own_0; var x_1 = own_0; var x_2 = own_0; var x_3 = own_0;
  var y_0 = own_0; var y_1 = own_0; var y_2 = own_0; var y_3 = own_0;
  var diagonal_0 = own_0; var diagonal_1 = own_0; var diagonal_2 = own_0; var diagonal_3 = own_0;
  for (var k = 0u; k < inner; k++) {
    let q = columns_of_b(at_b, k);
    let p = rows_of_a(at_a, k);
    own_0 += q * p[0];
    x_0 += q * quadSwapX(p[0]);
    y_0 += q * quadSwapY(p[0]);
    diagonal_0 += q * quadSwapDiagonal(p[0]);
    own_1 += q * p[1];
    x_1 += q * quadSwapX(p[1]);
    y_1 += q * quadSwapY(p[1]);
    diagonal_1 += q * quadSwapDiagonal(p[1]);
    own_2 += q * p[2];
    x_2 += q * quadSwapX(p[2]);
    y_2 += q * quadSwapY(p[2]);
    diagonal_2 += q * quadSwapDiagonal(p[2]);
    own_3 += q * p[3];
    x_3 += q * quadSwapX(p[3]);
    y_3 += q * quadSwapY(p[3]);
    diagonal_3 += q * quadSwapDiagonal(p[3]);
  }
  return Tile(
    own_0, x_0, y_0, diagonal_0,
    own_1, x_1, y_1, diagonal_1,
    own_2, x_2, y_2, diagonal_2,
    own_3, x_3, y_3, diagonal_3,
  );
}

fn store(value: vec4<f32>, part: u32, place: Place) {
  let row = row_of(part, place);
  let cols = params.cols / 4u;
  if (row < params.rows && place.col < cols) { y[(place.batch * params.rows + row) * cols + place.col] = value; }
}

// y = a b
@compute @workgroup_size(lanes)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let place = place_of(group, lane, id);
  var parts = tile(place);
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, place); }
}

// y = a b + bias, through ReLU on request
@compute @workgroup_size(lanes)
fn affine(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let place = place_of(group, lane, id);
  var parts = tile(place);
  let offset = bias[min(place.col, params.cols / 4u - 1u)];
  for (var i = 0u; i < 16u; i++) {
    let sum = parts[i] + offset;
    store(select(sum, max(sum, vec4<f32>()), params.relu == 1u), i, place);
  }
}

// y = a b where gate > 0, else 0: the gradient of ReLU in the same breath
@compute @workgroup_size(lanes)
fn masked(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let place = place_of(group, lane, id);
  var parts = tile(place);
  let cols = params.cols / 4u;
  for (var i = 0u; i < 16u; i++) {
    let row = place.batch * params.rows + min(row_of(i, place), params.rows - 1u);
    let open = gate[row * cols + min(place.col, cols - 1u)] > vec4<f32>();
    store(select(vec4<f32>(), parts[i], open), i, place);
  }
}

// y = a b and, by the workgroups of the first rows, the sums of b over its inner axis: dW and db of an affine layer
@compute @workgroup_size(lanes)
fn weight_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let place = place_of(group, lane, id);
  var parts = tile(place);
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, place); }
  let cols = params.cols / 4u;
  if (place.row > 0u || place.col >= cols) { return; }
  var sum = vec4<f32>();
  for (var k = 0u; k < params.inner; k++) { sum += b[k * cols + place.col]; }
  sums[place.col] = sum;
}
