// Broadcasting: y = factor · x, repeated along the axes where x has none or is 1.
// Gradient: dx = factor · Σ dy over those axes, which is reduce.wgsl.
// One invocation computes one element of y, in forward_vec4 four neighbouring ones.

struct Params {
  shape: vec4<u32>,    // of y, padded in front with ones; neighbouring axes that are all repeated, or all not, count as one
  strides: vec4<u32>,  // in elements of x, 0 where it is repeated
  count: u32,          // elements of y
  factor: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;        // shape without the repeated axes
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // shape
@group(1) @binding(0) var<uniform> params: Params;

// The element of x that y[i] repeats.
fn source_of(i: u32) -> u32 {
  let shape = params.shape;
  let index = vec4<u32>(i / (shape.w * shape.z * shape.y), i / (shape.w * shape.z) % shape.y, i / shape.w % shape.z, i % shape.w);
  let offset = index * params.strides;
  return offset.x + offset.y + offset.z + offset.w;
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = params.factor * x[source_of(i)];
}

@group(0) @binding(1) var<storage, read_write> y4: array<vec4<f32>>;  // shape, the last axis divided by 4

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  let first = source_of(4u * i);
  if (params.strides.w == 0u) {
    y4[i] = vec4<f32>(params.factor * x[first]);
  } else {
    y4[i] = params.factor * vec4<f32>(x[first], x[first + 1u], x[first + 2u], x[first + 3u]);
  }
}
