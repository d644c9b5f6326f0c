import { describe, expect, test } from 'vitest';
import { VitrineError } from '../../src/engine/errors.ts';
import { kernel, kernelInterface, linearWorkgroups, MOST_WORKGROUPS, writeParameters } from '../../src/engine/kernel.ts';

const withParams = (struct: string) => kernel('test', `struct Params {\n${struct}\n}`, 'forward', []);

function refusal(call: () => unknown): VitrineError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(VitrineError);
    return error as VitrineError;
  }
  throw new Error('nothing was thrown');
}

const faultOf = (message: string): string =>
  `internal: kernel.ts: ${message}\nTo mend: report this with the steps that led here; it is a fault of the engine.`;

test('a kernel is called by its file and its entry point', () => {
  expect(kernel('softmax', '', 'forward', ['x', 'y'])).toEqual({
    name: 'softmax.forward',
    source: '',
    entry: 'forward',
    bindings: ['x', 'y'],
  });
});

describe('the bindings of a kernel', () => {
  const source = `
    // @group(0) @binding(9) var<storage, read> spare: array<f32>;   a comment declares nothing
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1)
    var<storage, read_write> y: array<vec4<f32>>;
    @group(0) @binding(2) var<storage> table: array<u32>;
    @group(1) @binding(0) var<uniform> params: Params;
    struct Params { count: u32 }
  `;

  test('are read from its WGSL, in the order in which its steps list them', () => {
    expect(kernelInterface(kernel('test', source, 'forward', ['y', 'table', 'x'])).bindings).toEqual([
      { name: 'y', binding: 1, access: 'read_write' },
      { name: 'table', binding: 2, access: 'read' },
      { name: 'x', binding: 0, access: 'read' },
    ]);
  });

  test.each(['spare', 'params', 'z'])('must be declared as storage: %s is not', (name) => {
    const error = refusal(() => kernelInterface(kernel('test', source, 'forward', ['x', name])));
    expect(error.code).toBe('internal');
    expect(error.parameters).toEqual({ file: 'kernel.ts' });
    expect(error.message).toBe(faultOf(`test.forward binds ${name}, which its WGSL does not declare`));
  });

  test('are read once a kernel', () => {
    const one = kernel('test', source, 'forward', ['x']);
    expect(kernelInterface(one)).toBe(kernelInterface(one));
  });
});

describe('the parameter struct', () => {
  const layout = (struct: string): [fields: [string, string, number, number][], bytes: number] => {
    const { fields, parameterBytes } = kernelInterface(withParams(struct));
    return [fields.map(({ name, type, width, offset }) => [name, type, width, offset]), parameterBytes];
  };

  test('holds scalars one after another, four bytes each, and is a multiple of 16 bytes long', () => {
    expect(layout('rows: u32,  // of x\n rate: f32,\n shift: i32')).toEqual([
      [
        ['rows', 'u32', 1, 0],
        ['rate', 'f32', 1, 4],
        ['shift', 'i32', 1, 8],
      ],
      16,
    ]);
    expect(layout('a: u32, b: u32, c: u32, d: u32, e: u32')[1]).toBe(32);
  });

  test('begins a vec4 at a multiple of 16, as WGSL does', () => {
    expect(layout('a: u32, shape: vec4<u32>, b: f32, strides: vec4<i32>, slopes: vec4<f32>')).toEqual([
      [
        ['a', 'u32', 1, 0],
        ['shape', 'u32', 4, 16],
        ['b', 'f32', 1, 32],
        ['strides', 'i32', 4, 48],
        ['slopes', 'f32', 4, 64],
      ],
      80,
    ]);
    expect(layout('shape: vec4<u32>, a: u32')[0].map(([, , , offset]) => offset)).toEqual([0, 16]);
  });

  test('takes 16 bytes where a file has none, since a binding cannot be empty', () => {
    expect(kernelInterface(kernel('test', '', 'forward', []))).toEqual({ bindings: [], fields: [], parameterBytes: 16 });
  });

  test('is written in little-endian words, from where it is told to', () => {
    const bytes = new DataView(new ArrayBuffer(48));
    const values = { a: 0xfffffffe, shape: [1, 2, 3, 4], rate: 0.5, shift: -1 };
    writeParameters(withParams('a: u32, shape: vec4<u32>, rate: f32, shift: i32'), values, bytes, 0);
    expect([0, 4, 8, 12, 16, 20, 24, 28].map((at) => bytes.getUint32(at, true))).toEqual([0xfffffffe, 0, 0, 0, 1, 2, 3, 4]);
    expect(bytes.getFloat32(32, true)).toBe(0.5);
    expect(bytes.getInt32(36, true)).toBe(-1);

    const shifted = new DataView(new ArrayBuffer(272));
    writeParameters(withParams('a: u32'), { a: 7 }, shifted, 256);
    expect([shifted.getUint32(0, true), shifted.getUint32(256, true)]).toEqual([0, 7]);
  });

  const faults: Record<string, [values: Record<string, number | number[]>, message: string]> = {
    'a missing parameter': [{ a: 1 }, 'test.forward needs the parameter b'],
    'an unknown parameter': [{ a: 1, b: [1, 2, 3, 4], c: 3 }, 'test.forward has no parameter c'],
    'too few values for a vec4': [{ a: 1, b: [1, 2, 3] }, 'test.forward: b takes 4 values, not 3'],
    'a list for a scalar': [{ a: [1, 2], b: [1, 2, 3, 4] }, 'test.forward: a takes 1 values, not 2'],
  };
  test.each(Object.entries(faults))('%s is a fault of the engine', (_name, [values, message]) => {
    const error = refusal(() => writeParameters(withParams('a: u32, b: vec4<f32>'), values, new DataView(new ArrayBuffer(64)), 0));
    expect(error.code).toBe('internal');
    expect(error.message).toBe(faultOf(message));
  });
});

describe('linearWorkgroups', () => {
  test.each([
    [0, 64, [1, 1, 1]],
    [1, 64, [1, 1, 1]],
    [64, 64, [1, 1, 1]],
    [65, 64, [2, 1, 1]],
    [65535 * 64, 64, [65535, 1, 1]],
    [65535 * 64 + 1, 64, [32768, 2, 1]],
    [65537, 1, [32769, 2, 1]],
    [4 * 65535 + 1, 1, [52429, 5, 1]],
  ])('spreads %i invocations of %i each over %j', (count, perGroup, expected) => {
    expect(linearWorkgroups(count, perGroup)).toEqual(expected);
  });

  test('never passes 65,535 along an axis, covers everything, and wastes less than a row of groups', () => {
    for (const count of [65536, 100_000, 131_070, 131_071, 1_000_003, 2 ** 28 + 1, 2 ** 31 - 1]) {
      const [x, y, z] = linearWorkgroups(count, 1);
      expect(Math.max(x, y)).toBeLessThanOrEqual(MOST_WORKGROUPS);
      expect(z).toBe(1);
      expect(x * y).toBeGreaterThanOrEqual(count);
      expect(x * y - count).toBeLessThan(y);
    }
  });
});
