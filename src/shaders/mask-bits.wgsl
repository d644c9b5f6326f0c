// Coalitions written out: y[s] = (1, bit 0 of row s, bit 1, ..., zeros). The leading 1 is what the baseline's row is multiplied by
// where masks meet group-products.wgsl in one matrix product.
// One invocation computes one element.

struct Params {
  count: u32,   // elements of y
  width: u32,   // columns of y: 1 + groups, and zeros to a multiple of 4
  groups: u32,
  words: u32,   // uint32 of one coalition
}

@group(0) @binding(0) var<storage, read> bits: array<u32>;     // [samples, words], the lowest bit of the first word is group 0
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [samples, width]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let column = i % params.width;
  var value = select(0.0, 1.0, column == 0u);
  if (column > 0u && column <= params.groups) {
    let index = column - 1u;
    value = f32((bits[i / params.width * params.words + index / 32u] >> (index % 32u)) & 1u);
  }
  y[i] = value;
}
