// Random masks: y[s] = (1, the mask of each group, zeros), as mask-bits.wgsl lays them out.
//
//     independent  each group is kept, 1, with probability keep[0], else 0
//     grid         a grid of cells x cells such draws, stretched over the image by bilinear interpolation and shifted at random: cells of
//                  ceil(side / cells) pixels, one cell more than the image needs, moved by less than a cell
//
// A draw is for (seed, sample, cell), so a sample is the same whatever run it is in. Compiled behind random.wgsl.
// One invocation computes one element.

struct Params {
  count: u32,   // elements of y
  width: u32,   // columns of y: 1 + groups, and zeros to a multiple of 4
  groups: u32,  // in grid the pixels, row by row
  stream: u32,
  rows: u32,    // pixels of the image
  columns: u32,
  cells: u32,   // along each side of the grid
}

const SHIFT = 0xffffffffu;

@group(0) @binding(0) var<storage, read> draw: array<u32>;     // [3]: the seed, the number of the first sample, how many count
@group(0) @binding(1) var<storage, read> keep: array<f32>;     // [1]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // [samples, width]
@group(1) @binding(0) var<uniform> params: Params;

fn bits_of(sample: u32, index: u32) -> vec4<u32> {
  return pcg4d(vec4<u32>(draw[0], params.stream, draw[1] + sample, index));
}

fn kept(sample: u32, index: u32) -> f32 {
  return select(0.0, 1.0, uniform_unit(bits_of(sample, index).x) < keep[0]);
}

@compute @workgroup_size(64)
fn independent(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let column = i % params.width;
  var value = select(0.0, 1.0, column == 0u);
  if (column > 0u && column <= params.groups) { value = kept(i / params.width, column - 1u); }
  y[i] = value;
}

// Where pixel `at` of a side lies among the grid's cells, their centres at 0, 1, ...: nothing lies outside the first and the last.
fn place_of(at: u32, side: u32, random: u32) -> f32 {
  let cell = (side + params.cells - 1u) / params.cells;
  let shift = min(u32(uniform_unit(random) * f32(cell)), cell - 1u);
  let place = (f32(at + shift) + 0.5) * f32(params.cells) / f32((params.cells + 1u) * cell) - 0.5;
  return clamp(place, 0.0, f32(params.cells - 1u));
}

@compute @workgroup_size(64)
fn grid(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) { return; }
  let column = i % params.width;
  var value = select(0.0, 1.0, column == 0u);
  if (column > 0u && column <= params.groups) {
    let sample = i / params.width;
    let shift = bits_of(sample, SHIFT);
    let down = place_of((column - 1u) / params.columns, params.rows, shift.x);
    let across = place_of((column - 1u) % params.columns, params.columns, shift.y);
    let top = u32(down);
    let left = u32(across);
    let bottom = min(top + 1u, params.cells - 1u);
    let right = min(left + 1u, params.cells - 1u);
    let upper = mix(kept(sample, top * params.cells + left), kept(sample, top * params.cells + right), across - f32(left));
    let lower = mix(kept(sample, bottom * params.cells + left), kept(sample, bottom * params.cells + right), across - f32(left));
    value = mix(upper, lower, down - f32(top));
  }
  y[i] = value;
}
