// Matrix product by workgroups, 128 × 64 a workgroup, 8 × 8 a lane: y = a b, batched, either operand transposed; lengths divisible by 4.
// Shapes: a [batch, rows, inner], b [batch, inner, cols], y [batch, rows, cols]; all read and written as vec4 along their last axis in memory.
// The 128 lanes fetch 128 × 16 of a and 64 × 16 of b into workgroup memory, in blocks of 4 × 4, then each multiplies from there what it owns.
// Loads beyond an edge are clamped to it and their results dropped at the store; beyond the inner axis they are zero.
// Made for GPUs, and unmeasured on one: on a processor, where workgroup memory is no faster than any other, it is slow.
// Source: Volkov, Demmel 2008, "Benchmarking GPUs to tune dense linear algebra".

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

const DEPTH = 16u;                               // of the inner axis at a time
var<workgroup> tile_a: array<vec4<f32>, 512>;    // [16 of inner, 128 rows]
var<workgroup> tile_b: array<vec4<f32>, 256>;    // [16 of inner, 64 cols]

// Four rows of a from `row` on, at four places of the inner axis from `k` on: column j holds the rows at k + j. Beyond the inner axis zero.
fn block_of_a(row: u32, k: u32, batch: u32) -> mat4x4<f32> {
  if (k >= params.inner) { return mat4x4<f32>(); }
  let first = batch * params.a_batch;
  if (a_transposed) {
    let rows = params.rows / 4u;
    let at = first + k * rows + min(row / 4u, rows - 1u);
    return mat4x4<f32>(a[at], a[at + rows], a[at + 2u * rows], a[at + 3u * rows]);
  }
  let at = first + min(row + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.rows - 1u)) * (params.inner / 4u) + k / 4u;
  return transpose(mat4x4<f32>(a[at.x], a[at.y], a[at.z], a[at.w]));
}

// The same of the columns of b.
fn block_of_b(col: u32, k: u32, batch: u32) -> mat4x4<f32> {
  if (k >= params.inner) { return mat4x4<f32>(); }
  let first = batch * params.b_batch;
  if (b_transposed) {
    let at = first + min(col + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.cols - 1u)) * (params.inner / 4u) + k / 4u;
    return transpose(mat4x4<f32>(b[at.x], b[at.y], b[at.z], b[at.w]));
  }
  let cols = params.cols / 4u;
  let at = first + k * cols + min(col / 4u, cols - 1u);
  return mat4x4<f32>(b[at], b[at + cols], b[at + 2u * cols], b[at + 3u * cols]);
}

// Lanes side by side fetch what lies side by side.
fn fetch(group: vec3<u32>, lane: u32, k: u32) {
  let row = select(lane / 4u, lane % 32u, a_transposed);
  let depth_a = select(lane % 4u, lane / 32u, a_transposed);
  let rows = block_of_a(128u * group.y + 4u * row, k + 4u * depth_a, group.z);
  for (var j = 0u; j < 4u; j++) { tile_a[(4u * depth_a + j) * 32u + row] = rows[j]; }
  if (lane >= 64u) { return; }
  let col = select(lane % 16u, lane / 4u, b_transposed);
  let depth_b = select(lane / 16u, lane % 4u, b_transposed);
  let cols = block_of_b(64u * group.x + 4u * col, k + 4u * depth_b, group.z);
  for (var j = 0u; j < 4u; j++) { tile_b[(4u * depth_b + j) * 16u + col] = cols[j]; }
}

// A lane owns two times four rows, 64 apart, and two times four columns, 32 apart. Parts are rows: of the top left, the top right, the bottom.
alias Tile = array<vec4<f32>, 16>;

