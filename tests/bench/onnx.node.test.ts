import { expect, test } from 'vitest';
import { onnxNetwork } from '../../src/bench/onnx.ts';

type Field = [number: number, value: number | Uint8Array];

/** The fields of a message, read as the protocol buffers' encoding says, with nothing known of ONNX. */
function read(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    expect([0, 2]).toContain(tag % 8);
    if (tag % 8 === 0) fields.push([Math.floor(tag / 8), varint()]);
    else {
      const length = varint();
      expect(at + length).toBeLessThanOrEqual(bytes.length);
      fields.push([Math.floor(tag / 8), bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  expect(at).toBe(bytes.length);
  return fields;
}

const all = (fields: readonly Field[], number: number) => fields.filter(([each]) => each === number).map(([, value]) => value);
const one = (fields: readonly Field[], number: number) => {
  const found = all(fields, number);
  expect(found).toHaveLength(1);
  return found[0] as number | Uint8Array;
};
const text = (value: number | Uint8Array | undefined): string => new TextDecoder().decode(value as Uint8Array);

test('a network is written as ONNX: its operations in order, its weights to the bit, its shapes', () => {
  const parameter = (name: string, shape: number[]) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
    return { name, shape, values };
  };
  const parameters = [
    parameter('dense_1/weight', [300, 5]),
    parameter('dense_1/bias', [5]),
    parameter('dense_2/weight', [5, 3]),
    parameter('dense_2/bias', [3]),
  ];
  const model = read(onnxNetwork(parameters, 200));
  expect(one(model, 1)).toBe(8);
  expect(one(read(one(model, 8) as Uint8Array), 2)).toBe(17);
  const graph = read(one(model, 7) as Uint8Array);
  const nodes = all(graph, 1).map((bytes) => read(bytes as Uint8Array));
  expect(nodes.map((node) => [text(one(node, 4)), ...all(node, 1).map(text), text(one(node, 2))])).toEqual([
    ['Gemm', 'x', 'dense_1/weight', 'dense_1/bias', 'product_0'],
    ['Relu', 'product_0', 'hidden_0'],
    ['Gemm', 'hidden_0', 'dense_2/weight', 'dense_2/bias', 'product_1'],
    ['Softmax', 'product_1', 'probabilities'],
  ]);
  const tensors = all(graph, 5).map((bytes) => read(bytes as Uint8Array));
  tensors.forEach((tensor, i) => {
    const { name, shape, values } = parameters[i]!;
    expect(text(one(tensor, 8))).toBe(name);
    expect(all(tensor, 1)).toEqual(shape);
    expect(one(tensor, 2)).toBe(1);
    expect(new Float32Array(Uint8Array.from(one(tensor, 9) as Uint8Array).buffer)).toEqual(values);
  });
  for (const [number, name, shape] of [
    [11, 'x', [200, 300]],
    [12, 'probabilities', [200, 3]],
  ] as const) {
    const info = read(one(graph, number) as Uint8Array);
    expect(text(one(info, 1))).toBe(name);
    const type = read(one(read(one(info, 2) as Uint8Array), 1) as Uint8Array);
    expect(one(type, 1)).toBe(1);
    const dims = all(read(one(type, 2) as Uint8Array), 1).map((dim) => one(read(dim as Uint8Array), 1));
    expect(dims).toEqual(shape);
  }
});
