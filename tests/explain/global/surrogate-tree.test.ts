import { describe, expect, test } from 'vitest';
import { loadMnist } from '../../../src/data/index.ts';
import { buildModel, createTrainer, dense, flatten } from '../../../src/engine/index.ts';
import { impurityOf, nodesOf } from '../../../src/explain/global/decision-tree.ts';
import { predictedClasses } from '../../../src/explain/global/network-outputs.ts';
import { surrogateTree } from '../../../src/explain/global/surrogate-tree.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, randomNetwork } from '../networks.ts';

failOnGpuErrors();

const share = (labels: Uint32Array): number => {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / labels.length;
};

/** A network that is a step: class 1 where x₂ > 0.5, whatever the others say. */
async function stepNetwork() {
  const model = await buildModel(await testDevice(), { inputShape: [4], layers: [dense(2)] });
  const [weight, bias] = [...model.parameters.values()];
  weight?.write(Float32Array.from({ length: 8 }, (_, i) => (i === 5 ? 1 : 0)));
  bias?.write(Float32Array.of(0.5, 0));
  return model;
}

describe('impurityOf', () => {
  test('is 1 − Σp² and −Σp log₂ p, and 0 for a pure node', () => {
    expect(impurityOf([5, 5], 'gini')).toBe(0.5);
    expect(impurityOf([5, 5], 'entropy')).toBe(1);
    expect(impurityOf([2, 2, 2, 2], 'entropy')).toBe(2);
    expect(impurityOf([1, 3], 'gini')).toBeCloseTo(0.375, 12);
    for (const kind of ['gini', 'entropy'] as const) expect([impurityOf([7, 0], kind), impurityOf([0, 0], kind)]).toEqual([0, 0]);
  });
});

