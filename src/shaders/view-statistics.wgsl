// What a tensor comes to in a few numbers: extremes, mean, deviation, zeros, values that are not finite, dead units, a histogram.
// No gradient: this only looks.
// One workgroup; lane l takes the values l, l + 256, …, and the lanes are added pairwise, so the order never changes. Two passes over the
// values: the second takes the squares about the mean, which does not cancel.
// mean = Σv / n; deviation = √(Σ(v − mean)² / n), over the finite values.

struct Params {
  length: u32,   // values
  columns: u32,  // length of the last axis: a column is a unit
}

struct Statistics {
  finite: u32,      // values that are finite
  zeros: u32,
  dead: u32,        // columns in which every value is 0
  least: f32,       // of the finite values
  greatest: f32,
  mean: f32,
  deviation: f32,
  histogram: array<u32, 64>,  // equal bins from least to greatest
}

const LANES = 256u;
const BINS = 64u;
const LARGEST = 3.4028234e38;

@group(0) @binding(0) var<storage, read> values: array<f32>;             // [length]
@group(0) @binding(1) var<storage, read_write> result: Statistics;
@group(1) @binding(0) var<uniform> params: Params;

var<workgroup> low: array<f32, LANES>;
var<workgroup> high: array<f32, LANES>;
var<workgroup> sum: array<f32, LANES>;
var<workgroup> finite: array<u32, LANES>;
var<workgroup> zeros: array<u32, LANES>;
var<workgroup> dead: array<u32, LANES>;
var<workgroup> bins: array<atomic<u32>, BINS>;

fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(LANES)
fn summarise(@builtin(local_invocation_index) lane: u32) {
  var least = LARGEST;
  var greatest = -LARGEST;
  var total = 0.0;
  var counted = 0u;
  var zero = 0u;
  for (var i = lane; i < params.length; i += LANES) {
    let value = values[i];
    if (!is_finite(value)) { continue; }
    least = min(least, value);
    greatest = max(greatest, value);
    total += value;
    counted += 1u;
    zero += select(0u, 1u, value == 0.0);
  }
  var silent = 0u;
  for (var column = lane; column < params.columns; column += LANES) {
    var any = false;
    for (var i = column; i < params.length; i += params.columns) {
      if (values[i] != 0.0) { any = true; break; }
    }
    silent += select(1u, 0u, any);
  }
  low[lane] = least;
  high[lane] = greatest;
  sum[lane] = total;
  finite[lane] = counted;
  zeros[lane] = zero;
  dead[lane] = silent;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      low[lane] = min(low[lane], low[lane + half]);
      high[lane] = max(high[lane], high[lane + half]);
      sum[lane] += sum[lane + half];
      finite[lane] += finite[lane + half];
      zeros[lane] += zeros[lane + half];
      dead[lane] += dead[lane + half];
    }
  }
  workgroupBarrier();
  let count = f32(max(finite[0], 1u));
  let mean = sum[0] / count;
  let from_low = low[0];
  let per_bin = f32(BINS) / max(high[0] - from_low, 1e-30);
  workgroupBarrier();

  var squares = 0.0;
  for (var i = lane; i < params.length; i += LANES) {
    let value = values[i];
    if (!is_finite(value)) { continue; }
    squares += (value - mean) * (value - mean);
    atomicAdd(&bins[min(u32(max(value - from_low, 0.0) * per_bin), BINS - 1u)], 1u);
  }
  sum[lane] = squares;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { sum[lane] += sum[lane + half]; }
  }
  workgroupBarrier();
  if (lane < BINS) { result.histogram[lane] = atomicLoad(&bins[lane]); }
  if (lane == 0u) {
    result.finite = finite[0];
    result.zeros = zeros[0];
    result.dead = dead[0];
    result.least = low[0];
    result.greatest = high[0];
    result.mean = mean;
    result.deviation = sqrt(sum[0] / count);
  }
}
