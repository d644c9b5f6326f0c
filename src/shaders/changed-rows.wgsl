// Rows of a data set in which one group of columns holds what another row holds there:
//   y[r, c] = donors[donor_r, c] for c in group_r, else x[example_r, c]                                   (changed_rows)
//   y[r, u] = z[example_r, u] + Σ_{c in group_r} (donors[donor_r, c] − x[example_r, c]) · weight[c, u]    (changed_products)
// where z = x · weight + b: what changes in a few columns changes a first affine layer by a few products.
// No gradient. One invocation computes one element of y.

struct Params {
  count: u32,    // elements of y
  width: u32,    // of a row of y
  columns: u32,  // of a row of x and of donors
}

@group(0) @binding(0) var<storage, read> x: array<f32>;              // [examples, columns]
@group(0) @binding(1) var<storage, read> donors: array<f32>;         // [donors, columns]
@group(0) @binding(2) var<storage, read> query: array<u32>;          // [rows, 3]: example, group, donor
@group(0) @binding(3) var<storage, read> group_of: array<u32>;       // [columns]
@group(0) @binding(4) var<storage, read> first_of: array<u32>;       // [groups + 1]: where each group's columns begin
@group(0) @binding(5) var<storage, read> members: array<u32>;        // [columns], group by group
@group(0) @binding(6) var<storage, read> products: array<f32>;       // z: [examples, width]
@group(0) @binding(7) var<storage, read> weight: array<f32>;         // [columns, width]
@group(0) @binding(8) var<storage, read_write> y: array<f32>;        // [rows, width]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn changed_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) { return; }
  let row = 3u * (at / params.width);
  let column = at % params.width;
  if (group_of[column] == query[row + 1u]) { y[at] = donors[query[row + 2u] * params.columns + column]; }
  else { y[at] = x[query[row] * params.columns + column]; }
}

@compute @workgroup_size(64)
fn changed_products(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) { return; }
  let row = 3u * (at / params.width);
  let unit = at % params.width;
  let example = query[row];
  let which = query[row + 1u];
  let donor = query[row + 2u];
  var change = 0.0;
  for (var i = first_of[which]; i < first_of[which + 1u]; i++) {
    let column = members[i];
    change += (donors[donor * params.columns + column] - x[example * params.columns + column]) * weight[column * params.width + unit];
  }
  y[at] = products[example * params.width + unit] + change;
}
