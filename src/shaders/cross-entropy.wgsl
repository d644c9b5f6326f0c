// Cross-entropy of each row's softmax against its label, in nats: loss = log Σ exp(logits) − logits[label].
// Gradient: dlogits = (softmax(logits) − onehot(label)) · dloss.
// A label that names no class (≥ classes) is ignored: its loss, its gradient and its hit are 0.
// One invocation computes one row.

struct Params {
  rows: u32,
  classes: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;      // [rows, classes]
@group(0) @binding(1) var<storage, read> labels: array<u32>;      // [rows]
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;  // [rows]
@group(1) @binding(0) var<uniform> params: Params;

struct Normaliser {
  largest: f32,
  sum: f32,  // Σ exp(logits − largest), at least 1
}

// One reading of a row: the sum is rescaled whenever a larger element comes (Milakov, Gimelshein 2018).
fn normaliser(first: u32) -> Normaliser {
  var largest = logits[first];
  var sum = 1.0;
  for (var i = first + 1u; i < first + params.classes; i++) {
    let value = logits[i];
    if (value > largest) {
      sum = sum * exp(largest - value) + 1.0;
      largest = value;
    } else {
      sum += exp(value - largest);
    }
  }
  return Normaliser(largest, sum);
}

@compute @workgroup_size(32)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let label = labels[row];
  if (label >= params.classes) {
    loss[row] = 0.0;
    return;
  }
  let first = row * params.classes;
  let over = normaliser(first);
  loss[row] = log(over.sum) + (over.largest - logits[first + label]);
}

@group(0) @binding(2) var<storage, read> d_loss: array<f32>;          // [rows]
@group(0) @binding(3) var<storage, read_write> d_logits: array<f32>;  // [rows, classes]

@compute @workgroup_size(32)
fn backward_logits(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let label = labels[row];
  let first = row * params.classes;
  if (label >= params.classes) {
    for (var k = 0u; k < params.classes; k++) { d_logits[first + k] = 0.0; }
    return;
  }
  let over = normaliser(first);
  let factor = d_loss[row];
  for (var k = 0u; k < params.classes; k++) {
    let probability = exp(logits[first + k] - over.largest) / over.sum;
    d_logits[first + k] = (probability - select(0.0, 1.0, k == label)) * factor;
  }
}

@group(0) @binding(2) var<storage, read_write> hit: array<f32>;  // [rows]

// 1 where the largest logit is the label's; of equal logits the first counts.
@compute @workgroup_size(32)
fn hits(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 32u + lane;
  if (row >= params.rows) { return; }
  let first = row * params.classes;
  var best = 0u;
  var largest = logits[first];
  for (var k = 1u; k < params.classes; k++) {
    let value = logits[first + k];
    if (value > largest) {
      largest = value;
      best = k;
    }
  }
  hit[row] = select(0.0, 1.0, best == labels[row]);
}
