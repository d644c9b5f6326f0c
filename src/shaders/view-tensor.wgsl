// A tensor as a picture, drawn from its own buffer; nothing is read back to draw.
// No gradient: this only looks.
// measure: one workgroup finds where the scale ends: for signed values 99.9 % of all |v| lie below, by a histogram; for magnitudes the
// largest |v|; now, and the most over the run. picture: one invocation colours one cell. A picture is `tiles` images in a grid; the value
// of cell (x, y) of a tile lies at offset + tile · tile_stride + y · row_stride + x · column_stride. Between tiles lies a gap that shows
// the page, as do cells that the tensor does not fill.

struct View {
  width: u32,          // cells across a tile
  height: u32,
  tiles: u32,
  columns: u32,        // tiles in a row of the grid
  gap: u32,            // cells between tiles
  offset: u32,         // of the first value, in elements
  tile_stride: u32,    // elements from one tile to the next
  row_stride: u32,
  column_stride: u32,
  cells: u32,          // values a tile; the last row may be short
  is_signed: u32,      // 1: diverging about 0; 0: magnitudes from 0 up
  per_frame: u32,      // 1: the scale ends where it does now; 0: where it did at its widest in the run
  last_color: u32,     // index of the last colour
  skip_x: f32,         // cells a pixel: 1, more where the canvas is smaller than the picture
  skip_y: f32,
  limit: f32,          // end of the scale where another picture shares it; 0: its own
}

const LANES = 256u;
const BINS = 1024u;
const OUTSIDE = 1000u;         // one value in so many lies beyond a signed scale
const NOT_FINITE = vec4<f32>(1.0, 0.0, 0.565, 1.0);

@group(0) @binding(0) var<storage, read> values: array<f32>;              // any shape
@group(0) @binding(1) var<storage, read_write> limits_out: array<f32, 2>; // end of the scale: now, of the run
@group(0) @binding(2) var<uniform> view: View;

var<workgroup> found: array<f32, LANES>;
var<workgroup> histogram: array<atomic<u32>, BINS>;  // of |v|, from 0 to the largest

fn is_finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

/// |v| of the i-th value that is shown; 0 where it is not finite.
fn magnitude(i: u32) -> f32 {
  let tile = i / view.cells;
  let cell = i % view.cells;
  let index = view.offset + tile * view.tile_stride + (cell / view.width) * view.row_stride + (cell % view.width) * view.column_stride;
  let value = values[index];
  return select(0.0, abs(value), is_finite(value));
}

@compute @workgroup_size(LANES)
fn measure(@builtin(local_invocation_index) lane: u32) {
  let count = view.tiles * view.cells;
  var largest = 0.0;
  for (var i = lane; i < count; i += LANES) { largest = max(largest, magnitude(i)); }
  found[lane] = largest;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { found[lane] = max(found[lane], found[lane + half]); }
  }
  workgroupBarrier();
  let greatest = found[0];
  let per_value = f32(BINS) / max(greatest, 1e-30);
  if (view.is_signed == 1u) {
    for (var i = lane; i < count; i += LANES) {
      atomicAdd(&histogram[min(u32(magnitude(i) * per_value), BINS - 1u)], 1u);
    }
  }
  workgroupBarrier();
  if (lane == 0u) {
    var end = greatest;
    if (view.is_signed == 1u) {
      var bin = BINS;
      var beyond = 0u;
      while (bin > 1u && beyond * OUTSIDE <= count) {
        bin -= 1u;
        beyond += atomicLoad(&histogram[bin]);
      }
      end = min(greatest, f32(bin + 1u) / per_value);
    }
    limits_out[0] = end;
    limits_out[1] = max(limits_out[1], end);
  }
}

@vertex
fn cover(@builtin(vertex_index) corner: u32) -> @builtin(position) vec4<f32> {
  // One triangle that covers the canvas.
  return vec4<f32>(f32(4u * (corner & 1u)) - 1.0, f32(2u * (corner & 2u)) - 1.0, 0.0, 1.0);
}

@group(0) @binding(3) var<storage, read> limits: array<f32, 2>;
@group(0) @binding(4) var<storage, read> colors: array<u32>;  // [last_color + 1] RGBA8

@fragment
fn picture(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
  let place = vec2<u32>(at.xy * vec2<f32>(view.skip_x, view.skip_y));
  let pitch = vec2<u32>(view.width + view.gap, view.height + view.gap);
  let tile = (place.y / pitch.y) * view.columns + place.x / pitch.x;
  let x = place.x % pitch.x;
  let y = place.y % pitch.y;
  let outside = tile >= view.tiles || x >= view.width || y >= view.height || y * view.width + x >= view.cells;
  if (outside) { return vec4<f32>(0.0); }
  let value = values[view.offset + tile * view.tile_stride + y * view.row_stride + x * view.column_stride];
  if (!is_finite(value)) { return NOT_FINITE; }
  let own = select(limits[1], limits[0], view.per_frame == 1u);
  let share = value / max(select(own, view.limit, view.limit > 0.0), 1e-30);
  let along = select(clamp(share, 0.0, 1.0), 0.5 + 0.5 * clamp(share, -1.0, 1.0), view.is_signed == 1u);
  return unpack4x8unorm(colors[u32(round(along * f32(view.last_color)))]);
}