describe('surrogateTree', () => {
  test.each(['gini', 'entropy'] as const)('recovers an axis-aligned step with fidelity 1, by %s', async (impurity) => {
    const model = await stepNetwork();
    const tree = await surrogateTree(model, examplesOf(300, 4), { impurity, features: ['a', 'b', 'c', 'd'], classes: ['no', 'yes'] });
    expect([tree.depth, tree.leaves]).toEqual([1, 2]);
    expect(tree.root.split?.feature).toBe(2);
    expect(Math.abs((tree.root.split?.threshold ?? 0) - 0.5)).toBeLessThan(0.1);
    const deepest = tree.fidelity.at(-1);
    expect([deepest?.training, deepest?.heldOut.value, deepest?.heldOut.high]).toEqual([1, 1, 1]);
    expect(deepest?.heldOut.low).toBeGreaterThan(0.9);
    expect(tree.path([9, 9, -1, 9]).map(({ text }) => text.replace(/[\d.]+|of/g, '#'))).toEqual(['c ≤ #', 'no (# # #)']);
    expect(tree.text().split('\n')).toHaveLength(4);
    expect(tree.mermaid()).toMatch(
      /^flowchart TD\n {2}n0\{"c ≤ [\d.]+"\}\n {2}n1\["no \(\d+ of \d+\)"\]\n {2}n2\["yes \(\d+ of \d+\)"\]\n {2}n0 -->\|yes\| n1\n {2}n0 -->\|no\| n2$/,
    );
    expect(JSON.parse(JSON.stringify(tree))).toMatchObject({ depth: 1, leaves: 2, root: { split: { feature: 2 } } });
    expect(Array.from(tree.predict([0, 0, 2, 0, 0, 0, -2, 0]))).toEqual([1, 0]);
    model.dispose();
  });

  test('of the 5-3-2 network: fidelity at least the majority share, never falling with depth on training rows', async () => {
    const model = await goldenModel(await testDevice(), golden.explain532);
    const x = examplesOf(2000, 5);
    const tree = await surrogateTree(model, x, { depth: 8 });
    const shares = tree.fidelity.map(({ training }) => training);
    for (let depth = 1; depth < shares.length; depth++) expect(shares[depth]).toBeGreaterThanOrEqual(shares[depth - 1] as number);
    expect(tree.fidelity[0]?.leaves).toBe(1);
    expect(tree.fidelity.at(-1)?.leaves).toBe(tree.leaves);
    expect(tree.fidelity.at(-1)?.heldOut.value).toBeGreaterThan(tree.majority);
    for (const { training, heldOut } of tree.fidelity) {
      expect(training).toBeGreaterThanOrEqual((tree.fidelity[0]?.training ?? 1) - 1e-12);
      expect(heldOut.low).toBeLessThanOrEqual(heldOut.value);
      expect(heldOut.high).toBeGreaterThanOrEqual(heldOut.value);
    }
    model.dispose();
  });

  test('leaf counts sum to the rows, children to their parent, and the way of an example ends in its class', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], classes: 3 });
    const x = examplesOf(500, 6);
    const tree = await surrogateTree(model, x, { heldOut: x, depth: 6, leastRows: 5 });
    const nodes = nodesOf(tree.root);
    expect(nodes.filter(({ split }) => !split).reduce((sum, { rows }) => sum + rows, 0)).toBe(500);
    for (const { counts, rows, left, right } of nodes) {
      expect(counts.reduce((a, b) => a + b)).toBe(rows);
      expect(rows).toBeGreaterThanOrEqual(5);
      if (left && right) expect(counts.map((_count, c) => (left.counts[c] as number) + (right.counts[c] as number))).toEqual(counts);
    }
    // Tried on the rows it grew on, held-out fidelity is the training one.
    for (const { training, heldOut } of tree.fidelity) expect(heldOut.value).toBe(training);
    const predicted = tree.predict(x);
    const network = await predictedClasses('test', model, x);
    const same = predicted.filter((label, i) => label === network[i]).length / 500;
    expect(same).toBe(tree.fidelity.at(-1)?.training);
    expect(tree.path(x.slice(0, 6)).at(-1)?.node.prediction).toBe(predicted[0]);
    model.dispose();
  });

  test('asks the network about more where rows are few: every node grows on as many, and the path holds for them', async () => {
    const model = await stepNetwork();
    const few = examplesOf(24, 4);
    const tree = await surrogateTree(model, few, { heldOut: examplesOf(2000, 4, 8), queries: 400, depth: 3 });
    for (const node of nodesOf(tree.root)) if (node.split) expect(node.rows + node.queries).toBeGreaterThanOrEqual(400);
    expect(tree.root.queries).toBe(376);
    expect(tree.root.split?.feature).toBe(2);
    model.dispose();
  });

  test('is the same tree twice and does not depend on the order of the rows', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6] });
    const x = examplesOf(200, 6);
    const heldOut = examplesOf(50, 6, 9);
    const backwards = Float32Array.from(x, (_value, i) => x[(199 - Math.floor(i / 6)) * 6 + (i % 6)] as number);
    const of = async (rows: Float32Array, queries = 0) => JSON.stringify(await surrogateTree(model, rows, { heldOut, queries, seed: 3 }));
    expect(await of(backwards)).toBe(await of(x));
    expect(await of(x, 300)).toBe(await of(x, 300));
    model.dispose();
  });

  test('leaves memory as it was', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [6] });
    await surrogateTree(model, examplesOf(300, 6), { queries: 100 });
    const { bytes, buffers } = device.memory;
    for (let depth = 1; depth < 5; depth++) await surrogateTree(model, examplesOf(300, 6), { depth, queries: 100 });
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    model.dispose();
  });

  test('refuses one example, another impurity, names that are too few and a model of one number', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [6] });
    await expect(surrogateTree(model, examplesOf(1, 6))).rejects.toThrow(
      'surrogateTree: 1 example cannot be divided.\nTo mend: pass more, or examples to try the tree on as heldOut.',
    );
    await expect(surrogateTree(model, examplesOf(9, 6), { impurity: 'variance' as 'gini' })).rejects.toMatchObject({
      code: 'invalid-option',
    });
    await expect(surrogateTree(model, examplesOf(9, 6), { features: ['a'] })).rejects.toThrow('surrogateTree: 1 names for 6 columns.');
    const tree = await surrogateTree(model, examplesOf(9, 6));
    expect(() => tree.path([1])).toThrow('surrogateTree: the example has 1 values; the tree asks about 6.');
    await expect(surrogateTree(model, examplesOf(9, 6), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const one = await randomNetwork(device, { inputShape: [6], classes: 1 });
    await expect(surrogateTree(one, examplesOf(9, 6))).rejects.toMatchObject({ code: 'unsupported-model' });
    model.dispose();
    one.dispose();
  });

  test('of a network trained on MNIST: more than the majority, rising with depth', async () => {
    const { train, test: held } = await loadMnist();
    const model = await buildModel(await testDevice(), {
      inputShape: [28, 28, 1],
      layers: [flatten(), dense(32, { activation: 'relu' }), dense(10)],
      seed: 1,
    });
    const trainer = await createTrainer(model, { data: train, batchSize: 32 });
    await trainer.run(400);
    const rows = (inputs: Uint8Array, count: number): Float32Array =>
      Float32Array.from(inputs.subarray(0, count * 784), (value) => value / 255);
    const x = rows(train.inputs as Uint8Array, 1500);
    const heldOut = rows(held.inputs as Uint8Array, 500);
    const tree = await surrogateTree(model, x, { heldOut, depth: 6 });
    console.log(
      `MNIST surrogate tree: ${tree.fidelity.map(({ depth, heldOut: { value, low, high } }) => `depth ${depth} ${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`).join(', ')}; majority ${tree.majority.toFixed(3)}`,
    );
    const shares = tree.fidelity.map(({ training }) => training);
    for (let depth = 1; depth < shares.length; depth++) expect(shares[depth]).toBeGreaterThan(shares[depth - 1] as number);
    expect(shares[0]).toBe(share(await predictedClasses('test', model, x)));
    expect(tree.fidelity.at(-1)?.heldOut.low).toBeGreaterThan(0.4);
    expect(tree.majority).toBe(share(await predictedClasses('test', model, heldOut)));
    trainer.dispose();
    model.dispose();
  });
});
