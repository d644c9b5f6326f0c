import { describe, expect, test } from 'vitest';
import { flatten, type Model, tanh } from '../../src/engine/index.ts';
import { normal, uniform } from '../../src/engine/random.ts';
import { type CoalitionOptions, coalitionValues, eachFeature, groupsOf, imagePatches, type Masks } from '../../src/explain/masked.ts';
import { expectClose } from '../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
import { examplesOf, randomNetwork } from './networks.ts';

failOnGpuErrors();

/** f_c of masked copies made on the CPU, with the mask of each element of each copy. */
async function byHand(
  model: Model,
  x: Float32Array,
  baseline: (example: number, element: number) => number,
  masks: number,
  maskOf: (example: number, mask: number, element: number) => number,
  target: number,
): Promise<number[]> {
  const features = model.spec.inputShape.reduce((a, b) => a * b, 1);
  const rows = Array.from({ length: (x.length / features) * masks * features }, (_, i) => {
    const [row, element] = [Math.floor(i / features), i % features];
    const example = Math.floor(row / masks);
    const [there, gone] = [x[example * features + element] as number, baseline(example, element)];
    return gone + maskOf(example, row % masks, element) * (there - gone);
  });
  const logits = await model.logits(rows);
  const values = await logits.read();
  logits.dispose();
  return Array.from({ length: rows.length / features }, (_, row) => values[row * (model.classes as number) + target] as number);
}

async function valuesOf(model: Model, x: Float32Array, masks: Masks, options: CoalitionOptions): Promise<Float32Array> {
  const result = await coalitionValues(model, x, masks, options);
  const values = await result.values.read();
  result.dispose();
  return values;
}

/** A network with a first dense layer, one that flattens before it, and one that begins with an activation, which cannot be folded. */
const networks: [string, Parameters<typeof randomNetwork>[1]][] = [
  ['a dense network', { inputShape: [12] }],
  ['a flattened image of tanh', { inputShape: [3, 4, 1], activation: 'tanh', before: [flatten()] }],
  ['a network that begins with an activation', { inputShape: [12], before: [tanh()] }],
];

describe.each(networks)('coalitionValues of %s', (_name, network) => {
  const groups = [0, 0, 1, 2, 2, 2, 3, 3, 4, 1, 0, 4];

  test('are the outputs of masked copies, folded and plain, by numbers and by bits, in one run or several', async () => {
    const model = await randomNetwork(await testDevice(), network);
    const x = examplesOf(3, 12);
    const baseline = examplesOf(3, 12, 9);
    const bits = Uint32Array.from({ length: 32 }, (_, s) => s);
    const masks = Array.from({ length: 32 * 5 }, (_, i) => ((Math.floor(i / 5) >> (i % 5)) & 1 ? 1 : 0));
    const expected = await byHand(
      model,
      x,
      (e, i) => baseline[12 * e + i] as number,
      32,
      (_e, s, i) => (s >> (groups[i] as number)) & 1,
      2,
    );
    for (const fold of [true, false]) {
      for (const budget of [2 ** 20, 8000]) {
        const options = { target: 2, baseline, groups, fold, budget };
        expectClose(await valuesOf(model, x, { coalitions: bits }, options), expected, [3, 32], 1e-5, `bits, fold ${fold}`);
        expectClose(await valuesOf(model, x, { masks }, options), expected, [3, 32], 1e-5, `numbers, fold ${fold}`);
      }
    }
    model.dispose();
  });

  test('take masks between 0 and 1', async () => {
    const model = await randomNetwork(await testDevice(), network);
    const x = examplesOf(2, 12);
    const masks = Array.from({ length: 7 * 12 }, (_, i) => Math.fround(uniform(3, 5, 0, i)));
    const expected = await byHand(
      model,
      x,
      () => 0.25,
      7,
      (_e, s, i) => masks[12 * s + i] as number,
      1,
    );
    for (const fold of [true, false]) {
      expectClose(await valuesOf(model, x, { masks }, { target: 1, baseline: 0.25, fold }), expected, [2, 7], 1e-5, `fold ${fold}`);
    }
    model.dispose();
  });

  test('follow each example’s own ranks, keeping and removing, ties to the lower group, whatever the runs, to the same bits', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, network);
    const x = examplesOf(3, 12);
    const given = [
      [4, 3, 2, 1, 0],
      [0, 0, 7, 7, 1],
      [2, 0, 1, 4, 3],
    ];
    const strict = given.map((row) => row.map((rank, g) => row.filter((other, j) => other < rank || (other === rank && j < g)).length));
    const ranks = device.tensor(Uint32Array.from(given.flat()), [3, 5]);
    const counts = [0, 1, 2, 2, 4, 5];
    for (const removing of [false, true]) {
      const passed = (e: number, s: number, i: number): boolean => (strict[e]?.[groups[i] as number] as number) < (counts[s] as number);
      const expected = await byHand(
        model,
        x,
        () => -0.5,
        6,
        (e, s, i) => (passed(e, s, i) === removing ? 0 : 1),
        0,
      );
      for (const fold of [true, false]) {
        const options = { target: 0, baseline: -0.5, groups, fold };
        const values = await valuesOf(model, x, { ranks, counts, removing }, options);
        expectClose(values, expected, [3, 6], 1e-5, `removing ${removing}, fold ${fold}`);
        const sliced = await valuesOf(model, x, { ranks, counts, removing }, { ...options, budget: 3000 });
        expect(Array.from(sliced)).toEqual(Array.from(values));
      }
    }
    ranks.dispose();
    model.dispose();
  });
});

