/**
 * A network as an ONNX file, written in a screen: ONNX is protocol buffers, and a message is a list of fields, each a tag and a value.
 * Field numbers are those of onnx.proto3 (ONNX 1.14, IR version 8, operator set 17).
 */

import type { Parameter } from './problem.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** A number in groups of seven bits, the lowest first; the top bit says that more follow. */
function varint(value: number): Bytes {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

function joined(parts: readonly Bytes[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** A whole number, a text, or a message (already bytes) under a field number. */
function field(number: number, value: number | string | Bytes): Bytes {
  if (typeof value === 'number') return joined([varint(8 * number + VARINT), varint(value)]);
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return joined([varint(8 * number + LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

const message = (...fields: Bytes[]): Bytes => joined(fields);

const FLOAT = 1;
const IR_VERSION = 8;
const OPERATOR_SET = 17;

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9 (little-endian, as every platform with WebGPU is). */
function tensor({ name, shape, values }: Parameter): Bytes {
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return message(...shape.map((length) => field(1, length)), field(2, FLOAT), field(8, name), field(9, raw));
}

/** NodeProto: input 1, output 2, op_type 4. */
const node = (operation: string, inputs: readonly string[], output: string): Bytes =>
  message(...inputs.map((input) => field(1, input)), field(2, output), field(4, operation));

/** ValueInfoProto: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1 } } } }. */
function value(name: string, shape: readonly number[]): Bytes {
  const dims = message(...shape.map((length) => field(1, message(field(1, length)))));
  return message(field(1, name), field(2, message(field(1, message(field(1, FLOAT), field(2, dims))))));
}

/**
 * A network of dense layers with ReLU between and softmax at the end: `x` [rows, inputs] → `probabilities` [rows, classes].
 *
 * @param parameters weight [inputs, outputs] and bias [outputs] of each layer in turn
 */
export function onnxNetwork(parameters: readonly Parameter[], rows: number): Bytes {
  const layers = parameters.length / 2;
  const nodes: Bytes[] = [];
  let last = 'x';
  for (let layer = 0; layer < layers; layer++) {
    const [weight, bias] = [parameters[2 * layer], parameters[2 * layer + 1]] as [Parameter, Parameter];
    nodes.push(node('Gemm', [last, weight.name, bias.name], `product_${layer}`));
    last = layer < layers - 1 ? `hidden_${layer}` : 'probabilities';
    nodes.push(node(layer < layers - 1 ? 'Relu' : 'Softmax', [`product_${layer}`], last));
  }
  const [inputs, classes] = [parameters[0]?.shape[0], parameters.at(-1)?.shape[0]] as [number, number];
  // GraphProto: node 1, name 2, initializer 5, input 11, output 12.
  const graph = message(
    ...nodes.map((each) => field(1, each)),
    field(2, 'network'),
    ...parameters.map((parameter) => field(5, tensor(parameter))),
    field(11, value('x', [rows, inputs])),
    field(12, value('probabilities', [rows, classes])),
  );
  // ModelProto: ir_version 1, producer_name 2, graph 7, opset_import 8 { version 2 }.
  return message(field(1, IR_VERSION), field(2, 'vitrine'), field(7, graph), field(8, message(field(2, OPERATOR_SET))));
}
