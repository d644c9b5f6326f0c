// One-hot rows: y[row, k] = 1 where k is the row's label, else 0; a label that names no class (≥ classes) gives a row of zeros.
// No gradient. One invocation computes one element.

struct Params {
  classes: u32,
  count: u32,  // elements of y
}

@group(0) @binding(0) var<storage, read> labels: array<u32>;   // [rows]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [rows, classes]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = select(0.0, 1.0, labels[i / params.classes] == i % params.classes);
}
