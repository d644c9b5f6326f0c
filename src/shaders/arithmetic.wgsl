// Elementwise arithmetic of two tensors with broadcasting: y = a ∘ b, where ∘ is chosen by `operation`.
// Shapes: a, b broadcast to y (rank at most 4 after padding with ones); a stride of 0 repeats an axis.
// One invocation computes one element of y.

override operation: u32 = 0u;  // 0 add, 1 subtract, 2 multiply, 3 divide, 4 maximum, 5 minimum, 6 greater, 7 equal

struct Params {
  shape: vec4<u32>,      // of y, padded in front with ones
  a_strides: vec4<u32>,  // in elements, 0 where a is broadcast
  b_strides: vec4<u32>,
  count: u32,            // elements of y
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;

fn combine(p: f32, q: f32) -> f32 {
  switch operation {
    case 0u: { return p + q; }
    case 1u: { return p - q; }
    case 2u: { return p * q; }
    case 3u: { return p / q; }
    case 4u: { return max(p, q); }
    case 5u: { return min(p, q); }
    case 6u: { return select(0.0, 1.0, p > q); }
    default: { return select(0.0, 1.0, p == q); }
  }
}

fn dot_index(index: vec4<u32>, strides: vec4<u32>) -> u32 {
  return index.x * strides.x + index.y * strides.y + index.z * strides.z + index.w * strides.w;
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let shape = params.shape;
  let index = vec4<u32>(
    i / (shape.w * shape.z * shape.y),
    (i / (shape.w * shape.z)) % shape.y,
    (i / shape.w) % shape.z,
    i % shape.w,
  );
  y[i] = combine(a[dot_index(index, params.a_strides)], b[dot_index(index, params.b_strides)]);
}

// Shapes of a, b and y agree: four elements an invocation. Every buffer holds a multiple of four elements.
@group(0) @binding(0) var<storage, read> a4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4<f32>>;

@compute @workgroup_size(64)
fn forward_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count / 4u) { return; }
  let p = a4[i];
  let q = b4[i];
  y4[i] = vec4<f32>(combine(p.x, q.x), combine(p.y, q.y), combine(p.z, q.z), combine(p.w, q.w));
}
