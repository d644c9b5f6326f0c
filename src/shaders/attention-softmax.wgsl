// Attention weights: a_i = e^(θ_i/τ) / Σ_j e^(θ_j/τ) over each row of scores θ; the largest score is subtracted before, which changes nothing
// but keeps every exp within [0, 1]. Where `causal` is 1 the rows are the queries of square matrices and query i sees the keys 0 … i:
// the others get exactly 0.
// Gradient: dθ = (a ⊙ (da − Σ a ⊙ da)) / τ, which is exactly 0 where a is.
// The sum is relative to the largest score met so far and rescaled when a larger one comes (Milakov, Gimelshein 2018).
// One invocation computes one row, four elements at a time in *_vec4; in *_workgroup 64 invocations share a row.

struct Params {
  rows: u32,
  columns: u32,  // elements of a row, the keys
  factor: f32,   // 1 / τ
  causal: u32,   // 1 where a query sees no key after itself
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [rows, columns], the scores θ
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [rows, columns], the weights a
@group(1) @binding(0) var<uniform> params: Params;

// Keys that a row sees, from the first on.
fn visible(row: u32) -> u32 {
  return select(params.columns, row % params.columns + 1u, params.causal == 1u);
}

@compute @workgroup_size(32)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let seen = first + visible(row);
  let end = first + params.columns;
  var largest = x[first];
  var sum = 1.0;
  for (var i = first + 1u; i < seen; i++) {
    let score = x[i];
    if (score > largest) {
      sum = sum * exp(params.factor * (largest - score)) + 1.0;
      largest = score;
    } else {
      sum += exp(params.factor * (score - largest));
    }
  }
  for (var i = first; i < seen; i++) { y[i] = exp(params.factor * (x[i] - largest)) / sum; }
  for (var i = seen; i < end; i++) { y[i] = 0.0; }
}

@group(0) @binding(0) var<storage, read> p: array<f32>;         // [rows, columns], the weights a
@group(0) @binding(1) var<storage, read> dy: array<f32>;        // [rows, columns]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;  // [rows, columns]

@compute @workgroup_size(32)
fn backward_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let end = first + params.columns;
  var mean = 0.0;  // of dy under p
  for (var i = first; i < end; i++) { mean += p[i] * dy[i]; }
  for (var i = first; i < end; i++) { dx[i] = params.factor * p[i] * (dy[i] - mean); }
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;        // [rows, columns / 4]
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<f32>>;  // [rows, columns / 4]

// Which elements of a row's quad are seen.
fn seen_of(quad: u32, keys: u32) -> vec4<bool> {
  return 4u * quad + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(keys);
}

@compute @workgroup_size(32)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let quads = params.columns / 4u;
  let first = row * quads;
  let keys = visible(row);
  var largest = x4[first].x;
  var sum = 0.0;
  for (var quad = 0u; 4u * quad < keys; quad++) {
    let seen = seen_of(quad, keys);
    let score = select(vec4<f32>(largest), x4[first + quad], seen);
    let larger = max(max(largest, max(score.x, score.y)), max(score.z, score.w));
    if (larger > largest) {
      sum *= exp(params.factor * (largest - larger));
      largest = larger;
    }
    sum += dot(exp(params.factor * (score - largest)), select(vec4<f32>(0.0), vec4<f32>(1.0), seen));
  }
  for (var quad = 0u; quad < quads; quad++) {
    let seen = seen_of(quad, keys);
    let score = select(vec4<f32>(largest), x4[first + quad], seen);
    y4[first + quad] = select(vec4<f32>(0.0), exp(params.factor * (score - largest)) / sum, seen);
  }
}

@group(0) @binding(0) var<storage, read> p4: array<vec4<f32>>;         // [rows, columns / 4]
@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;        // [rows, columns / 4]
@group(0) @binding(2) var<storage, read_write> dx4: array<vec4<f32>>;  // [rows, columns / 4]

@compute @workgroup_size(32)
fn backward_x_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let quads = params.columns / 4u;
  let first = row * quads;
  let end = first + quads;
  var mean = 0.0;
  for (var i = first; i < end; i++) { mean += dot(p4[i], dy4[i]); }
  for (var i = first; i < end; i++) { dx4[i] = params.factor * p4[i] * (dy4[i] - mean); }
}

@compute @workgroup_size(GROUP)
fn forward_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }  // The whole group returns, so no barrier is left waiting.
  let first = row * params.columns;
  let seen = first + visible(row);
  let end = first + params.columns;
  var own = x[first];
  for (var i = first + lane; i < seen; i += GROUP) { own = max(own, x[i]); }
  let largest = workgroup_max(lane, own);
  own = 0.0;
  for (var i = first + lane; i < seen; i += GROUP) { own += exp(params.factor * (x[i] - largest)); }
  let sum = workgroup_sum(lane, own);
  for (var i = first + lane; i < seen; i += GROUP) { y[i] = exp(params.factor * (x[i] - largest)) / sum; }
  for (var i = seen + lane; i < end; i += GROUP) { y[i] = 0.0; }
}

@compute @workgroup_size(GROUP)
fn backward_x_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let end = first + params.columns;
  var own = 0.0;
  for (var i = first + lane; i < end; i += GROUP) { own += p[i] * dy[i]; }
  let mean = workgroup_sum(lane, own);
  for (var i = first + lane; i < end; i += GROUP) { dx[i] = params.factor * p[i] * (dy[i] - mean); }
}