fn tile(group: vec3<u32>, lane: u32) -> Tile {
  var top_left_0 = vec4<f32>(); var top_left_1 = top_left_0; var top_left_2 = top_left_0; var top_left_3 = top_left_0;
  var top_right_0 = vec4<f32>(); var top_right_1 = top_right_0; var top_right_2 = top_right_0; var top_right_3 = top_right_0;
  var bottom_left_0 = vec4<f32>(); var bottom_left_1 = bottom_left_0; var bottom_left_2 = bottom_left_0; var bottom_left_3 = bottom_left_0;
  var bottom_right_0 = vec4<f32>(); var bottom_right_1 = bottom_right_0; var bottom_right_2 = bottom_right_0; var bottom_right_3 = bottom_right_0;
  for (var k = 0u; k < params.inner; k += DEPTH) {
    fetch(group, lane, k);
    workgroupBarrier();
    for (var j = 0u; j < DEPTH; j++) {
      let p_top = tile_a[j * 32u + lane / 8u];
      let p_bottom = tile_a[j * 32u + 16u + lane / 8u];
      let q_left = tile_b[j * 16u + lane % 8u];
      let q_right = tile_b[j * 16u + 8u + lane % 8u];
      top_left_0 += q_left * p_top.x;
      top_left_1 += q_left * p_top.y;
      top_left_2 += q_left * p_top.z;
      top_left_3 += q_left * p_top.w;
      top_right_0 += q_right * p_top.x;
      top_right_1 += q_right * p_top.y;
      top_right_2 += q_right * p_top.z;
      top_right_3 += q_right * p_top.w;
      bottom_left_0 += q_left * p_bottom.x;
      bottom_left_1 += q_left * p_bottom.y;
      bottom_left_2 += q_left * p_bottom.z;
      bottom_left_3 += q_left * p_bottom.w;
      bottom_right_0 += q_right * p_bottom.x;
      bottom_right_1 += q_right * p_bottom.y;
      bottom_right_2 += q_right * p_bottom.z;
      bottom_right_3 += q_right * p_bottom.w;
    }
    workgroupBarrier();
  }
  return Tile(
    top_left_0, top_left_1, top_left_2, top_left_3,
    top_right_0, top_right_1, top_right_2, top_right_3,
    bottom_left_0, bottom_left_1, bottom_left_2, bottom_left_3,
    bottom_right_0, bottom_right_1, bottom_right_2, bottom_right_3,
  );
}

fn row_of(part: u32, group: vec3<u32>, lane: u32) -> u32 {
  return 128u * group.y + 64u * (part / 8u) + 4u * (lane / 8u) + part % 4u;
}

// In vec4.
fn col_of(part: u32, group: vec3<u32>, lane: u32) -> u32 {
  return 16u * group.x + 8u * ((part / 4u) % 2u) + lane % 8u;
}

fn store(value: vec4<f32>, part: u32, group: vec3<u32>, lane: u32) {
  let row = row_of(part, group, lane);
  let col = col_of(part, group, lane);
  let cols = params.cols / 4u;
  if (row < params.rows && col < cols) { y[(group.z * params.rows + row) * cols + col] = value; }
}

// y = a b
@compute @workgroup_size(128)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, group, lane); }
}

// y = a b + bias, through ReLU on request
@compute @workgroup_size(128)
fn affine(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  for (var i = 0u; i < 16u; i++) {
    let sum = parts[i] + bias[min(col_of(i, group, lane), params.cols / 4u - 1u)];
    store(select(sum, max(sum, vec4<f32>()), params.relu == 1u), i, group, lane);
  }
}

// y = a b where gate > 0, else 0: the gradient of ReLU in the same breath
@compute @workgroup_size(128)
fn masked(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  let cols = params.cols / 4u;
  for (var i = 0u; i < 16u; i++) {
    let row = min(row_of(i, group, lane), params.rows - 1u);
    let open = gate[(group.z * params.rows + row) * cols + min(col_of(i, group, lane), cols - 1u)] > vec4<f32>();
    store(select(vec4<f32>(), parts[i], open), i, group, lane);
  }
}

// y = a b and, by the workgroups of the first rows, the sums of b over its inner axis: dW and db of an affine layer
@compute @workgroup_size(128)
fn weight_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, group, lane); }
  let cols = params.cols / 4u;
  let col = 16u * group.x + lane;
  if (group.y > 0u || lane >= 16u || col >= cols) { return; }
  var sum = vec4<f32>();
  for (var k = 0u; k < params.inner; k++) { sum += b[k * cols + col]; }
  sums[col] = sum;
}
