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

fn clear(row: u32) {
  loss[row] = 0.0;
  hit[row] = 0.0;
  for (var k = 0u; k < classes; k++) { d_logits[row * classes + k] = 0.0; }
}

// At most 16 classes: the row is held in registers, so each logit is read once.
const MOST_HELD = 16u;

@compute @workgroup_size(32)
fn train_held(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let label = label_of(row);
  if (label >= classes) {
    clear(row);
    return;
  }
  let first = row * classes;
  var held: array<f32, MOST_HELD>;
  var largest = logits[first];
  var best = 0u;
  held[0] = largest;
  for (var k = 1u; k < classes; k++) {
    held[k] = logits[first + k];
    if (held[k] > largest) {
      largest = held[k];
      best = k;
    }
  }
  var sum = 0.0;
  var of_label = largest;
  for (var k = 0u; k < classes; k++) {
    if (k == label) { of_label = held[k]; }
    held[k] = exp(held[k] - largest);
    sum += held[k];
  }
  loss[row] = log(sum) + (largest - of_label);
  hit[row] = select(0.0, 1.0, best == label);
  let rows_in_use = f32(min(state.rows, params.rows));
  for (var k = 0u; k < classes; k++) {
    d_logits[first + k] = (held[k] / sum - select(0.0, 1.0, k == label)) / rows_in_use;
  }
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
  let rows_in_use = f32(min(state.rows, params.rows));
  for (var k = 0u; k < classes; k++) {
    let probability = exp(logits[first + k] - largest) / sum;
    d_logits[first + k] = (probability - select(0.0, 1.0, k == label)) / rows_in_use;
  }
}
