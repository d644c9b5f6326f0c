// Ranks made strict, and the order they give. Ties go to the lower index, so whatever the ranks are, each row becomes a permutation.
//
//     strict  y[r, i] = number of j with rank[r, j] < rank[r, i], or equal and j < i
//     order   y[r, strict[r, i]] = i: who comes first, second, ...
//
// One invocation computes one element; it reads the whole row.

struct Params {
  count: u32,  // elements of y
  width: u32,  // ranks of one row
}

@group(0) @binding(0) var<storage, read> rank: array<u32>;     // [rows, width]
@group(0) @binding(1) var<storage, read_write> y: array<u32>;  // [rows, width]
@group(1) @binding(0) var<uniform> params: Params;

fn strict_rank(i: u32) -> u32 {
  let first = i / params.width * params.width;
  let own = rank[i];
  var before = 0u;
  for (var j = first; j < first + params.width; j++) {
    before += select(0u, 1u, rank[j] < own || (rank[j] == own && j < i));
  }
  return before;
}

@compute @workgroup_size(64)
fn strict(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i] = strict_rank(i);
}

// Strict ranks are a permutation, so every element of y is written by one invocation.
@compute @workgroup_size(64)
fn order(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  y[i / params.width * params.width + strict_rank(i)] = i % params.width;
}
