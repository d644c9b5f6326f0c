import { expect, test } from 'vitest';
import type { Dataset } from '../../src/engine/index.ts';
import { paintExample } from '../../src/ui/ink.ts';

const images = (inputs: Uint8Array | Float32Array, inputShape: readonly number[]): Dataset => ({
  name: 'images',
  size: 2,
  inputShape,
  inputs,
});

test('an example is ink of its values, in another scheme chalk, and never that of another set of the same name', () => {
  const canvas = document.createElement('canvas');
  document.body.append(canvas);
  const shown = () => [...canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data];
  try {
    canvas.style.colorScheme = 'light';
    paintExample(canvas, images(Uint8Array.of(0, 0, 255, 0, 0, 255), [1, 3, 1]), 1);
    expect([canvas.width, canvas.height]).toEqual([3, 1]);
    expect(shown()).toEqual([...[0, 0, 0, 0], ...[0, 0, 0, 0], ...[27, 32, 39, 255]]);
    // Of two channels the first.
    paintExample(canvas, images(Float32Array.of(0, 0, 0, 0, 1, 0, 0, 1), [2, 1, 2]), 1);
    expect([canvas.width, canvas.height]).toEqual([1, 2]);
    expect(shown()).toEqual([...[27, 32, 39, 255], ...[0, 0, 0, 0]]);
    const two = images(Float32Array.of(1, 0, 0, 1), [1, 2, 1]);
    paintExample(canvas, two, 0);
    expect(shown()).toEqual([...[27, 32, 39, 255], ...[0, 0, 0, 0]]);
    canvas.style.colorScheme = 'dark';
    paintExample(canvas, two, 0);
    expect(shown()).toEqual([...[233, 230, 223, 255], ...[0, 0, 0, 0]]);
    paintExample(canvas, images(Float32Array.of(0, 1, 1, 0), [1, 2, 1]), 0);
    expect(shown()).toEqual([...[0, 0, 0, 0], ...[233, 230, 223, 255]]);
  } finally {
    canvas.remove();
  }
});
