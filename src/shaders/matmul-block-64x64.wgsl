// Matrix product by workgroups, 64 × 64 a workgroup, 4 × 4 a lane: y = a b, batched, either operand transposed; lengths divisible by 4.
// Shapes: a [batch, rows, inner], b [batch, inner, cols], y [batch, rows, cols]; all read and written as vec4 along their last axis in memory.
// The 256 lanes fetch 64 × 32 of a and of b into workgroup memory, a block of 4 × 4 each, then each multiplies from there what it owns.
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

const DEPTH = 32u;                               // of the inner axis at a time
var<workgroup> tile_a: array<vec4<f32>, 512>;    // [32 of inner, 64 rows]
var<workgroup> tile_b: array<vec4<f32>, 512>;    // [32 of inner, 64 cols]

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
  let index = lane % 128u;
  if (lane < 128u) {
    let row = select(index / 8u, index % 16u, a_transposed);
    let depth = select(index % 8u, index / 16u, a_transposed);
    let block = block_of_a(64u * group.y + 4u * row, k + 4u * depth, group.z);
    for (var j = 0u; j < 4u; j++) { tile_a[(4u * depth + j) * 16u + row] = block[j]; }
  } else {
    let col = select(index % 16u, index / 8u, b_transposed);
    let depth = select(index / 16u, index % 8u, b_transposed);
    let block = block_of_b(64u * group.x + 4u * col, k + 4u * depth, group.z);
    for (var j = 0u; j < 4u; j++) { tile_b[(4u * depth + j) * 16u + col] = block[j]; }
  }
}

// A lane owns four rows and four columns; part i is row i.
alias Tile = array<vec4<f32>, 4>;

fn tile(group: vec3<u32>, lane: u32) -> Tile {
  var sum_0 = vec4<f32>(); var sum_1 = sum_0; var sum_2 = sum_0; var sum_3 = sum_0;
  for (var k = 0u; k < params.inner; k += DEPTH) {
    fetch(group, lane, k);
    workgroupBarrier();
    for (var j = 0u; j < DEPTH; j++) {
      let p = tile_a[j * 16u + lane / 16u];
      let q = tile_b[j * 16u + lane % 16u];
      sum_0 += q * p.x;
      sum_1 += q * p.y;
      sum_2 += q * p.z;
      sum_3 += q * p.w;
    }
    workgroupBarrier();
  }
  return Tile(sum_0, sum_1, sum_2, sum_3);
}

fn row_of(part: u32, group: vec3<u32>, lane: u32) -> u32 {
  return 64u * group.y + 4u * (lane / 16u) + part;
}

// In vec4.
fn col_of(part: u32, group: vec3<u32>, lane: u32) -> u32 {
  return 16u * group.x + lane % 16u;
}

fn store(value: vec4<f32>, part: u32, group: vec3<u32>, lane: u32) {
  let row = row_of(part, group, lane);
  let col = col_of(part, group, lane);
  let cols = params.cols / 4u;
  if (row < params.rows && col < cols) { y[(group.z * params.rows + row) * cols + col] = value; }
}

// y = a b
@compute @workgroup_size(256)
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  for (var i = 0u; i < 4u; i++) { store(parts[i], i, group, lane); }
}

// y = a b + bias, through ReLU on request
@compute @workgroup_size(256)
fn affine(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  for (var i = 0u; i < 4u; i++) {
    let sum = parts[i] + bias[min(col_of(i, group, lane), params.cols / 4u - 1u)];
    store(select(sum, max(sum, vec4<f32>()), params.relu == 1u), i, group, lane);
  }
}

// y = a b where gate > 0, else 0: the gradient of ReLU in the same breath
@compute @workgroup_size(256)
fn masked(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  let cols = params.cols / 4u;
  for (var i = 0u; i < 4u; i++) {
    let row = min(row_of(i, group, lane), params.rows - 1u);
    let open = gate[(group.z * params.rows + row) * cols + min(col_of(i, group, lane), cols - 1u)] > vec4<f32>();
    store(select(vec4<f32>(), parts[i], open), i, group, lane);
  }
}

// y = a b and, by the workgroups of the first rows, the sums of b over its inner axis: dW and db of an affine layer
@compute @workgroup_size(256)
fn weight_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var parts = tile(group, lane);
  for (var i = 0u; i < 4u; i++) { store(parts[i], i, group, lane); }
  let cols = params.cols / 4u;
  let col = 16u * group.x + lane;
  if (group.y > 0u || lane >= 16u || col >= cols) { return; }
  var sum = vec4<f32>();
  for (var k = 0u; k < params.inner; k++) { sum += b[k * cols + col]; }
  sums[col] = sum;
}
