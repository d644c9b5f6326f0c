// What the tensors of a buffer come to: Σ w², Σ |w|, min w, max w, mean, Σ (w − mean)², how many are 0, how many are not finite, and where
// asked for Σ (w − w before)², in one pass over the values.
// reduce: an invocation takes a block of 64 values of one tensor, as Adam does. join_blocks, join_segments: an invocation adds up to 32
// blocks, then the segments of one tensor, in their order. No barrier, no atomic. A look may take in a part of each tensor's blocks, in turn.
// A block's mean comes first and Σ (w − mean)² after it, from the same registers; blocks are put together by the parallel rule: nothing cancels.
// What is not finite is counted and otherwise left out; it shows in Σ w², and join_blocks then goes through that block value by value, as it
// does through the last block of a tensor, which may be shorter.
// Source: Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance".

struct Params {
  count: u32,       // blocks, segments or tensors: invocations that are needed
  first: u32,       // of the blocks that this look takes in
  into: u32,        // where the results of this dispatch begin
  whole: u32,       // blocks of this look that every look takes in; they come first
  next: u32,        // first of the blocks that the next look takes in and this one does not
  next_count: u32,
}

struct Block {
  first: u32,   // its first quad in the buffer
  length: u32,  // its values, 64 at most
}

// Up to 32 blocks of one tensor at one look.
struct Segment {
  first_block: u32,  // in blocks
  first_sums: u32,   // in block_sums
  count: u32,
}

// The segments of one tensor at one look.
struct Span {
  first: u32,
  count: u32,
}

struct Sums {
  number: f32,      // of finite values
  mean: f32,
  deviations: f32,  // Σ (w − mean)²
  squares: f32,
  absolute: f32,
  least: f32,
  greatest: f32,
  updates: f32,     // Σ (w − w before)²
  zeros: u32,
  broken: u32,      // not finite
}

const LARGEST: f32 = 0x1.fffffep127;

@group(0) @binding(0) var<storage, read> weights4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> blocks: array<Block>;            // of each part of the buffer in turn
@group(0) @binding(2) var<storage, read_write> block_sums: array<Sums>;   // [looks, blocks of a look]
@group(0) @binding(3) var<storage, read_write> block_updates: array<f32>; // [looks, blocks of a look]
@group(0) @binding(4) var<storage, read_write> before4: array<vec4<f32>>; // the buffer, as it was
@group(1) @binding(0) var<uniform> params: Params;

fn is_finite(w: f32) -> bool {
  return (bitcast<u32>(w) & 0x7f800000u) != 0x7f800000u;
}

fn finite4(w: vec4<f32>) -> vec4<bool> {
  return (bitcast<vec4<u32>>(w) & vec4<u32>(0x7f800000u)) != vec4<u32>(0x7f800000u);
}

