// Pictures of a layer's units: the weights of each as an image, drawn from the very buffer that training updates.
// No gradient: this only looks.
// measure: one workgroup finds the largest |w|, now and over the run. picture: one invocation colours one pixel of the canvas; the units
// stand in a grid, each weight is a cell, and between units lies a gap that shows the page.

struct View {
  image_width: u32,   // weights across an image
  image_height: u32,
  units: u32,
  columns: u32,       // units in a row of the grid
  canvas_width: f32,  // pixels
  canvas_height: f32,
  gap: f32,           // cells between units
  per_frame: u32,     // 1: the scale ends at the largest |w| now; 0: at the largest of the run
  marked: i32,        // unit with a frame, or -1
  frame: u32,         // RGBA8, its colour
}

const LAST_COLOR = 510.0;  // the middle one, 255, stands for 0
const LANES = 256u;

@group(0) @binding(0) var<storage, read> weights: array<f32>;              // [image_height * image_width, units]
@group(0) @binding(1) var<storage, read_write> largest_out: array<f32, 2>; // now, of the run
@group(0) @binding(2) var<uniform> view: View;

var<workgroup> found: array<f32, LANES>;

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
  if (lane == 0u) {
    largest_out[0] = found[0];
    largest_out[1] = max(largest_out[1], found[0]);
  }
}

@vertex
fn cover(@builtin(vertex_index) corner: u32) -> @builtin(position) vec4<f32> {
  // One triangle that covers the canvas.
  return vec4<f32>(f32(4u * (corner & 1u)) - 1.0, f32(2u * (corner & 2u)) - 1.0, 0.0, 1.0);
}

@group(0) @binding(3) var<storage, read> largest: array<f32, 2>;
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
  let limit = max(select(largest[1], largest[0], view.per_frame == 1u), 1e-30);
  let color = round((0.5 + 0.5 * clamp(weight / limit, -1.0, 1.0)) * LAST_COLOR);
  return unpack4x8unorm(colors[u32(color)]);
}
