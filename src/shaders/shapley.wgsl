// Shapley values from the values of coalitions v(S), a coalition's number being its bits: bit i of S is group i.
//
//     exact      phi_i = Σ over S without i of weight[|S|] · (v(S with i) - v(S)), weight[s] = s! (n - s - 1)! / n!
//     marginals  c_i = v(those before i, and i) - v(those before i), one draw's mean over its orders of the groups
//
// A group that changes no value gets exactly 0 from both. Before the last coalition is in v, exact has nothing to sum and gives 0. In exact one workgroup computes one value: its 64 invocations each sum runs of 64
// terms among themselves, then the first adds up the 64 sums in order, so rounding grows with the length of a run and not of the whole.
// In marginals one invocation computes one element.

struct Params {
  count: u32,   // elements of y
  groups: u32,  // n
  draws: u32,   // marginals: draws of an example
  orders: u32,  // marginals: orders of a draw
}

@group(0) @binding(0) var<storage, read> v: array<f32>;       // exact: [examples, 2^groups]; marginals: [examples, draws, orders, groups], row k has k + 1 groups
@group(0) @binding(1) var<storage, read> weight: array<f32>;  // [groups], by the size of S
@group(0) @binding(2) var<storage, read> at: array<u32>;      // [2]: of the coalitions that came into v last, the first and how many
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // exact: [examples, groups]; marginals: [examples, draws, groups]
@group(1) @binding(0) var<uniform> params: Params;

const RUN = 64u;
var<workgroup> sums: array<f32, 64>;

// Coalition `index` of those without group `i`: the bits from i on make way for a 0.
fn without(index: u32, i: u32) -> u32 {
  let low = index & ((1u << i) - 1u);
  return ((index - low) << 1u) | low;
}

@compute @workgroup_size(64)
fn exact(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let result = group.y * groups.x + group.x;
  let inside = result < params.count;
  let i = result % params.groups;
  let first = (result / params.groups) << params.groups;
  let complete = at[0] + at[1] == (1u << params.groups);
  let coalitions = select(0u, 1u << (params.groups - 1u), complete);
  var total = 0.0;
  if (inside) {
    for (var begin = lane * RUN; begin < coalitions; begin += 64u * RUN) {
      var sum = 0.0;
      for (var index = begin; index < min(begin + RUN, coalitions); index++) {
        let s = without(index, i);
        sum += weight[countOneBits(s)] * (v[first + (s | (1u << i))] - v[first + s]);
      }
      total += sum;
    }
  }
  sums[lane] = total;
  workgroupBarrier();
  if (lane > 0u || !inside) { return; }
  var value = 0.0;
  for (var k = 0u; k < 64u; k++) { value += sums[k]; }
  y[result] = value;
}

@group(0) @binding(1) var<storage, read> none: array<f32>;  // [examples], the value of the empty coalition
@group(0) @binding(2) var<storage, read> rank: array<u32>;  // [draws · orders, groups], each a permutation

@compute @workgroup_size(64)
fn marginals(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let result = (group.y * groups.x + group.x) * 64u + lane;
  if (result >= params.count) { return; }
  let i = result % params.groups;
  let draw = result / params.groups;
  let example = draw / params.draws;
  var total = 0.0;
  for (var k = 0u; k < params.orders; k++) {
    let place = rank[(draw % params.draws * params.orders + k) * params.groups + i];
    let row = (draw * params.orders + k) * params.groups;
    var before = none[example];
    if (place > 0u) { before = v[row + place - 1u]; }
    total += v[row + place] - before;
  }
  y[result] = total / f32(params.orders);
}