fn add4(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

fn zeros4(w: vec4<f32>) -> vec4<f32> {
  return select(vec4<f32>(), vec4<f32>(1.0), w == vec4<f32>());
}

fn square4(w: vec4<f32>) -> vec4<f32> {
  return w * w;
}

fn linear_index(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + lane;
}

// Of a run of eight quads, without a branch.
fn sums_of_half(first: u32) -> Sums {
  let a = weights4[first];
  let b = weights4[first + 1u];
  let c = weights4[first + 2u];
  let d = weights4[first + 3u];
  let e = weights4[first + 4u];
  let f = weights4[first + 5u];
  let g = weights4[first + 6u];
  let h = weights4[first + 7u];
  let mean = add4(((a + b) + (c + d)) + ((e + f) + (g + h))) / 32.0;
  let about = vec4<f32>(mean);
  let deviations = ((square4(a - about) + square4(b - about)) + (square4(c - about) + square4(d - about)))
    + ((square4(e - about) + square4(f - about)) + (square4(g - about) + square4(h - about)));
  let squares = ((a * a + b * b) + (c * c + d * d)) + ((e * e + f * f) + (g * g + h * h));
  let absolute = ((abs(a) + abs(b)) + (abs(c) + abs(d))) + ((abs(e) + abs(f)) + (abs(g) + abs(h)));
  let least = min(min(min(a, b), min(c, d)), min(min(e, f), min(g, h)));
  let greatest = max(max(max(a, b), max(c, d)), max(max(e, f), max(g, h)));
  let zeros = ((zeros4(a) + zeros4(b)) + (zeros4(c) + zeros4(d))) + ((zeros4(e) + zeros4(f)) + (zeros4(g) + zeros4(h)));
  return Sums(
    32.0, mean, add4(deviations), add4(squares), add4(absolute), min(min(least.x, least.y), min(least.z, least.w)),
    max(max(greatest.x, greatest.y), max(greatest.z, greatest.w)), 0.0, u32(add4(zeros)), 0u,
  );
}

// q put to p: counts, sums and extremes add up; means by their numbers (Chan et al., equation 2.1).
fn joined(p: Sums, q: Sums) -> Sums {
  let number = p.number + q.number;
  let share = q.number / max(number, 1.0);
  let apart = q.mean - p.mean;
  return Sums(
    number, p.mean + apart * share, p.deviations + q.deviations + apart * apart * share * p.number, p.squares + q.squares,
    p.absolute + q.absolute, min(p.least, q.least), max(p.greatest, q.greatest), p.updates + q.updates, p.zeros + q.zeros, p.broken + q.broken,
  );
}

@compute @workgroup_size(64)
fn reduce(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  // What would be beyond the last does the last again, so that all run alike.
  let at = min(linear_index(group, groups, lane), params.count - 1u);
  let first = blocks[params.first + at].first;
  block_sums[params.into + at] = joined(sums_of_half(first), sums_of_half(first + 8u));
}

fn keep(block: Block) {
  for (var i = 0u; i < (block.length + 3u) / 4u; i++) { before4[block.first + i] = weights4[block.first + i]; }
}

// Also what changed since the look before. A look keeps what the next one will compare: its own blocks where that takes them in again, and those that
// only the next takes in. No block is both read by one invocation and written by another.
@compute @workgroup_size(64)
fn reduce_with_updates(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = linear_index(group, groups, lane);
  if (at >= params.count) {
    if (at - params.count < params.next_count) { keep(blocks[params.next + at - params.count]); }
    return;
  }
  let block = blocks[params.first + at];
  block_sums[params.into + at] = joined(sums_of_half(block.first), sums_of_half(block.first + 8u));
  let quads = (block.length + 3u) / 4u;  // A last quad's padding is 0 and stays 0.
  var total = vec4<f32>();
  for (var i = 0u; i < quads; i++) {
    let change = weights4[block.first + i] - before4[block.first + i];
    total += select(vec4<f32>(), change * change, finite4(change));
  }
  block_updates[params.into + at] = add4(total);
  if (at < params.whole) { keep(block); }
}

@group(0) @binding(2) var<storage, read> all_block_sums: array<Sums>;
@group(0) @binding(3) var<storage, read> all_block_updates: array<f32>;
@group(0) @binding(4) var<storage, read> segments: array<Segment>;         // of each look
@group(0) @binding(5) var<storage, read_write> segment_sums: array<Sums>;  // [segments]

fn nothing() -> Sums {
  return Sums(0.0, 0.0, 0.0, 0.0, 0.0, LARGEST, -LARGEST, 0.0, 0u, 0u);
}

// Value by value.
fn careful_sums(block: Block) -> Sums {
  var result = nothing();
  for (var i = 0u; i < block.length; i++) {
    let w = weights4[block.first + i / 4u][i % 4u];
    if (is_finite(w)) {
      result = joined(result, Sums(1.0, w, 0.0, w * w, abs(w), w, w, 0.0, select(0u, 1u, w == 0.0), 0u));
    } else {
      result.broken += 1u;
    }
  }
  return result;
}

@compute @workgroup_size(64)
fn join_blocks(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = linear_index(group, groups, lane);
  if (at >= params.count) { return; }
  let segment = segments[at];
  var total = nothing();
  for (var i = 0u; i < segment.count; i++) {
    let block = blocks[segment.first_block + i];
    var own = all_block_sums[segment.first_sums + i];
    if (block.length < 64u || !is_finite(own.squares)) { own = careful_sums(block); }
    own.updates = all_block_updates[segment.first_sums + i];
    total = joined(total, own);
  }
  segment_sums[at] = total;
}

@group(0) @binding(0) var<storage, read> all_segment_sums: array<Sums>;
@group(0) @binding(1) var<storage, read> spans: array<Span>;                // [looks, tensors]
@group(0) @binding(2) var<storage, read_write> results: array<Sums>;         // [batches, looks, tensors]

@compute @workgroup_size(64)
fn join_segments(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = linear_index(group, groups, lane);
  if (at >= params.count) { return; }
  let own = spans[at];
  var total = nothing();
  for (var i = own.first; i < own.first + own.count; i++) { total = joined(total, all_segment_sums[i]); }
  results[params.into + at] = total;
}
