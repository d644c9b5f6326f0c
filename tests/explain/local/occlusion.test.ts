import { describe, expect, test } from 'vitest';
import { flatten } from '../../../src/engine/index.ts';
import { imagePatches, occlusion } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

const imageNetwork = async (inputShape: readonly number[]) =>
  randomNetwork(await testDevice(), { inputShape, hidden: [8, 6], before: [flatten()] });

describe('occlusion', () => {
  test.each(['explain', 'explain532'] as const)('agrees with PyTorch on %s, folded and plain', async (name) => {
    const network = golden[name];
    const model = await goldenModel(await testDevice(), network);
    for (const fold of [true, false]) {
      const { values, dispose } = await occlusion(model, network.x.data, {
        target: network.targets,
        baseline: network.baseline.data,
        fold,
      });
      expectClose(await values.read(), network.occlusion.data, network.occlusion.shape, 1e-5, `fold ${fold}`);
      dispose();
    }
    model.dispose();
  });

  test('agrees with the oracle on the tiny network', async () => {
    const model = await tinyModel(await testDevice());
    const { values } = await occlusion(model, tiny.x as number[], { target: tiny.target });
    expectClose(await values.read(), tiny.occlusion_single as number[], [4], 1e-5, 'values');
    model.dispose();
  });

  test('of a linear model is (x − x′) ⊙ w for single elements, and sums to f(x) − f(x′)', async () => {
    const { model, weight } = await linearModel(await testDevice(), 13, 3);
    const [x, baseline] = [examplesOf(2, 13), examplesOf(1, 13, 9)];
    const expected = Array.from(x, (value, i) => (value - (baseline[i % 13] as number)) * (weight[(i % 13) * 3 + 1] as number));
    for (const fold of [true, false]) {
      const { values, dispose } = await occlusion(model, x, { target: 1, baseline, fold });
      expectClose(await values.read(), expected, [2, 13], 1e-5, `fold ${fold}`);
      dispose();
    }
    model.dispose();
  });

  test('gives each pixel the mean over the windows that cover it, the last window at the edge, channels together', async () => {
    const model = await imageNetwork([5, 6, 2]);
    const x = examplesOf(2, 60);
    const [rows, columns] = [
      [0, 2],
      [0, 2, 3],
    ];
    const windows = rows.flatMap((top) => columns.map((left) => [top, left] as const));
    const inside = ([top, left]: readonly [number, number], i: number): boolean => {
      const [row, column] = [Math.floor(i / 12), Math.floor((i % 12) / 2)];
      return row >= top && row < top + 3 && column >= left && column < left + 3;
    };
    // f(x), then f of each window's copy, by the model itself.
    const copies = [0, 1].flatMap((e) => [
      ...x.slice(60 * e, 60 * e + 60),
      ...windows.flatMap((window) => Array.from(x.slice(60 * e, 60 * e + 60), (value, i) => (inside(window, i) ? 0.5 : value))),
    ]);
    const logits = await (await model.logits(copies)).read();
    const f = (e: number, k: number): number => logits[(e * (windows.length + 1) + k) * 4 + 2] as number;
    const expected = Array.from({ length: 120 }, (_, k) => {
      const [e, i] = [Math.floor(k / 60), k % 60];
      const lost = windows.flatMap((window, w) => (inside(window, i) ? [f(e, 0) - f(e, 1 + w)] : []));
      return lost.reduce((a, b) => a + b, 0) / lost.length;
    });
    for (const fold of [true, false]) {
      for (const budget of [2 ** 20, 4000]) {
        const options = { target: 2, window: 3, stride: 2, baseline: 0.5, fold, budget };
        const { values, options: recorded, dispose } = await occlusion(model, x, options);
        expectClose(await values.read(), expected, [2, 60], 1e-5, `fold ${fold}, budget ${budget}`);
        expect(recorded).toEqual({ target: 2, output: 'logit', window: [3, 3], stride: [2, 2], baseline: 0.5, fold });
        dispose();
      }
    }
    model.dispose();
  });

  test('slides a window of 4×4 by 2 over an image by default: over 28×28, 169 of them', async () => {
    const model = await imageNetwork([28, 28, 1]);
    const x = examplesOf(1, 784);
    const [a, b] = [await occlusion(model, x), await occlusion(model, x, { window: [4, 4], stride: [2, 2] })];
    expect(Array.from(await a.values.read())).toEqual(Array.from(await b.values.read()));
    expect(a.options).toMatchObject({ window: [4, 4], stride: [2, 2] });
    model.dispose();
  });

  test('of a list of pixels takes their image’s shape', async () => {
    const device = await testDevice();
    const [list, image] = [
      await randomNetwork(device, { inputShape: [36], hidden: [8] }),
      await randomNetwork(device, { inputShape: [6, 6, 1], hidden: [8], before: [flatten()] }),
    ];
    const x = examplesOf(2, 36);
    const [a, b] = [await occlusion(list, x, { imageShape: [6, 6] }), await occlusion(image, x)];
    expect(Array.from(await a.values.read())).toEqual(Array.from(await b.values.read()));
    expect([a.options.imageShape, b.options.imageShape]).toEqual([[6, 6], undefined]);
    list.dispose();
    image.dispose();
  });

  test('gives a pixel that the network does not read exactly 0', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [9], hidden: [8] });
    const weight = model.parameters.get('dense_1/weight');
    weight?.write(((await weight.read()) as Float32Array).map((value, i) => ([3, 7].includes(Math.floor(i / 8)) ? 0 : value)));
    for (const fold of [true, false]) {
      const values = await (await occlusion(model, examplesOf(3, 9), { target: 1, fold })).values.read();
      for (let e = 0; e < 3; e++) for (const i of [3, 7]) expect(Math.abs(values[9 * e + i] as number)).toBe(0);
    }
    model.dispose();
  });

  test('with a window as large as the image gives every pixel f(x) − f(x′)', async () => {
    const model = await imageNetwork([4, 5, 1]);
    const x = examplesOf(2, 20);
    const logits = await (await model.logits([...x, ...Array<number>(20).fill(0.25)])).read();
    for (const fold of [true, false]) {
      const { values } = await occlusion(model, x, { target: 3, window: [4, 5], baseline: 0.25, fold });
      const expected = Array.from({ length: 40 }, (_, i) => (logits[4 * Math.floor(i / 20) + 3] as number) - (logits[11] as number));
      expectClose(await values.read(), expected, [2, 20], 1e-5, `fold ${fold}`);
    }
    model.dispose();
  });

  test('hides given groups, and is linear in the target', async () => {
    const model = await imageNetwork([4, 4, 1]);
    const x = examplesOf(2, 16);
    const of = async (options: Parameters<typeof occlusion>[2]) => (await occlusion(model, x, options)).values.read();
    const patches = imagePatches([4, 4], 2);
    const values = await of({ groups: patches, target: 1 });
    expect(Array.from(values)).toEqual(Array.from(await of({ window: 2, stride: 2, target: 1 })));
    const [a, b] = [await of({ target: 2 }), await of({ target: 0 })];
    const expected = a.map((value, i) => value - (b[i] as number));
    expectClose(await of({ target: 2, against: 0 }), expected, [2, 16], 1e-5, 'contrast');
    model.dispose();
  });

  test('is the same bits alone and among others, and twice; repeated runs leave memory bounded', async () => {
    const model = await imageNetwork([5, 5, 1]);
    for (const fold of [true, false]) {
      await expectSameAloneAndAmongOthers(model, (x) => occlusion(model, x, { target: 1, fold }));
      await expectSameTwice(model, (x) => occlusion(model, x, { fold }));
    }
    await expectBoundedMemory(model, (x, i) =>
      occlusion(model, x, { window: i % 4 < 2 ? 2 : 3, fold: i % 2 === 0, output: i % 2 === 0 ? 'logit' : 'probability' }),
    );
    model.dispose();
  });

  test('refuses windows that do not fit, a stride of 0, and what is no image', async () => {
    const model = await imageNetwork([5, 6, 1]);
    const x = examplesOf(1, 30);
    const of = (options: Parameters<typeof occlusion>[2]) => expect(occlusion(model, x, options)).rejects;
    await of({ window: 6 }).toThrow('occlusion: height of the window is 6; it must be a number between 1 and 5.');
    await of({ window: 0 }).toThrow('occlusion: window is 0; it must be a number at least 1.');
    await of({ stride: 0 }).toThrow('occlusion: stride is 0; it must be a number at least 1.');
    await of({ imageShape: [30] }).toThrow('occlusion: [30] is no image; an image is [height, width] or [height, width, channels].');
    await of({ imageShape: [5, 5] }).toThrow(
      'occlusion: an image of [5, 5, 1] has 25 elements, but an example of [5, 6, 1] has 30.\nTo mend: give as imageShape the shape of the image that the model reads.',
    );
    await of({ groups: imagePatches([5, 6], 2), window: 2 }).toThrow(
      "occlusion: groups are given, and a window, a stride or an image's shape besides.\nTo mend: hide groups or slide a window.",
    );
    await of({ groups: [0, 1, 2] }).toMatchObject({ code: 'shape-mismatch' });
    model.dispose();
  });
});
