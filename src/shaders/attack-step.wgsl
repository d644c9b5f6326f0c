// One step of an attack: y = clip(current + step · sign(gradient)) into [low, high], then into the box of ±ε around x.
// No gradient. One invocation computes one element.
// Source: Goodfellow, Shlens, Szegedy 2015, equation in section 4; Madry et al. 2018, section 2.1 (projection onto the ball).

struct Params {
  count: u32,  // elements of y
  width: u32,  // elements of a row
}

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [count]
@group(0) @binding(1) var<storage, read> current: array<f32>;   // [count]
@group(0) @binding(2) var<storage, read> gradient: array<f32>;  // [count]
@group(0) @binding(3) var<storage, read> limits: array<f32>;    // [rows, 4]: step, ε, low, high
@group(0) @binding(4) var<storage, read_write> y: array<f32>;   // [count]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let own = 4u * (i / params.width);
  let moved = current[i] + limits[own] * sign(gradient[i]);
  y[i] = clamp(clamp(moved, limits[own + 2u], limits[own + 3u]), x[i] - limits[own + 1u], x[i] + limits[own + 1u]);
}
