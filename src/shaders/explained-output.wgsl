// What an explanation explains: one number a row, made of the row's logits, and its gradient with respect to them.
//
//     kind 0, logit        f_t                      gradient e_t
//     kind 1, probability  p_t = softmax(f)_t       gradient p_t (e_t - p)
//     kind 2, log-odds     ln(p_t / (1 - p_t))      gradient (e_t - p) / (1 - p_t)
//
// less the same of another class a, where `against` names one. Target, class and kind are data, so one plan serves them all.
// Of the log-odds both are computed from the logits of the other classes, never from 1 - p, so they stay exact as p approaches 1.
// One invocation computes one row. Several rows (samples) may belong to one example, which has one target.

struct Params {
  rows: u32,
  classes: u32,
  per_example: u32,  // rows that share a target, neighbours
}

const NONE = 0x10000000u;

@group(0) @binding(0) var<storage, read> logits: array<f32>;     // [rows, classes]
@group(0) @binding(1) var<storage, read> targets: array<u32>;    // [rows / per_example]
@group(0) @binding(2) var<storage, read> against: array<u32>;    // [rows / per_example], NONE for no other class
@group(0) @binding(3) var<storage, read> kind: array<u32>;       // [1]
@group(0) @binding(4) var<storage, read_write> y: array<f32>;    // value [rows] or gradient [rows, classes]
@group(1) @binding(0) var<uniform> params: Params;

// ln Σ exp(logit) over the classes of a row but one; NONE leaves out none.
fn log_sum_exp(first: u32, left_out: u32) -> f32 {
  var largest = -0x1.fffffep127;
  for (var k = 0u; k < params.classes; k++) {
    if (k != left_out) { largest = max(largest, logits[first + k]); }
  }
  var total = 0.0;
  for (var k = 0u; k < params.classes; k++) {
    if (k != left_out) { total += exp(logits[first + k] - largest); }
  }
  return largest + log(total);
}

fn value_of(first: u32, class_index: u32) -> f32 {
  if (class_index >= params.classes) { return 0.0; }
  let logit = logits[first + class_index];
  switch kind[0] {
    case 1u: { return exp(logit - log_sum_exp(first, NONE)); }
    case 2u: { return logit - log_sum_exp(first, class_index); }
    default: { return logit; }
  }
}

// The gradient of value_of with respect to logit k; `all` and `others` are the row's log-sums with and without the class.
fn slope_of(first: u32, class_index: u32, k: u32, all: f32, others: f32) -> f32 {
  if (class_index >= params.classes) { return 0.0; }
  let own = select(0.0, 1.0, k == class_index);
  switch kind[0] {
    case 1u: { return exp(logits[first + class_index] - all) * (own - exp(logits[first + k] - all)); }
    case 2u: { return select(-exp(logits[first + k] - others), 1.0, k == class_index); }
    default: { return own; }
  }
}

@compute @workgroup_size(64)
fn value(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.rows) { return; }
  let example = row / params.per_example;
  let first = row * params.classes;
  y[row] = value_of(first, targets[example]) - value_of(first, against[example]);
}

@compute @workgroup_size(64)
fn gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.rows) { return; }
  let example = row / params.per_example;
  let first = row * params.classes;
  let all = log_sum_exp(first, NONE);
  let others_target = log_sum_exp(first, targets[example]);
  let others_against = log_sum_exp(first, against[example]);
  for (var k = 0u; k < params.classes; k++) {
    y[first + k] = slope_of(first, targets[example], k, all, others_target) - slope_of(first, against[example], k, all, others_against);
  }
}
