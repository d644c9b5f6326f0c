// Histograms of the tensors of a buffer: equal bins from a tensor's least to its greatest finite value, or over a range that is given.
// A workgroup counts 64 blocks in its own memory; blocks of several tensors may be among them, so a lane whose block is another tensor's than
// the first's adds to the totals at once. Integers: the order does not show.
// bin = ⌊(w − from) · bins / (to − from)⌋, kept within the first and the last; what is not finite is in none.
// Put behind weight-reductions.wgsl, which declares the blocks.

override BINS: u32 = 64u;

@group(0) @binding(2) var<storage, read> owners: array<u32>;                  // [blocks]: the tensor of each
@group(0) @binding(3) var<storage, read> ranges: array<vec2<f32>>;            // [tensors]; from ≥ to: the least and the greatest
@group(0) @binding(4) var<storage, read> latest: array<Sums>;                 // [tensors]
@group(0) @binding(5) var<storage, read_write> counts: array<atomic<u32>>;    // [tensors, bins]

var<workgroup> own_counts: array<atomic<u32>, BINS>;

@compute @workgroup_size(64)
fn histogram(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = linear_index(group, groups, lane);
  let owner_here = owners[min(linear_index(group, groups, 0u), params.count - 1u)];
  if (at < params.count) {
    let block = blocks[at];
    let owner = owners[at];
    var range = ranges[owner];
    if (range.x >= range.y) { range = vec2<f32>(latest[owner].least, latest[owner].greatest); }
    let per_value = select(0.0, f32(BINS) / (range.y - range.x), range.y > range.x);
    for (var i = 0u; i < block.length; i++) {
      let w = weights4[block.first + i / 4u][i % 4u];
      if (!is_finite(w)) { continue; }
      let bin = min(u32(max((w - range.x) * per_value, 0.0)), BINS - 1u);
      if (owner == owner_here) { atomicAdd(&own_counts[bin], 1u); } else { atomicAdd(&counts[owner * BINS + bin], 1u); }
    }
  }
  workgroupBarrier();
  for (var bin = lane; bin < BINS; bin += 64u) {
    let own = atomicLoad(&own_counts[bin]);
    if (own > 0u) { atomicAdd(&counts[owner_here * BINS + bin], own); }
  }
}
