// Sums over the samples of an example, one after another in the order of their numbers, on top of what earlier runs have summed: the
// result does not depend on how many samples a run takes, to the bit.
//
//     weighted_sum  y = before + Σ_s weight[s] · x[s]
//     running_mean  mean ← mean + (x[s] - mean) / n, n the number of samples so far (Welford 1962); equal samples give exactly themselves
//     running_m2    m2 ← m2 + (x[s] - mean_before) · (x[s] - mean_after): the sum of squared differences from the mean
//
// One invocation computes one element.

struct Params {
  count: u32,    // elements of y
  width: u32,    // elements of one example
  samples: u32,  // samples of an example in x
}

@group(0) @binding(0) var<storage, read> x: array<f32>;       // [examples, samples, width]
@group(0) @binding(1) var<storage, read> weight: array<f32>;  // [samples]
@group(0) @binding(2) var<storage, read> before: array<f32>;  // [examples, width], the sum or the mean
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [examples, width]
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn weighted_sum(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let first = i / params.width * params.samples * params.width + i % params.width;
  var total = before[i];
  for (var s = 0u; s < params.samples; s++) { total += weight[s] * x[first + s * params.width]; }
  y[i] = total;
}

@group(0) @binding(1) var<storage, read> draw: array<u32>;  // [3]: a seed, the number of the first sample, how many of x count

@compute @workgroup_size(64)
fn running_mean(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let first = i / params.width * params.samples * params.width + i % params.width;
  var mean = before[i];
  for (var s = 0u; s < draw[2]; s++) { mean += (x[first + s * params.width] - mean) / f32(draw[1] + s + 1u); }
  y[i] = mean;
}

@group(0) @binding(4) var<storage, read> m2_before: array<f32>;  // [examples, width]

@compute @workgroup_size(64)
fn running_m2(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let first = i / params.width * params.samples * params.width + i % params.width;
  var mean = before[i];
  var m2 = m2_before[i];
  for (var s = 0u; s < draw[2]; s++) {
    let value = x[first + s * params.width];
    let difference = value - mean;
    mean += difference / f32(draw[1] + s + 1u);
    m2 += difference * (value - mean);
  }
  y[i] = m2;
}
