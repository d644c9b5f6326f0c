// Argmax over rows: index = the column of the largest element, the lowest where several are largest.
// Gradient: none; it jumps.
// One invocation searches one row, four elements at a time in forward_vec4; in forward_workgroup 64 invocations share a row.

struct Params {
  rows: u32,
  columns: u32,  // elements of a row
}

@group(0) @binding(0) var<storage, read> x: array<f32>;            // [rows, columns]
@group(0) @binding(1) var<storage, read_write> index: array<u32>;  // [rows]
@group(1) @binding(0) var<uniform> params: Params;

struct Best {
  value: f32,
  column: u32,
}

// Strictly larger, so that the first of equals stays.
fn better(best: Best, value: f32, column: u32) -> Best {
  if (value > best.value) { return Best(value, column); }
  return best;
}

@compute @workgroup_size(32)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  var best = Best(x[first], 0u);
  for (var column = 1u; column < params.columns; column++) { best = better(best, x[first + column], column); }
  index[row] = best.column;
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;  // [rows, columns / 4]

@compute @workgroup_size(32)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let quads = params.columns / 4u;
  var best = Best(x4[row * quads].x, 0u);
  for (var quad = 0u; quad < quads; quad++) {
    let values = x4[row * quads + quad];
    best = better(best, values.x, 4u * quad);
    best = better(best, values.y, 4u * quad + 1u);
    best = better(best, values.z, 4u * quad + 2u);
    best = better(best, values.w, 4u * quad + 3u);
  }
  index[row] = best.column;
}

const GROUP = 64u;
var<workgroup> bests: array<Best, GROUP>;

@compute @workgroup_size(GROUP)
fn forward_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }  // The whole group returns, so no barrier is left waiting.
  let first = row * params.columns;
  var own = Best(x[first], 0u);
  for (var column = lane; column < params.columns; column += GROUP) { own = better(own, x[first + column], column); }
  bests[lane] = own;
  for (var half_width = GROUP / 2u; half_width > 0u; half_width >>= 1u) {
    workgroupBarrier();
    if (lane < half_width) {
      let a = bests[lane];
      let b = bests[lane + half_width];
      if (b.value > a.value || (b.value == a.value && b.column < a.column)) { bests[lane] = b; }
    }
  }
  if (lane == 0u) { index[row] = bests[0].column; }
}
