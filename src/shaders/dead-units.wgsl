// Finds units that have died while a network trains, and stops training at that very step. Encoded after each step; no gradient.
// Compiled behind training-state.wgsl.
// count: one invocation a unit of a layer. How many batches in a row, this one included, it gave 0 for every valid row, at every place of it:
//   quiet ← quiet + 1 where all values are 0 (or below), else 0. Where the step before is not the one that was counted last (training began anew, or a
//   batch came from outside), counting begins with this batch.
// judge: one invocation. The lowest unit whose count has just reached `window` halts training: the step that led here is done, the next is not
//   taken. A unit whose count goes on is not found again. It is the one kernel besides advance that sets `halted`.
// Source: Lu, Shin, Su, Karniadakis 2019, "Dying ReLU and initialization": a ReLU unit is dead where it gives 0 for every input.

struct Params {
  units: u32,    // of the layer, or of all layers for judge
  first: u32,    // the layer's first unit among all
  places: u32,   // values of a unit for one row: 1, or height · width of a feature map
  window: u32,   // batches in a row
  reason: u32,   // what `halted` becomes
}

struct Verdict {
  seen: u32,     // the step that was counted last
  found: u32,    // 1 + the unit that was found last, among all layers; 0: none yet
  step: u32,     // steps done when it was found
  padding: u32,
}

@group(0) @binding(0) var<storage, read> values: array<f32>;              // count: [batch, places, units]
@group(0) @binding(1) var<storage, read> ring_in: array<vec4<u32>>;       // count: the header: steps done, halted, loss, rows of the last batch
@group(0) @binding(2) var<storage, read> state_in: TrainingState;         // count
@group(0) @binding(3) var<storage, read> verdict_in: Verdict;             // count
@group(0) @binding(4) var<storage, read_write> quiet: array<u32>;         // count: [all units]

@group(0) @binding(5) var<storage, read> quiet_in: array<u32>;            // judge: [all units]
@group(0) @binding(6) var<storage, read_write> state: TrainingState;      // judge
@group(0) @binding(7) var<storage, read_write> ring: array<vec4<u32>>;    // judge
@group(0) @binding(8) var<storage, read_write> verdict: Verdict;          // judge
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn count(@builtin(global_invocation_id) id: vec3u) {
  let unit = id.x;
  // After a halt the steps that are queued already take nothing.
  if (unit >= params.units || state_in.halted != RUNNING) { return; }
  let all = ring_in[0].w * params.places;
  var silent = true;
  for (var i = 0u; i < all; i++) {
    // Not `== 0`: a value that is not a number is no silence.
    if (!(values[i * params.units + unit] <= 0.0)) {
      silent = false;
      break;
    }
  }
  let before = select(0u, quiet[params.first + unit], state_in.step == verdict_in.seen + 1u);
  quiet[params.first + unit] = select(0u, before + 1u, silent);
}

@compute @workgroup_size(1)
fn judge() {
  if (state.halted != RUNNING) { return; }
  verdict.seen = state.step;
  for (var unit = 0u; unit < params.units; unit++) {
    if (quiet_in[unit] == params.window) {
      verdict.found = unit + 1u;
      verdict.step = state.step;
      state.halted = params.reason;
      ring[0].y = params.reason;
      return;
    }
  }
}
