// Gathers a batch from the resident data set by a keyed permutation: x[r] = data[index(cursor + r)], labels[r] likewise.
// Compiled behind random.wgsl and training-state.wgsl.
// Shapes: data [examples, words] (bytes packed four to a word, rows padded to a whole word; or a word a value), x [batch, features].
// One invocation fetches a strided part of one row, so neighbours read neighbouring words and the permutation is computed rarely.
// Rows beyond the valid count become zeros. Data in several shards is gathered by one dispatch each; a row belongs to one shard.

struct Params {
  features: u32,     // values in an example
  words: u32,        // words in a stored row
  parts: u32,        // invocations that share a row
  shuffle: u32,      // 1: keyed permutation of the epoch, 0: in order
  offset: u32,       // example at position 0 when in order
  first: u32,        // first example of this shard
  count: u32,        // examples in this shard
  labelled: u32,     // 1: labels are gathered too
  divisor: f32,      // what bytes are divided by
}

@group(0) @binding(0) var<storage, read> data: array<u32>;            // [count, words]
@group(0) @binding(1) var<storage, read> all_labels: array<u32>;      // [examples]
@group(0) @binding(2) var<storage, read> state: TrainingState;
@group(0) @binding(3) var<storage, read_write> x: array<u32>;         // [batch, features], the bits of floats or indices
@group(0) @binding(4) var<storage, read_write> labels: array<u32>;    // [batch]
@group(1) @binding(0) var<uniform> params: Params;

struct Source {
  row: u32,       // of the batch
  part: u32,
  example: u32,   // within the shard
  valid: bool,    // the row holds an example
  here: bool,     // this dispatch writes the row
}

fn source_of(index: u32) -> Source {
  let row = index / params.parts;
  var source = Source(row, index % params.parts, 0u, row < state.rows, row < state.batch && params.first == 0u);
  if (!source.valid || row >= state.batch) { return source; }
  let position = state.cursor + row;
  var example = params.offset + position;
  if (params.shuffle == 1u) { example = permute(position, state.examples, state.seed, state.epoch); }
  source.example = example - params.first;
  source.here = example >= params.first && source.example < params.count;
  if (source.here && params.labelled == 1u && source.part == 0u) { labels[row] = all_labels[example]; }
  return source;
}

// Bytes become floats: value / divisor.
@compute @workgroup_size(32)
fn bytes(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let source = source_of((group.y * groups.x + group.x) * 32u + lane);
  if (!source.here) { return; }
  for (var word = source.part; word < params.words; word += params.parts) {
    var value = vec4<u32>();
    if (source.valid) { value = bitcast<vec4<u32>>(vec4<f32>(unpack4xU8(data[source.example * params.words + word])) / params.divisor); }
    let at = source.row * params.features + 4u * word;
    let left = min(params.features - 4u * word, 4u);
    x[at] = value.x;
    if (left > 1u) { x[at + 1u] = value.y; }
    if (left > 2u) { x[at + 2u] = value.z; }
    if (left > 3u) { x[at + 3u] = value.w; }
  }
}

// Floats and token indices are used as they are, bit by bit: as a float, the bits of a small index might be flushed to zero.
@compute @workgroup_size(32)
fn floats(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let source = source_of((group.y * groups.x + group.x) * 32u + lane);
  if (!source.here) { return; }
  for (var word = source.part; word < params.words; word += params.parts) {
    var value = 0u;
    if (source.valid) { value = data[source.example * params.words + word]; }
    x[source.row * params.features + word] = value;
  }
}
