// All that a training step wants of its logits, in one reading where the classes are few: each row's cross-entropy, whether its
// largest logit is the label's, and the gradient of the mean loss.
// loss = log Σ exp(logits) − logits[label]; hit = argmax = label; d_logits = (softmax(logits) − onehot(label)) / rows in use.
// Rows from state.rows on hold no example: all three are 0 there, as they are where a label names no class (≥ classes).
// One invocation computes one row. Compiled behind training-state.wgsl.

override classes: u32 = 10u;

struct Params {
  rows: u32,  // that the buffers hold
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;          // [rows, classes]
@group(0) @binding(1) var<storage, read> labels: array<u32>;          // [rows]
@group(0) @binding(2) var<storage, read> state: TrainingState;        // [32]
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;      // [rows]
@group(0) @binding(4) var<storage, read_write> hit: array<f32>;       // [rows]
@group(0) @binding(5) var<storage, read_write> d_logits: array<f32>;  // [rows, classes]
@group(1) @binding(0) var<uniform> params: Params;

// The label of a row, or `classes` where the row counts for nothing.
fn label_of(row: u32) -> u32 {
  if (row >= state.rows) { return classes; }
  return min(labels[row], classes);
}

fn rows_in_use() -> f32 {
  return f32(min(state.rows, params.rows));
}

fn clear(row: u32) {
  loss[row] = 0.0;
  hit[row] = 0.0;
  for (var k = 0u; k < classes; k++) { d_logits[row * classes + k] = 0.0; }
}

// At most 16 classes: the row is held in four vectors, so each logit is read once; what is beyond the classes is folded away.
const LOWEST = -3.4028234e38;
const LANES = vec4<u32>(0u, 1u, 2u, 3u);

fn logit(row: u32, k: u32) -> f32 {
  if (k >= classes) { return LOWEST; }
  return logits[row * classes + k];
}

fn logits_from(row: u32, k: u32) -> vec4<f32> {
  return vec4<f32>(logit(row, k), logit(row, k + 1u), logit(row, k + 2u), logit(row, k + 3u));
}

// Whether one of v, the logits from class k on, has that value and comes before the label.
fn comes_before(v: vec4<f32>, k: u32, value: f32, label: u32) -> bool {
  return any((v == vec4<f32>(value)) & (LANES + k < vec4<u32>(label)));
}

fn store(row: u32, k: u32, value: f32) {
  if (k < classes) { d_logits[row * classes + k] = value; }
}

// The gradient from class k on, of which p are the probabilities.
fn store_gradient(row: u32, k: u32, p: vec4<f32>, label: u32) {
  let wanted = select(vec4<f32>(0.0), vec4<f32>(1.0), LANES + k == vec4<u32>(label));
  let gradient = (p - wanted) / rows_in_use();
  store(row, k, gradient.x);
  store(row, k + 1u, gradient.y);
  store(row, k + 2u, gradient.z);
  store(row, k + 3u, gradient.w);
}

@compute @workgroup_size(32)
fn train_held(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let label = label_of(row);
  if (label >= classes) {
    clear(row);
    return;
  }
  let a = logits_from(row, 0u);
  let b = logits_from(row, 4u);
  let c = logits_from(row, 8u);
  let d = logits_from(row, 12u);
  let of_label = logits[row * classes + label];
  let largest4 = max(max(a, b), max(c, d));
  let largest = max(max(largest4.x, largest4.y), max(largest4.z, largest4.w));
  let earlier = comes_before(a, 0u, largest, label) || comes_before(b, 4u, largest, label)
    || comes_before(c, 8u, largest, label) || comes_before(d, 12u, largest, label);
  hit[row] = select(0.0, 1.0, of_label == largest && !earlier);
  let exp_a = exp(a - largest);
  let exp_b = exp(b - largest);
  let exp_c = exp(c - largest);
  let exp_d = exp(d - largest);
  let sum = dot(exp_a + exp_b + exp_c + exp_d, vec4<f32>(1.0));
  loss[row] = log(sum) + (largest - of_label);
  store_gradient(row, 0u, exp_a / sum, label);
  store_gradient(row, 4u, exp_b / sum, label);
  store_gradient(row, 8u, exp_c / sum, label);
  store_gradient(row, 12u, exp_d / sum, label);
}

// Any number of classes, each logit read twice: the sum is rescaled whenever a larger element comes (Milakov, Gimelshein 2018).
@compute @workgroup_size(32)
fn train(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let label = label_of(row);
  if (label >= classes) {
    clear(row);
    return;
  }
  let first = row * classes;
  var largest = logits[first];
  var best = 0u;
  var sum = 1.0;
  var of_label = largest;
  for (var k = 1u; k < classes; k++) {
    let value = logits[first + k];
    if (value > largest) {
      sum = sum * exp(largest - value) + 1.0;
      largest = value;
      best = k;
    } else {
      sum += exp(value - largest);
    }
    if (k == label) { of_label = value; }
  }
  loss[row] = log(sum) + (largest - of_label);
  hit[row] = select(0.0, 1.0, best == label);
  for (var k = 0u; k < classes; k++) {
    let probability = exp(logits[first + k] - largest) / sum;
    d_logits[first + k] = (probability - select(0.0, 1.0, k == label)) / rows_in_use();
  }
}
