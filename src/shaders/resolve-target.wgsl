// The class that is explained: the one asked for, or where none is (NONE) the class of the largest logit, ties to the lowest index.
// One invocation computes one row.

struct Params {
  rows: u32,
  classes: u32,
}

const NONE = 0x10000000u;

@group(0) @binding(0) var<storage, read> logits: array<f32>;         // [rows, classes]
@group(0) @binding(1) var<storage, read> asked: array<u32>;          // [rows]
@group(0) @binding(2) var<storage, read_write> targets: array<u32>;  // [rows]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.rows) { return; }
  var best = 0u;
  for (var k = 1u; k < params.classes; k++) {
    if (logits[row * params.classes + k] > logits[row * params.classes + best]) { best = k; }
  }
  targets[row] = select(asked[row], best, asked[row] == NONE);
}
