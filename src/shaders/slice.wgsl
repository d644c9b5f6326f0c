// Slice: y = the box of x that begins at `start`. Pad: y = zeros, but x in the box that begins at `start`.
// Each is the other's gradient. Shapes are padded in front to four axes; elements move as bits, whatever their type.
// One invocation makes one element of y, four neighbours in *_vec4, where the last axis and its start are divisible by 4.

struct Params {
  whole: vec4<u32>,  // shape of what the box lies in
  box: vec4<u32>,    // its shape
  start: vec4<u32>,  // where it begins
  count: u32,        // elements of y
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(1) @binding(0) var<uniform> params: Params;

fn index_in(shape: vec4<u32>, i: u32) -> vec4<u32> {
  return vec4<u32>(
    i / (shape.w * shape.z * shape.y),
    (i / (shape.w * shape.z)) % shape.y,
    (i / shape.w) % shape.z,
    i % shape.w,
  );
}

fn position_in(shape: vec4<u32>, index: vec4<u32>) -> u32 {
  return ((index.x * shape.y + index.y) * shape.z + index.z) * shape.w + index.w;
}

fn in_box(index: vec4<u32>) -> bool {
  return all(index >= params.start) && all(index - params.start < params.box);
}

@compute @workgroup_size(64)
fn slice(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = x[position_in(params.whole, params.start + index_in(params.box, i))];
}

@compute @workgroup_size(64)
fn pad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let index = index_in(params.whole, i);
  if (in_box(index)) {
    y[i] = x[position_in(params.box, index - params.start)];
  } else {
    y[i] = 0u;
  }
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<u32>>;

@compute @workgroup_size(64)
fn slice_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  y4[i] = x4[position_in(params.whole, params.start + index_in(params.box, i * 4u)) / 4u];
}

@compute @workgroup_size(64)
fn pad_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  let index = index_in(params.whole, i * 4u);
  if (in_box(index)) {
    y4[i] = x4[position_in(params.box, index - params.start) / 4u];
  } else {
    y4[i] = vec4<u32>();
  }
}
