// Matrix product by quads: y = a b, batched, either operand transposed by its strides; scalar loads, any shape.
// Shapes: a [batch, rows, inner], b [batch, inner, cols], y [batch, rows, cols], whatever order their memory is in.
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

// What a lane owns: four columns of the 16 rows of its workgroup.
struct Place {
  row: u32,    // first of the workgroup
  col: u32,    // first of the lane
  batch: u32,
  quad: u32,   // its place in its quad
}

fn place_of(group: vec3<u32>, lane: u32, id: u32) -> Place {
  return Place(16u * group.y, 4u * (group.x * lanes + lane), group.z, id & 3u);
}

fn cols_of(place: Place) -> vec4<u32> {
  return min(place.col + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.cols - 1u));
}

// Part 4 n + s of a lane's tile is row 4 n + (quad ^ s): of each four rows its own, then those swapped in along x, y and the diagonal.
alias Tile = array<vec4<f32>, 16>;

fn tile(place: Place) -> Tile {
  let rows = min(place.row + place.quad + vec4<u32>(0u, 4u, 8u, 12u), vec4<u32>(params.rows - 1u));
  let in_a = place.batch * params.a_batch + rows * params.a_row;
  let in_b = place.batch * params.b_batch + cols_of(place) * params.b_col;
  // Sixteen variables, not an array: only so do they stay in registers.
  var own_0 = vec4<f32>(); var own_1 = own_0; var own_2 = own_0; var own_3 = own_0;
  var x_0 = own_0; var x_1 = own_0; var x_2 = own_0; var x_3 = own_0;
  var y_0 = own_0; var y_1 = own_0; var y_2 = own_0; var y_3 = own_0;
  var diagonal_0 = own_0; var diagonal_1 = own_0; var diagonal_2 = own_0; var diagonal_3 = own_0;
  for (var k = 0u; k < params.inner; k++) {
    let at_a = in_a + k * params.a_inner;
    let at_b = in_b + k * params.b_inner;
    let p = vec4<f32>(a[at_a.x], a[at_a.y], a[at_a.z], a[at_a.w]);
    let q = vec4<f32>(b[at_b.x], b[at_b.y], b[at_b.z], b[at_b.w]);
    own_0 += q * p.x;
    own_1 += q * p.y;
    own_2 += q * p.z;
    own_3 += q * p.w;
    let p_x = quadSwapX(p);
    x_0 += q * p_x.x;
    x_1 += q * p_x.y;
    x_2 += q * p_x.z;
    x_3 += q * p_x.w;
    let p_y = quadSwapY(p);
    y_0 += q * p_y.x;
    y_1 += q * p_y.y;
    y_2 += q * p_y.z;
    y_3 += q * p_y.w;
    let p_diagonal = quadSwapDiagonal(p);
    diagonal_0 += q * p_diagonal.x;
    diagonal_1 += q * p_diagonal.y;
    diagonal_2 += q * p_diagonal.z;
    diagonal_3 += q * p_diagonal.w;
  }
  return Tile(
    own_0, x_0, y_0, diagonal_0,
    own_1, x_1, y_1, diagonal_1,
    own_2, x_2, y_2, diagonal_2,
    own_3, x_3, y_3, diagonal_3,
  );
}

fn row_of(part: u32, place: Place) -> u32 {
  return place.row + (part & 12u) + (place.quad ^ (part & 3u));
}

fn store(values: vec4<f32>, part: u32, place: Place) {
  let row = row_of(part, place);
  if (row >= params.rows) { return; }
  let at = (place.batch * params.rows + row) * params.cols + place.col;
  var value = values;
  for (var j = 0u; j < 4u; j++) {
    if (place.col + j < params.cols) { y[at + j] = value[j]; }
  }
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
  let cols = cols_of(place);
  let offset = vec4<f32>(bias[cols.x], bias[cols.y], bias[cols.z], bias[cols.w]);
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
  for (var i = 0u; i < 16u; i++) {
    let at = (place.batch * params.rows + min(row_of(i, place), params.rows - 1u)) * params.cols + cols_of(place);
    let open = vec4<f32>(gate[at.x], gate[at.y], gate[at.z], gate[at.w]) > vec4<f32>();
    store(select(vec4<f32>(), parts[i], open), i, place);
  }
}

// y = a b and, by the workgroups of the first rows, the sums of b over its inner axis: dW and db of an affine layer
@compute @workgroup_size(lanes)
fn weight_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) id: u32) {
  let place = place_of(group, lane, id);
  var parts = tile(place);
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, place); }
  if (place.row > 0u) { return; }
  for (var col = place.col; col < min(place.col + 4u, params.cols); col++) {
    var sum = 0.0;
    for (var k = 0u; k < params.inner; k++) { sum += b[k * params.b_inner + col * params.b_col]; }
    sums[col] = sum;
  }
}