describe('coalitionValues', () => {
  test('of more than 32 groups read their bits from further words', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [70], hidden: [8] });
    const x = examplesOf(2, 70);
    const words = Uint32Array.from({ length: 5 * 3 }, (_, i) => Math.floor(uniform(1, 2, 3, i) * 2 ** 32));
    const kept = (s: number, i: number): number => ((words[3 * s + (i >> 5)] as number) >>> (i & 31)) & 1;
    const expected = await byHand(
      model,
      x,
      () => 0,
      5,
      (_e, s, i) => kept(s, i),
      1,
    );
    for (const fold of [true, false]) {
      expectClose(await valuesOf(model, x, { coalitions: words }, { target: 1, fold }), expected, [2, 5], 1e-5, `fold ${fold}`);
    }
    model.dispose();
  });

  test('give f(x) and f(x′), and a group that the network does not read changes no bit', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [6] });
    const weight = model.parameters.get('dense_1/weight');
    const values = (await weight?.read()) as Float32Array;
    weight?.write(values.map((value, i) => (Math.floor(i / 12) === 4 ? 0 : value)));
    const x = examplesOf(2, 6);
    for (const fold of [true, false]) {
      const result = await coalitionValues(model, x, { coalitions: Uint32Array.from({ length: 64 }, (_, s) => s) }, { fold, target: 3 });
      const v = await result.values.read();
      const [output, before] = [await result.output.read(), await result.baselineOutput.read()];
      for (let e = 0; e < 2; e++) {
        expect(Math.abs((v[64 * e + 63] as number) - (output[e] as number))).toBeLessThan(1e-5);
        expect(Math.abs((v[64 * e] as number) - (before[e] as number))).toBeLessThan(1e-5);
        for (let s = 0; s < 64; s++) expect(v[64 * e + (s | 16)]).toBe(v[64 * e + (s & ~16)]);
      }
      result.dispose();
    }
    model.dispose();
  });

  test('are the same bits alone and among others', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [12] });
    const x = examplesOf(9, 12);
    const masks = Array.from({ length: 20 * 12 }, (_, i) => (normal(8, 1, 0, i) > 0 ? 1 : 0));
    for (const fold of [true, false]) {
      const all = await valuesOf(model, x, { masks }, { fold, target: 1 });
      for (const row of [0, 5, 8]) {
        const alone = await valuesOf(model, x.slice(12 * row, 12 * row + 12), { masks }, { fold, target: 1 });
        expect(Array.from(alone)).toEqual(Array.from(all.slice(20 * row, 20 * row + 20)));
      }
    }
    model.dispose();
  });

  test('refuse no masks, masks of another width or range, groups of another length or with gaps, and ranks of other examples', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(2, 10);
    const of = (masks: Masks, options: CoalitionOptions = {}) => expect(coalitionValues(model, x, masks, options)).rejects;
    await of({ masks: [] }).toThrow('coalitionValues: number of masks is 0; it must be a number at least 1.');
    await of({ masks: [1, 0, 1] }).toThrow(
      'coalitionValues: 3 values of masks do not fill rows of 10.\nTo mend: give each mask 10 values, one a group.',
    );
    await of({ masks: Array(10).fill(2) }).toThrow('coalitionValues: masks[0] is 2; it must be a number between 0 and 1.');
    await of({ coalitions: Uint32Array.of(1) }, { groups: [0, 1] }).toThrow(
      'coalitionValues: the groups have 2 elements, but an example of [10] has 10.\nTo mend: give the group of each element of an example, row-major.',
    );
    await of({ coalitions: Uint32Array.of(1) }, { groups: [0, 0, 0, 0, 0, 2, 2, 2, 2, 2] }).toThrow(
      'coalitionValues: there are groups up to 2, but none of the 10 elements is in group 1.\nTo mend: number the groups from 0 on and leave none out.',
    );
    const ranks = device.tensor(new Uint32Array(30), [3, 10]);
    await of({ ranks, counts: [1] }).toThrow('coalitionValues: the ranks are uint32 [3, 10]; they must be uint32 [2, 10]');
    const fitting = device.tensor(new Uint32Array(20), [2, 10]);
    await of({ ranks: fitting, counts: [3, 2] }).toThrow('coalitionValues: counts[1] is 2; it must be a number between 3 and 10.');
    await of({ ranks: fitting, counts: [11] }).toMatchObject({ code: 'invalid-option' });
    for (const tensor of [ranks, fitting]) tensor.dispose();
    model.dispose();
  });
});

describe('groups', () => {
  test('are each element, or patches of an image with its channels, smaller at the edges', async () => {
    expect(Array.from(eachFeature([2, 2]).of)).toEqual([0, 1, 2, 3]);
    const patches = imagePatches([3, 5, 2], [2, 3]);
    expect(patches.count).toBe(4);
    expect(Array.from(patches.of.filter((_, i) => i % 2 === 0))).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3]);
    expect(imagePatches([28, 28], 7).count).toBe(16);
    expect(imagePatches([4, 4, 3], 1)).toEqual({ count: 16, of: Uint32Array.from({ length: 48 }, (_, i) => Math.floor(i / 3)) });
    expect(() => imagePatches([10], 2)).toThrow(
      'imagePatches: [10] is no image; an image is [height, width] or [height, width, channels].',
    );
    expect(() => imagePatches([4, 4], 0)).toThrow('imagePatches: size is 0; it must be a number at least 1.');
    const model = await randomNetwork(await testDevice(), { inputShape: [4] });
    expect(groupsOf('lime', model, [1, 0, 0, 1])).toEqual({ count: 2, of: Uint32Array.of(1, 0, 0, 1) });
    expect(() => groupsOf('lime', model, [0, 1, 1.5, 0])).toThrow('lime: the group of element 2 is 1.5');
    model.dispose();
  });
});
