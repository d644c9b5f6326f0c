// Numbers of groups or windows as a map over the input: y[e, i] = share[i] · Σ of v[e, k] over the k that element i lies in, in order.
// One invocation computes one element.

struct Params {
  count: u32,   // elements of y
  inputs: u32,  // elements of an example
  width: u32,   // numbers of an example
}

@group(0) @binding(0) var<storage, read> v: array<f32>;        // [examples, width]
@group(0) @binding(1) var<storage, read> start: array<u32>;    // [inputs + 1], where each element's list begins
@group(0) @binding(2) var<storage, read> members: array<u32>;  // numbers, element after element
@group(0) @binding(3) var<storage, read> share: array<f32>;    // [inputs]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;  // [examples, inputs]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let element = i % params.inputs;
  let first = i / params.inputs * params.width;
  var total = 0.0;
  for (var k = start[element]; k < start[element + 1u]; k++) { total += v[first + members[k]]; }
  y[i] = share[element] * total;
}
