// One step of the power iteration u = WᵀW v, v = u_before / ‖u_before‖, for the matrices of a buffer, and Σ_c |W[r, c]| of each row.
// ‖u‖ ≤ σ₁², and tends to it: σ = √‖u‖ is a bound of the largest singular value from below, whatever v.
// rows: an invocation a row, z = W v. columns: an invocation for four columns of 32 rows, their share of Wᵀz. gather: an invocation for four
// columns adds the shares, in order. norms: an invocation a matrix. What is not finite counts as 0.
// Source: Golub, Van Loan 2013, "Matrix computations", 8.2.

struct Params {
  count: u32,
}

struct Matrix {
  first: u32,       // its first float in the buffer, a multiple of 4
  rows: u32,
  columns: u32,
  vector: u32,      // where its v begins, in quads
  product: u32,     // where its z begins
  unused: u32,
}

struct Tile {
  matrix: u32,
  index: u32,       // a row (rows); a quad of columns (columns, gather)
  first_row: u32,   // of 32
  share: u32,       // where the shares of its columns begin, in quads (gather), or its own (columns)
}

struct Norm {
  inverse: f32,     // 1 / ‖u‖
  sigma: f32,
}

const RUN = 32u;

@group(0) @binding(0) var<storage, read> weights4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> matrices: array<Matrix>;
@group(0) @binding(2) var<storage, read> row_tiles: array<vec2<u32>>;        // matrix, row
@group(0) @binding(3) var<storage, read> vector4: array<vec4<f32>>;          // u of the step before
@group(0) @binding(4) var<storage, read> norms: array<Norm>;
@group(0) @binding(5) var<storage, read_write> products: array<f32>;         // z
@group(0) @binding(6) var<storage, read_write> importance: array<f32>;       // Σ_c |W[r, c]|
@group(1) @binding(0) var<uniform> params: Params;

// Four neighbours of a row, 0 past its end and for what is not finite.
fn quad_of(matrix: Matrix, row: u32, quad: u32) -> vec4<f32> {
  let at = matrix.first + row * matrix.columns + 4u * quad;
  var w = vec4<f32>();
  if (at % 4u == 0u && 4u * quad + 3u < matrix.columns) {
    w = weights4[at / 4u];
  } else {
    for (var k = 0u; k < 4u; k++) {
      if (4u * quad + k < matrix.columns) { w[k] = weights4[(at + k) / 4u][(at + k) % 4u]; }
    }
  }
  return select(vec4<f32>(), w, (bitcast<vec4<u32>>(w) & vec4<u32>(0x7f800000u)) != vec4<u32>(0x7f800000u));
}

fn add4(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

fn linear_index(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + lane;
}

@compute @workgroup_size(64)
fn rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = linear_index(group, groups, lane);
  if (at >= params.count) { return; }
  let matrix = matrices[row_tiles[at].x];
  var along = vec4<f32>();
  var absolute = vec4<f32>();
  for (var quad = 0u; quad < (matrix.columns + 3u) / 4u; quad++) {
    let w = quad_of(matrix, row_tiles[at].y, quad);
    along += w * vector4[matrix.vector + quad];
    absolute += abs(w);
  }
  products[at] = add4(along) * norms[row_tiles[at].x].inverse;
  importance[at] = add4(absolute);
}

@group(0) @binding(2) var<storage, read> column_tiles: array<Tile>;
@group(0) @binding(3) var<storage, read> all_products: array<f32>;
@group(0) @binding(4) var<storage, read_write> shares4: array<vec4<f32>>;

@compute @workgroup_size(64)
fn columns(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = linear_index(group, groups, lane);
  if (at >= params.count) { return; }
  let tile = column_tiles[at];
  let matrix = matrices[tile.matrix];
  var total = vec4<f32>();
  for (var row = tile.first_row; row < min(tile.first_row + RUN, matrix.rows); row++) {
    total += all_products[matrix.product + row] * quad_of(matrix, row, tile.index);
  }
  shares4[tile.share] = total;
}

@group(0) @binding(2) var<storage, read> vector_tiles: array<Tile>;
@group(0) @binding(3) var<storage, read> all_shares4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> next_vector4: array<vec4<f32>>;  // u

@compute @workgroup_size(64)
fn gather(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = linear_index(group, groups, lane);
  if (at >= params.count) { return; }
  let tile = vector_tiles[at];
  let matrix = matrices[tile.matrix];
  let quads = (matrix.columns + 3u) / 4u;
  var total = vec4<f32>();
  for (var run = 0u; run < (matrix.rows + RUN - 1u) / RUN; run++) { total += all_shares4[tile.share + run * quads + tile.index]; }
  next_vector4[matrix.vector + tile.index] = total;
}

@group(0) @binding(2) var<storage, read> new_vector4: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> new_norms: array<Norm>;

@compute @workgroup_size(64)
fn measure(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = linear_index(group, groups, lane);
  if (at >= params.count) { return; }
  let matrix = matrices[at];
  let quads = (matrix.columns + 3u) / 4u;
  var largest = 0.0;
  for (var quad = 0u; quad < quads; quad++) {
    let size = abs(new_vector4[matrix.vector + quad]);
    largest = max(largest, max(max(size.x, size.y), max(size.z, size.w)));
  }
  // Divided by the largest first, so that squares of small numbers do not vanish.
  let divisor = select(1.0, largest, largest > 0.0);
  var square = 0.0;
  for (var quad = 0u; quad < quads; quad++) {
    let scaled = new_vector4[matrix.vector + quad] / divisor;
    square += dot(scaled, scaled);
  }
  let length = sqrt(square) * largest;
  new_norms[at] = Norm(select(0.0, 1.0 / sqrt(square) / divisor, largest > 0.0), sqrt(length));
}
