// Sums and maxima over a workgroup of 64 invocations, for kernels that give a workgroup to a row. A library: put in front of them.
// The halves are combined in a fixed order, so the same row gives the same bits. Every invocation of the group must call.

const GROUP = 64u;
var<workgroup> lanes: array<f32, GROUP>;

fn workgroup_sum(lane: u32, value: f32) -> f32 {
  lanes[lane] = value;
  for (var half_width = GROUP / 2u; half_width > 0u; half_width >>= 1u) {
    workgroupBarrier();
    if (lane < half_width) { lanes[lane] += lanes[lane + half_width]; }
  }
  workgroupBarrier();
  let total = lanes[0];
  workgroupBarrier();  // The next call writes to lanes.
  return total;
}

fn workgroup_max(lane: u32, value: f32) -> f32 {
  lanes[lane] = value;
  for (var half_width = GROUP / 2u; half_width > 0u; half_width >>= 1u) {
    workgroupBarrier();
    if (lane < half_width) { lanes[lane] = max(lanes[lane], lanes[lane + half_width]); }
  }
  workgroupBarrier();
  let largest = lanes[0];
  workgroupBarrier();
  return largest;
}
