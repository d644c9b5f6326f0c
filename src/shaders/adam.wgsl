// Adam and AdamW over the flat buffers, in place:
//   m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  p ← p − rate/c₁ · m / (√(v/c₂) + ε),  c = 1 − βᵗ
// Decay is decoupled (p ← p − rate·decay·p first) or, as in plain Adam, added to the gradient (g ← g + decay·p).
// Compiled behind training-state.wgsl. One invocation updates `vectors` vec4; a block of 16 belongs to one group.
// Source: Kingma, Ba 2015, algorithm 1; Loshchilov, Hutter 2019, algorithm 2; √v̂ + ε as in PyTorch.

override vectors: u32 = 8u;   // vec4 an invocation updates: 1, 2, 4, 8 or 16

struct Params {
  blocks: u32,
  decoupled: u32,
  beta_1: f32,
  beta_2: f32,
  epsilon: f32,
}

struct Rates {
  factor: f32,   // of the learning rate
  decay: f32,
  frozen: f32,   // 1: leave as it is
  unused: f32,
}

@group(0) @binding(0) var<storage, read> gradients: array<vec4<f32>>;          // [16 blocks]
@group(0) @binding(1) var<storage, read> block_groups: array<u32>;             // [blocks]
@group(0) @binding(2) var<storage, read> groups: array<Rates>;
@group(0) @binding(3) var<storage, read> state: TrainingState;
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4<f32>>;   // [16 blocks]
@group(0) @binding(5) var<storage, read_write> m: array<vec4<f32>>;            // [16 blocks]
@group(0) @binding(6) var<storage, read_write> v: array<vec4<f32>>;            // [16 blocks]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn update(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = ((group.y * count.x + group.x) * 64u + lane) * vectors;
  if (first >= 16u * params.blocks || state.halted != RUNNING) { return; }
  let rates = groups[block_groups[first / 16u]];
  if (rates.frozen > 0.0) { return; }
  let rate = state.rate * rates.factor;
  let step_size = rate / state.correction_1;
  let root_correction = sqrt(state.correction_2);
  let shrink = select(1.0, 1.0 - rate * rates.decay, params.decoupled == 1u);
  let added_decay = select(rates.decay, 0.0, params.decoupled == 1u);
  for (var at = first; at < first + vectors; at++) {
    let p = parameters[at];
    let g = gradients[at] * state.clip + added_decay * p;
    let m_new = params.beta_1 * m[at] + (1.0 - params.beta_1) * g;
    let v_new = params.beta_2 * v[at] + (1.0 - params.beta_2) * g * g;
    m[at] = m_new;
    v[at] = v_new;
    parameters[at] = shrink * p - step_size * m_new / (sqrt(v_new) / root_correction + params.epsilon);
  }
}
