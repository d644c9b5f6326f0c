import { describe, expect, test } from 'vitest';
import { Graph, type Node } from '../../../src/engine/graph.ts';
import { type DropoutAttributes, dropout } from '../../../src/engine/ops/dropout.ts';
import { streamOf, uniform } from '../../../src/engine/random.ts';
import { dropoutReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation, type Input } from './check-operation.ts';

failOnGpuErrors();

/** A training state with its two keys. */
const stateOf = (seed: number, step: number): Input => ({ shape: [32], dtype: 'uint32', values: (i) => [seed, step][i] ?? 0 });

const build =
  (attributes: DropoutAttributes) =>
  (x: Node, state: Node): Node =>
    dropout(x, state, attributes);

describe('dropout', () => {
  test.each([[[1]], [[3]], [[4]], [[63]], [[64]], [[65]], [[256]], [[7, 37]], [[2, 3, 5, 8]]])(
    'of the shape %j, its gradient and the gradient of that',
    async (shape) => {
      const attributes = { rate: 0.4, stream: streamOf('dropout_1') };
      await checkOperation({
        build: build(attributes),
        inputs: [{ shape }, stateOf(42, 7)],
        reference: reference(attributes),
        twice: true,
      });
    },
  );

  test.each([0, 0.1, 1 / 3, 0.5, 0.9, 0.999999])('draws at rate %d the mask of the CPU twin, bit for bit', async (rate) => {
    const attributes = { rate, stream: 0xfffffff0 };
    const scale = Math.fround(1 / (1 - rate));
    for (const shape of [[5000], [2, 2501]]) {
      await checkOperation({
        build: build(attributes),
        inputs: [{ shape, values: () => 1 }, stateOf(0xdeadbeef, 0x80000001)],
        reference: (x, state) => reference(attributes)(x as number[], state).map((value) => (value === 0 ? 0 : scale)),
        tolerance: 0,
        gradient: false,
      });
    }
  });

  test('keeps the element whose number is exactly the rate', async () => {
    const attributes = { rate: uniform(42, 3, 7, 5), stream: 3 };
    await checkOperation({
      build: build(attributes),
      inputs: [{ shape: [8] }, stateOf(42, 7)],
      reference: (x, state) => {
        const y = reference(attributes)(x as number[], state);
        expect(y[5]).not.toBe(0);
        return y;
      },
    });
  });

  test('drops everything at rate 1', async () => {
    await checkOperation({
      build: build({ rate: 1, stream: 3 }),
      inputs: [{ shape: [65] }, stateOf(1, 2)],
      reference: (x) => (x as number[]).map(() => 0),
    });
  });

  test('refuses a rate outside [0, 1], a stream that is no uint32, and what is no training state', () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [3]);
    const state = graph.placeholder('state', [32], 'uint32');
    expect(() => dropout(x, state, { rate: 1.5, stream: 0 })).toThrow(
      'rate is 1.5; it must be a number between 0 and 1.\nTo mend: pass a number between 0 and 1.',
    );
    expect(() => dropout(x, state, { rate: 0.5, stream: -1 })).toThrow(
      'stream is -1; it must be a number between 0 and 4294967295.\nTo mend: pass a number between 0 and 4294967295.',
    );
    expect(() => dropout(x, graph.placeholder('seed', [1], 'uint32'), { rate: 0.5, stream: 0 })).toThrow(
      'dropout: state is [1]; it must be [32], the state of a training step.\nTo mend: give state the shape [32].',
    );
  });
});
