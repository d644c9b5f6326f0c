// How layer-wise relevance propagation (LRP) divides relevance R by the sums z that it is shared in proportion to.
//
//     quotient    s = R / (z + ε sgn z), sgn 0 = +1; 0 where nothing is left to divide by
//     alpha_beta  s = α R / z⁺ for the positive part, −β R / z⁻ for the negative part of a sum z = z⁺ + z⁻. Where one part is empty the other
//                 takes all of R, where both are none does: shares then still add up to 1, as α − β = 1 does.
//
// Source: Bach et al. 2015, "On pixel-wise explanations for non-linear classifier decisions", equations 58 and 60.
// No gradient. One invocation computes one element.

override negative: bool = false;  // of alpha_beta: which part's s

struct Params {
  count: u32,    // elements of R
  sums: u32,     // elements of z, which is repeated
}

@group(0) @binding(0) var<storage, read> relevance: array<f32>;  // [count]
@group(0) @binding(1) var<storage, read> z: array<f32>;          // [sums]
@group(0) @binding(2) var<storage, read> epsilon: array<f32>;    // [1]
@group(0) @binding(3) var<storage, read_write> s: array<f32>;    // [count]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn quotient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let total = z[i % params.sums];
  let divisor = total + select(-epsilon[0], epsilon[0], total >= 0.0);
  s[i] = select(relevance[i] / divisor, 0.0, divisor == 0.0);
}

@group(0) @binding(1) var<storage, read> positive_sum: array<f32>;  // [count], z⁺
@group(0) @binding(2) var<storage, read> negative_sum: array<f32>;  // [count], z⁻
@group(0) @binding(4) var<storage, read> alpha: array<f32>;         // [1]; β = α − 1

@compute @workgroup_size(64)
fn alpha_beta(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let own = select(positive_sum[i], negative_sum[i], negative);
  let other = select(negative_sum[i], positive_sum[i], negative);
  var share = select(alpha[0], 1.0 - alpha[0], negative);
  if (other == 0.0) { share = 1.0; }
  s[i] = select(share * relevance[i] / own, 0.0, own == 0.0);
}
