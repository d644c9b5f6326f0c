// Puts the numbers of one run's samples in their places among those of all: y[e] = before[e], with x[e] at position at[0], at[1] numbers long.
// One invocation computes one element.

struct Params {
  count: u32,  // elements of y
  total: u32,  // samples of an example, all runs together
  width: u32,  // samples of an example in x
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // [examples, width]
@group(0) @binding(1) var<storage, read> before: array<f32>;   // [examples, total]
@group(0) @binding(2) var<storage, read> at: array<u32>;       // [2]: the first sample's number, how many count
@group(0) @binding(3) var<storage, read_write> y: array<f32>;  // [examples, total]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let sample = i % params.total;
  if (sample >= at[0] && sample - at[0] < at[1]) { y[i] = x[i / params.total * params.width + sample - at[0]]; }
  else { y[i] = before[i]; }
}
