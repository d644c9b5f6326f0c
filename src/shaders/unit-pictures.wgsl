// Pictures of a layer's units: the weights of each as an image, drawn from the very buffer that training updates.
// No gradient: this only looks.
// measure: one workgroup finds where the scale ends: 99.9 % of all |w| lie below, by a histogram; now, and the most over the run. picture: one invocation colours one pixel of the canvas; the units
// stand in a grid, each weight is a cell, and between units lies a gap that shows the page.

struct View {
  image_width: u32,   // weights across an image
  image_height: u32,
  units: u32,
  columns: u32,       // units in a row of the grid
  canvas_width: f32,  // pixels
  canvas_height: f32,
  gap: f32,           // cells between units
  per_frame: u32,     // 1: the scale ends where it does now; 0: where it did at its widest in the run
  marked: i32,        // unit with a frame, or -1
  frame: u32,         // RGBA8, its colour
}

const LAST_COLOR = 510.0;  // the middle one, 255, stands for 0
const LANES = 256u;
const BINS = 1024u;
const OUTSIDE = 1000u;         // one weight in so many lies beyond the scale

@group(0) @binding(0) var<storage, read> weights: array<f32>;             // [image_height * image_width, units]
@group(0) @binding(1) var<storage, read_write> limits_out: array<f32, 2>; // end of the scale: now, of the run
@group(0) @binding(2) var<uniform> view: View;

var<workgroup> found: array<f32, LANES>;
var<workgroup> histogram: array<atomic<u32>, BINS>;  // of |w|, from 0 to the largest

@compute @workgroup_size(LANES)
fn measure(@builtin(local_invocation_index) lane: u32) {
  let count = view.image_width * view.image_height * view.units;
  var largest = 0.0;
  for (var i = lane; i < count; i += LANES) { largest = max(largest, abs(weights[i])); }
  found[lane] = largest;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { found[lane] = max(found[lane], found[lane + half]); }
  }
  workgroupBarrier();
  let per_weight = f32(BINS) / max(found[0], 1e-30);
  for (var i = lane; i < count; i += LANES) {
    atomicAdd(&histogram[min(u32(abs(weights[i]) * per_weight), BINS - 1u)], 1u);
  }
  workgroupBarrier();
  if (lane == 0u) {
    var bin = BINS;
    var beyond = 0u;
    while (bin > 1u && beyond * OUTSIDE <= count) {
      bin -= 1u;
      beyond += atomicLoad(&histogram[bin]);
    }
    limits_out[0] = f32(bin + 1u) / per_weight;
    limits_out[1] = max(limits_out[1], limits_out[0]);
  }
}

@vertex
fn cover(@builtin(vertex_index) corner: u32) -> @builtin(position) vec4<f32> {
  // One triangle that covers the canvas.
  return vec4<f32>(f32(4u * (corner & 1u)) - 1.0, f32(2u * (corner & 2u)) - 1.0, 0.0, 1.0);
}

@group(0) @binding(3) var<storage, read> limits: array<f32, 2>;
@group(0) @binding(4) var<storage, read> colors: array<u32, 511>;  // RGBA8, from the most negative weight to the most positive

@fragment
fn picture(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
  let rows = (view.units + view.columns - 1u) / view.columns;
  let pitch = vec2<f32>(f32(view.image_width), f32(view.image_height)) + view.gap;
  let grid = vec2<f32>(f32(view.columns), f32(rows)) * pitch - view.gap;
  let cell = at.xy * grid / vec2<f32>(view.canvas_width, view.canvas_height);
  let place = vec2<u32>(cell / pitch);
  let within = cell - vec2<f32>(place) * pitch;
  let unit = place.y * view.columns + place.x;
  let x = u32(within.x);
  let y = u32(within.y);
  if (unit >= view.units || x >= view.image_width || y >= view.image_height) { return vec4<f32>(0.0); }

  if (i32(unit) == view.marked && (x == 0u || y == 0u || x == view.image_width - 1u || y == view.image_height - 1u)) {
    return unpack4x8unorm(view.frame);
  }
  let weight = weights[(y * view.image_width + x) * view.units + unit];
  let limit = max(select(limits[1], limits[0], view.per_frame == 1u), 1e-30);
  let color = round((0.5 + 0.5 * clamp(weight / limit, -1.0, 1.0)) * LAST_COLOR);
  return unpack4x8unorm(colors[u32(color)]);
}
