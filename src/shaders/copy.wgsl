// Copies a buffer, for the benchmark: what a kernel that only moves data can reach.
// Shapes: given [vectors], copied [vectors]. One invocation copies EACH vectors, a workgroup's apart, so that neighbours touch neighbours.

const EACH = 8u;

@group(0) @binding(0) var<storage, read> given: array<vec4<f32>>;       // [vectors]
@group(0) @binding(1) var<storage, read_write> copied: array<vec4<f32>>;   // [vectors]

@compute @workgroup_size(64)
fn copy(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * 64u * EACH + lane;
  for (var i = 0u; i < EACH; i++) {
    let at = first + i * 64u;
    if (at < arrayLength(&copied)) { copied[at] = given[at]; }
  }
}

// The least that a dispatch can do and still wait for the one before: adds 1 to a single value.
@compute @workgroup_size(1)
fn touch() {
  copied[0] += 1.0;
}
