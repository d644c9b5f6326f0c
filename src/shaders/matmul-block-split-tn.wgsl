// Matrix product by workgroups that split the sum, 64 × 64 a workgroup, 8 × 8 a lane: y = aᵀ b, batched; lengths divisible by 4.
// The gradient of an affine layer's weight, where the inner axis, the batch, is long beside y, so that few workgroups would have much to do each.
// Shapes: a [batch, inner, rows], b [batch, inner, cols], y [batch, rows, cols], all read and written as vec4 along their last axis.
// The 256 lanes are four slices of 64. Of each 16 places of the inner axis in workgroup memory a slice takes four; at the end the slices'
// sums are added in their order, so the result is the same every time. No product whose result belongs to one example may be split so.
// Loads beyond an edge are clamped to it and their results dropped at the store; beyond the inner axis they are zero.
// Made for GPUs, and unmeasured on one: on a processor, where workgroup memory is no faster than any other, it is slow.
// Source: split sums as in Thakkar et al. 2023, CUTLASS ("sliced-K").

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

const DEPTH = 16u;                              // of the inner axis at a time, four for each slice
const IN_B = 256u;                              // where b begins in workgroup memory
var<workgroup> shared_tile: array<vec4<f32>, 1024>;  // a [16 of inner, 64 rows], b [16 of inner, 64 cols]; at the end the sums of a slice

// Each lane fetches one vec4 of a and one of b; lanes side by side, what lies side by side.
fn fetch(group: vec3<u32>, lane: u32, k: u32) {
  let rows = params.rows / 4u;
  let cols = params.cols / 4u;
  let depth = k + lane / 16u;
  let inside = depth < params.inner;
  let place = min(depth, params.inner - 1u);
  let p = a[group.z * params.a_batch + place * rows + min(16u * group.y + lane % 16u, rows - 1u)];
  let q = b[group.z * params.b_batch + place * cols + min(16u * group.x + lane % 16u, cols - 1u)];
  shared_tile[lane] = select(vec4<f32>(), p, inside);
  shared_tile[IN_B + lane] = select(vec4<f32>(), q, inside);
}

// A lane owns two times four rows, 32 apart, and two times four columns, 32 apart. Parts are rows: of the top left, the top right, the bottom.
alias Tile = array<vec4<f32>, 16>;

// The lanes of the first slice get the sums.
fn tile(group: vec3<u32>, lane: u32) -> Tile {
  let slice = lane / 64u;
  let own = lane % 64u;
  var top_left_0 = vec4<f32>(); var top_left_1 = top_left_0; var top_left_2 = top_left_0; var top_left_3 = top_left_0;
  var top_right_0 = vec4<f32>(); var top_right_1 = top_right_0; var top_right_2 = top_right_0; var top_right_3 = top_right_0;
  var bottom_left_0 = vec4<f32>(); var bottom_left_1 = bottom_left_0; var bottom_left_2 = bottom_left_0; var bottom_left_3 = bottom_left_0;
  var bottom_right_0 = vec4<f32>(); var bottom_right_1 = bottom_right_0; var bottom_right_2 = bottom_right_0; var bottom_right_3 = bottom_right_0;
  for (var k = 0u; k < params.inner; k += DEPTH) {
    fetch(group, lane, k);
    workgroupBarrier();
    for (var j = 4u * slice; j < 4u * slice + 4u; j++) {
      let p_top = shared_tile[j * 16u + own / 8u];
      let p_bottom = shared_tile[j * 16u + 8u + own / 8u];
      let q_left = shared_tile[IN_B + j * 16u + own % 8u];
      let q_right = shared_tile[IN_B + j * 16u + 8u + own % 8u];
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
  var parts = Tile(
    top_left_0, top_left_1, top_left_2, top_left_3,
    top_right_0, top_right_1, top_right_2, top_right_3,
    bottom_left_0, bottom_left_1, bottom_left_2, bottom_left_3,
    bottom_right_0, bottom_right_1, bottom_right_2, bottom_right_3,
  );
  for (var other = 1u; other < 4u; other++) {
    if (slice == other) {
      for (var i = 0u; i < 16u; i++) { shared_tile[i * 64u + own] = parts[i]; }
    }
    workgroupBarrier();
    if (slice == 0u) {
      for (var i = 0u; i < 16u; i++) { parts[i] += shared_tile[i * 64u + own]; }
    }
    workgroupBarrier();
  }
  return parts;
}

fn row_of(part: u32, group: vec3<u32>, lane: u32) -> u32 {
  return 64u * group.y + 32u * (part / 8u) + 4u * ((lane % 64u) / 8u) + part % 4u;
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

// y = aᵀ b
@compute @workgroup_size(256)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  if (lane >= 64u) { return; }
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, group, lane); }
}

// y = aᵀ b and, by the workgroups of the first rows, the sums of b over its inner axis: dW and db of an affine layer
@compute @workgroup_size(256)
fn weight_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  if (lane >= 64u) { return; }
  for (var i = 0u; i < 16u; i++) { store(parts[i], i, group, lane); }
  let cols = params.cols / 4u;
  let col = 16u * group.x + lane;
  if (group.y > 0u || lane >= 16u || col >= cols) { return; }
  var sum = vec4<f32>();
  for (var k = 0u; k < params.inner; k++) { sum += b[k * cols + col]; }
  sums[col] = sum;
}
