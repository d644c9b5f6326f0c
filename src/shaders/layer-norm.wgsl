// Layer normalisation over rows: y = x̂ ⊙ scale + bias, x̂ = (x − mean x) / √(variance x + ε), with the population variance.
// Gradient: dx = (g − mean g − x̂ mean(g ⊙ x̂)) / √(variance x + ε), where g = dy ⊙ scale.
// The variance is the mean of (x − mean x)², in a second reading: E[x²] − E[x]² would cancel.
// One invocation computes one row, four elements at a time in *_vec4; in *_workgroup 64 invocations share a row.

struct Params {
  rows: u32,
  columns: u32,  // elements of a row
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [rows, columns]
@group(0) @binding(1) var<storage, read> scale: array<f32>;    // [columns]
@group(0) @binding(2) var<storage, read> bias: array<f32>;     // [columns]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;  // [rows, columns]
@group(1) @binding(0) var<uniform> params: Params;

// The mean of a row and 1 / √(its variance + ε).
fn moments(first: u32) -> vec2<f32> {
  let end = first + params.columns;
  var sum = 0.0;
  for (var i = first; i < end; i++) { sum += x[i]; }
  let mean = sum / f32(params.columns);
  var squares = 0.0;
  for (var i = first; i < end; i++) {
    let centred = x[i] - mean;
    squares += centred * centred;
  }
  return vec2<f32>(mean, inverseSqrt(squares / f32(params.columns) + params.epsilon));
}

@compute @workgroup_size(32)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let row_moments = moments(first);
  for (var col = 0u; col < params.columns; col++) {
    y[first + col] = (x[first + col] - row_moments.x) * row_moments.y * scale[col] + bias[col];
  }
}

@group(0) @binding(2) var<storage, read> dy: array<f32>;        // [rows, columns]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;  // [rows, columns]

@compute @workgroup_size(32)
fn backward_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let row_moments = moments(first);
  var g_sum = 0.0;
  var gx_sum = 0.0;
  for (var col = 0u; col < params.columns; col++) {
    let g = dy[first + col] * scale[col];
    g_sum += g;
    gx_sum += g * (x[first + col] - row_moments.x) * row_moments.y;
  }
  let g_mean = g_sum / f32(params.columns);
  let gx_mean = gx_sum / f32(params.columns);
  for (var col = 0u; col < params.columns; col++) {
    let normalised = (x[first + col] - row_moments.x) * row_moments.y;
    dx[first + col] = (dy[first + col] * scale[col] - g_mean - normalised * gx_mean) * row_moments.y;
  }
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;        // [rows, columns / 4]
@group(0) @binding(1) var<storage, read> scale4: array<vec4<f32>>;    // [columns / 4]
@group(0) @binding(2) var<storage, read> bias4: array<vec4<f32>>;     // [columns / 4]
@group(0) @binding(3) var<storage, read_write> y4: array<vec4<f32>>;  // [rows, columns / 4]

fn moments_vec4(first: u32) -> vec2<f32> {
  let end = first + params.columns / 4u;
  var sum = vec4<f32>();
  for (var i = first; i < end; i++) { sum += x4[i]; }
  let mean = dot(sum, vec4<f32>(1.0)) / f32(params.columns);
  var squares = 0.0;
  for (var i = first; i < end; i++) {
    let centred = x4[i] - mean;
    squares += dot(centred, centred);
  }
  return vec2<f32>(mean, inverseSqrt(squares / f32(params.columns) + params.epsilon));
}

@compute @workgroup_size(32)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let quads = params.columns / 4u;
  let first = row * quads;
  let row_moments = moments_vec4(first);
  for (var col = 0u; col < quads; col++) {
    y4[first + col] = (x4[first + col] - row_moments.x) * row_moments.y * scale4[col] + bias4[col];
  }
}

@group(0) @binding(2) var<storage, read> dy4: array<vec4<f32>>;        // [rows, columns / 4]
@group(0) @binding(3) var<storage, read_write> dx4: array<vec4<f32>>;  // [rows, columns / 4]

@compute @workgroup_size(32)
fn backward_x_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let quads = params.columns / 4u;
  let first = row * quads;
  let row_moments = moments_vec4(first);
  var g_sum = 0.0;
  var gx_sum = 0.0;
  for (var col = 0u; col < quads; col++) {
    let g = dy4[first + col] * scale4[col];
    g_sum += dot(g, vec4<f32>(1.0));
    gx_sum += dot(g, (x4[first + col] - row_moments.x) * row_moments.y);
  }
  let g_mean = g_sum / f32(params.columns);
  let gx_mean = gx_sum / f32(params.columns);
  for (var col = 0u; col < quads; col++) {
    let normalised = (x4[first + col] - row_moments.x) * row_moments.y;
    dx4[first + col] = (dy4[first + col] * scale4[col] - g_mean - normalised * gx_mean) * row_moments.y;
  }
}

fn moments_workgroup(lane: u32, first: u32) -> vec2<f32> {
  let end = first + params.columns;
  var own = 0.0;
  for (var i = first + lane; i < end; i += GROUP) { own += x[i]; }
  let mean = workgroup_sum(lane, own) / f32(params.columns);
  own = 0.0;
  for (var i = first + lane; i < end; i += GROUP) {
    let centred = x[i] - mean;
    own += centred * centred;
  }
  return vec2<f32>(mean, inverseSqrt(workgroup_sum(lane, own) / f32(params.columns) + params.epsilon));
}

@compute @workgroup_size(GROUP)
fn forward_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }  // The whole group returns, so no barrier is left waiting.
  let first = row * params.columns;
  let row_moments = moments_workgroup(lane, first);
  for (var col = lane; col < params.columns; col += GROUP) {
    y[first + col] = (x[first + col] - row_moments.x) * row_moments.y * scale[col] + bias[col];
  }
}

@compute @workgroup_size(GROUP)
fn backward_x_workgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let first = row * params.columns;
  let row_moments = moments_workgroup(lane, first);
  var own_g = 0.0;
  var own_gx = 0.0;
  for (var col = lane; col < params.columns; col += GROUP) {
    let g = dy[first + col] * scale[col];
    own_g += g;
    own_gx += g * (x[first + col] - row_moments.x) * row_moments.y;
  }
  let g_mean = workgroup_sum(lane, own_g) / f32(params.columns);
  let gx_mean = workgroup_sum(lane, own_gx) / f32(params.columns);
  for (var col = lane; col < params.columns; col += GROUP) {
    let normalised = (x[first + col] - row_moments.x) * row_moments.y;
    dx[first + col] = (dy[first + col] * scale[col] - g_mean - normalised * gx_mean) * row_moments.y;
  }
}
