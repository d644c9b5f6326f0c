// Adds a batch to the totals of an evaluation and moves on to the next: Σ loss, Σ hits, Σ rows.
// Compiled behind training-state.wgsl. One invocation does it all.

@group(0) @binding(0) var<storage, read> row_loss: array<f32>;            // [batch]
@group(0) @binding(1) var<storage, read> row_hit: array<f32>;             // [batch]
@group(0) @binding(2) var<storage, read_write> state: TrainingState;
@group(0) @binding(3) var<storage, read_write> totals: array<f32>;        // [4]: loss, hits, rows, unused

@compute @workgroup_size(1)
fn accumulate() {
  var loss = 0.0;
  var hits = 0.0;
  for (var row = 0u; row < min(state.rows, state.batch); row++) {
    loss += row_loss[row];
    hits += row_hit[row];
  }
  totals[0] += loss;
  totals[1] += hits;
  totals[2] += f32(state.rows);
  state.cursor += state.rows;
  state.rows = min(state.batch, state.examples - state.cursor);
}
