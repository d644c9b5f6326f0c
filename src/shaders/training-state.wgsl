// What a training step knows about itself, kept on the GPU so that many steps run without an upload.
// A library: kernels that need it are compiled with it in front. The CPU twin is engine/training-state.ts, field by field.

struct TrainingState {
  seed: u32,
  step: u32,            // steps done
  rows: u32,            // valid rows of the batch
  cursor: u32,          // position in the epoch of the batch's first row
  epoch: u32,
  examples: u32,        // examples in an epoch
  batch: u32,           // row capacity of the batch
  stride: u32,          // what the cursor moves by: batch, or 0 while batches come from outside
  halted: u32,          // 0 running, else why it stopped: 1 non-finite, 2 loss above, 3 loss below, 4 step reached, 5 a unit died
  stop_step: u32,       // stop before this step
  loss_above: f32,      // stop when the loss exceeds this
  loss_below: f32,      // stop when the loss falls below this
  rate: f32,            // learning rate of the update that is due
  correction_1: f32,    // 1 − β₁ᵗ, carried as c ← c·β + (1 − β)
  correction_2: f32,    // 1 − β₂ᵗ
  clip: f32,            // what gradients are multiplied by, 1 without clipping
  gradient_norm: f32,   // global norm before clipping, where it is measured
  loss: f32,            // mean over the valid rows of the last batch
  accuracy: f32,
  rate_base: u32,       // step of the first entry of the table of rates
}

const RUNNING = 0u;
const NON_FINITE = 1u;
const LOSS_ABOVE = 2u;
const LOSS_BELOW = 3u;
const STEP_REACHED = 4u;

// By the bits: an implementation may assume that NaN and infinity do not occur.
fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}
