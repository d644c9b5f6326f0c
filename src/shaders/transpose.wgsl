// Permutation of axes: y[i, j, k, l] = x[i, j, k, l in another order]. Shapes are padded in front to four axes.
// Gradient: the inverse permutation of dy. Elements move as bits, whatever their type.
// One invocation moves one element; in forward_vec4 four neighbours, where the last axis stays the last.

struct Params {
  shape: vec4<u32>,    // of y
  strides: vec4<u32>,  // of x in elements, in the order of y's axes
  count: u32,          // elements of y
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(1) @binding(0) var<uniform> params: Params;

// Where in x the i-th element of y lies.
fn source_of(i: u32) -> u32 {
  let shape = params.shape;
  let index = vec4<u32>(
    i / (shape.w * shape.z * shape.y),
    (i / (shape.w * shape.z)) % shape.y,
    (i / shape.w) % shape.z,
    i % shape.w,
  );
  let steps = index * params.strides;
  return steps.x + steps.y + steps.z + steps.w;
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = x[source_of(i)];
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<u32>>;

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  y4[i] = x4[source_of(i * 4u) / 4u];
}
