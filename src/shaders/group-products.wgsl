// What each group of elements adds to a first affine map: D[e, g] = Σ over the elements i of group g, in order, of direction[e, i] · weight[i].
//
//     rows      y[e] = (base[e], D[e, 0], D[e, 1], ..., zeros), so that a row (1, m) times y[e] is base + Σ m_g D_g
//     without   y[e, g] = base[e] - D[e, g], the rows with one group taken away; groups may then overlap
//
// An affine map is linear in what is masked, so no masked input is ever made. A group whose direction or weight is 0 adds exactly nothing.
// One invocation computes one element.

struct Params {
  count: u32,   // elements of y
  units: u32,   // columns of the weight
  inputs: u32,  // rows of the weight, elements of an example
  groups: u32,
  width: u32,   // rows of y for one example: in `rows` at least 1 + groups, in `without` the groups
}

@group(0) @binding(0) var<storage, read> direction: array<f32>;  // [examples, inputs]
@group(0) @binding(1) var<storage, read> weight: array<f32>;     // [inputs, units]
@group(0) @binding(2) var<storage, read> base: array<f32>;       // [examples, units]
@group(0) @binding(3) var<storage, read> start: array<u32>;      // [groups + 1], where each group's members begin
@group(0) @binding(4) var<storage, read> members: array<u32>;    // elements, group after group
@group(0) @binding(5) var<storage, read_write> y: array<f32>;    // [examples, width, units]
@group(1) @binding(0) var<uniform> params: Params;

fn product_of(example: u32, index: u32, unit: u32) -> f32 {
  var total = 0.0;
  for (var k = start[index]; k < start[index + 1u]; k++) {
    let element = members[k];
    total += direction[example * params.inputs + element] * weight[element * params.units + unit];
  }
  return total;
}

@compute @workgroup_size(64)
fn rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let unit = i % params.units;
  let row = i / params.units % params.width;
  let example = i / params.units / params.width;
  var value = 0.0;
  if (row == 0u) { value = base[example * params.units + unit]; }
  else if (row <= params.groups) { value = product_of(example, row - 1u, unit); }
  y[i] = value;
}

@compute @workgroup_size(64)
fn without(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let unit = i % params.units;
  let row = i / params.units;
  let example = row / params.width;
  y[i] = base[example * params.units + unit] - product_of(example, row % params.width, unit);
}
