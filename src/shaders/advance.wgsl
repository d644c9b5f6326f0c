// Ends the backward pass of a training step: mean loss and accuracy, the reasons to halt, the ring entry, and all that the update needs.
// Compiled behind training-state.wgsl. It is the one kernel of a step that changes the state.
// Shapes: row_loss, row_hit [batch], rates [rate_count], ring [1 + ring_size].
// One invocation does it all: the work is a few hundred loads.
// A halt comes before the update, so the step's gradients stay intact; steps already queued recompute the same batch and change nothing.

struct Params {
  rate_count: u32,
  ring_size: u32,   // entries after the header
  beta_1: f32,
  beta_2: f32,
}

@group(0) @binding(0) var<storage, read> row_loss: array<f32>;             // [batch]
@group(0) @binding(1) var<storage, read> row_hit: array<f32>;              // [batch]
@group(0) @binding(2) var<storage, read> rates: array<f32>;                // [rate_count], from step rate_base on
@group(0) @binding(3) var<storage, read_write> state: TrainingState;
@group(0) @binding(4) var<storage, read_write> ring: array<vec4<u32>>;     // [1 + ring_size]: steps done, halted; then step, loss, hits, rows
@group(1) @binding(0) var<uniform> params: Params;

fn why_halt(loss: f32) -> u32 {
  if (state.step >= state.stop_step) { return STEP_REACHED; }
  if (!is_finite(loss) || !is_finite(state.gradient_norm)) { return NON_FINITE; }
  if (loss > state.loss_above) { return LOSS_ABOVE; }
  if (loss < state.loss_below) { return LOSS_BELOW; }
  return RUNNING;
}

@compute @workgroup_size(1)
fn advance() {
  if (state.halted != RUNNING) { return; }
  let rows = min(state.rows, state.batch);
  var loss = 0.0;
  var hits = 0.0;
  for (var row = 0u; row < rows; row++) {
    loss += row_loss[row];
    hits += row_hit[row];
  }
  loss /= f32(rows);
  state.loss = loss;
  state.accuracy = hits / f32(rows);
  state.halted = why_halt(loss);
  ring[0] = vec4<u32>(state.step + select(0u, 1u, state.halted == RUNNING), state.halted, bitcast<u32>(loss), rows);
  if (state.halted != RUNNING) { return; }

  let step = state.step;
  ring[1u + step % params.ring_size] = vec4<u32>(step, bitcast<u32>(loss), bitcast<u32>(hits), rows);
  state.rate = rates[min(step - state.rate_base, params.rate_count - 1u)];
  state.correction_1 = state.correction_1 * params.beta_1 + (1.0 - params.beta_1);
  state.correction_2 = state.correction_2 * params.beta_2 + (1.0 - params.beta_2);
  state.step = step + 1u;
  if (state.stride > 0u) {
    state.cursor += state.stride;
    if (state.cursor >= state.examples) {
      state.cursor = 0u;
      state.epoch += 1u;
    }
    state.rows = min(state.batch, state.examples - state.cursor);
  }
}
