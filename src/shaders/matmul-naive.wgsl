// Matrix product, the readable reference: y = a b, batched, either operand transposed by its strides.
// Shapes: a [batch, rows, inner], b [batch, inner, cols], y [batch, rows, cols], whatever order their memory is in.
// Gradient: da = dy bᵀ, db = aᵀ dy, the same kernel with other strides.
// One invocation computes one element of y; every other kernel of the family must agree with it.

struct Params {
  rows: u32,
  inner: u32,
  cols: u32,
  a_row: u32,     // stride of a from row to row, in elements
  a_inner: u32,   // stride of a along the inner axis
  b_inner: u32,
  b_col: u32,
  a_batch: u32,   // stride from matrix to matrix, 0 where one serves all
  b_batch: u32,
  batch: u32,
  relu: u32,      // 1: affine ends in ReLU
}

@group(0) @binding(0) var<storage, read> a: array<f32>;              // [batch, rows, inner]
@group(0) @binding(1) var<storage, read> b: array<f32>;              // [batch, inner, cols]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;        // [batch, rows, cols]
@group(0) @binding(3) var<storage, read> bias: array<f32>;           // [cols], affine only
@group(0) @binding(4) var<storage, read> gate: array<f32>;           // [batch, rows, cols], masked only
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;     // [cols], weight_gradient only
@group(1) @binding(0) var<uniform> params: Params;

fn element(row: u32, col: u32, batch: u32) -> f32 {
  var sum = 0.0;
  for (var k = 0u; k < params.inner; k++) {
    let p = a[batch * params.a_batch + row * params.a_row + k * params.a_inner];
    let q = b[batch * params.b_batch + k * params.b_inner + col * params.b_col];
    sum += p * q;
  }
  return sum;
}

// The element of y that an invocation owns: x walks columns, y rows, z the batch.
fn inside(id: vec3<u32>) -> bool {
  return id.x < params.cols && id.y < params.rows && id.z < params.batch;
}

fn position(id: vec3<u32>) -> u32 {
  return (id.z * params.rows + id.y) * params.cols + id.x;
}

// y = a b
@compute @workgroup_size(8, 8)
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
  if (!inside(id)) { return; }
  y[position(id)] = element(id.y, id.x, id.z);
}

// y = a b + bias, through ReLU on request
@compute @workgroup_size(8, 8)
fn affine(@builtin(global_invocation_id) id: vec3<u32>) {
  if (!inside(id)) { return; }
  let value = element(id.y, id.x, id.z) + bias[id.x];
  y[position(id)] = select(value, max(value, 0.0), params.relu == 1u);
}

// y = a b where gate > 0, else 0: the gradient of ReLU in the same breath
@compute @workgroup_size(8, 8)
fn masked(@builtin(global_invocation_id) id: vec3<u32>) {
  if (!inside(id)) { return; }
  let at = position(id);
  y[at] = select(0.0, element(id.y, id.x, id.z), gate[at] > 0.0);
}

// y = aᵀ-strided a b and, by the invocations of row 0, the sums of b over its rows: dW and db of an affine layer
@compute @workgroup_size(8, 8)
fn weight_gradient(@builtin(global_invocation_id) id: vec3<u32>) {
  if (!inside(id)) { return; }
  y[position(id)] = element(id.y, id.x, id.z);
  if (id.y == 0u) {
    var sum = 0.0;
    for (var k = 0u; k < params.inner; k++) { sum += b[k * params.b_inner + id.x * params.b_col]; }
    sums[id.x] = sum;
  }
}
