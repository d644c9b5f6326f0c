// Rows along an order of the groups: row k of a curve has its first count[k] groups at `end`, the others at `begin`.
//
//     forward  y[e, c, k, i] = end[e, i] where rank of i's group < count[k], else begin[e, i]
//     folded   y[e, c, k] = base[e] + D[e, order 0] + ... + D[e, order count[k] - 1], behind a first affine map: one running sum a curve,
//              in the order of the ranks, so the same bits wherever a run of rows begins
//
// A curve is an order of the groups: one of each example's own, or several that all examples share.
// forward: one invocation computes one element. folded: one computes a unit's whole curve.

struct Params {
  count: u32,        // elements of y; in folded, of y for one row of each curve
  inputs: u32,       // elements of an example; in folded, units
  curves: u32,       // of an example
  rows: u32,         // of a curve
  groups: u32,
  width: u32,        // rows of an example in `products`
  same_curves: u32,  // 1 where all examples have the same curves
}

@group(0) @binding(0) var<storage, read> begin: array<f32>;    // [examples, inputs]
@group(0) @binding(1) var<storage, read> end: array<f32>;      // [examples, inputs]
@group(0) @binding(2) var<storage, read> rank: array<u32>;     // [curves or examples · curves, groups], each a permutation
@group(0) @binding(3) var<storage, read> group_of: array<u32>; // [inputs]
@group(0) @binding(4) var<storage, read> counts: array<u32>;   // [rows], rising
@group(0) @binding(5) var<storage, read_write> y: array<f32>;  // [examples, curves, rows, inputs]
@group(1) @binding(0) var<uniform> params: Params;

// Which row of `rank` or `order` curve `curve` of an example has; `curve` counts through all examples.
fn order_of(curve: u32) -> u32 {
  return select(curve, curve % params.curves, params.same_curves == 1u);
}

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let element = i % params.inputs;
  let row = i / params.inputs;
  let curve = row / params.rows;
  let source = curve / params.curves * params.inputs + element;
  let passed = rank[order_of(curve) * params.groups + group_of[element]] < counts[row % params.rows];
  y[i] = select(begin[source], end[source], passed);
}

@group(0) @binding(0) var<storage, read> products: array<f32>;  // [examples, width, units], of group-products.wgsl: base, then each group's
@group(0) @binding(2) var<storage, read> order: array<u32>;     // [curves or examples · curves, groups], each a permutation

@compute @workgroup_size(64)
fn folded(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let unit = i % params.inputs;
  let curve = i / params.inputs;
  let first = curve / params.curves * params.width * params.inputs + unit;
  let path = order_of(curve) * params.groups;
  var sum = products[first];
  var passed = 0u;
  for (var row = 0u; row < params.rows; row++) {
    let until = min(counts[row], params.groups);
    while (passed < until) {
      sum += products[first + (1u + order[path + passed]) * params.inputs];
      passed++;
    }
    y[(curve * params.rows + row) * params.inputs + unit] = sum;
  }
}
