import { expect, test } from 'vitest';
import { stripWgslComments } from '../../src/cli/library-build.ts';

test('WGSL loses its comments, nested ones too, its indentation, and nothing else', () => {
  const source = `// relu: y = max(x, 0)
@group(0) @binding(0) var<storage, read> x: array<f32>; // [n]
/* a /* nested */ comment
   of two lines */ override n: u32;

fn forward(i: u32) -> f32 { return x[i] / 2.0 /* half */ * 3.0; }`;
  expect(stripWgslComments(source)).toBe(`@group(0) @binding(0) var<storage, read> x: array<f32>;
override n: u32;
fn forward(i: u32) -> f32 { return x[i] / 2.0  * 3.0; }`);
});
