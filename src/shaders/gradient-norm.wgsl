// The global norm of all gradients and what clipping multiplies them by: ‖g‖ = √Σ g², clip = min(1, most / ‖g‖).
// Compiled behind training-state.wgsl. Padding of the flat buffer is zero, so it adds nothing.
// Source: Pascanu, Mikolov, Bengio 2013, algorithm 1.

struct Params {
  count: u32,   // vec4 in the flat buffer
  parts: u32,   // invocations, and partial sums
  most: f32,    // largest norm allowed
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;        // [count]
@group(0) @binding(1) var<storage, read_write> partial: array<f32>;          // [parts]
@group(0) @binding(2) var<storage, read> partials: array<f32>;               // [parts]
@group(0) @binding(3) var<storage, read_write> state: TrainingState;
@group(1) @binding(0) var<uniform> params: Params;

// Each invocation sums the squares of a strided part.
@compute @workgroup_size(64)
fn squares(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.parts) { return; }
  var sum = vec4<f32>();
  for (var at = id.x; at < params.count; at += params.parts) { sum += gradients[at] * gradients[at]; }
  partial[id.x] = sum.x + sum.y + sum.z + sum.w;
}

// One invocation adds the parts, in order, and leaves the norm and the clip factor in the state.
@compute @workgroup_size(1)
fn finish() {
  if (state.halted != RUNNING) { return; }
  var sum = 0.0;
  for (var i = 0u; i < params.parts; i++) { sum += partials[i]; }
  let norm = sqrt(sum);
  state.gradient_norm = norm;
  state.clip = select(1.0, params.most / norm, norm > params.most);
}
