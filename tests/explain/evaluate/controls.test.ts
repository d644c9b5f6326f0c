import { describe, expect, test } from 'vitest';
import { flatten } from '../../../src/engine/index.ts';
import { constantMap, inputMap, inputXRandom, randomMap, sobelMap } from '../../../src/explain/index.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, randomNetwork } from '../networks.ts';
import { expectSameAloneAndAmongOthers } from '../promises.ts';

failOnGpuErrors();

describe('the negative controls', () => {
  test('are the input, ones, noise, and the input times that noise', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(3, 10);
    const read = async (method: typeof inputMap): Promise<number[]> => {
      const attribution = await method(model, x, { target: 1 });
      const values = await attribution.values.read();
      expect(Array.from(await attribution.target.readUint32())).toEqual([1, 1, 1]);
      attribution.dispose();
      return Array.from(values);
    };
    expect(await read(inputMap)).toEqual(Array.from(x));
    expect(await read(constantMap)).toEqual(Array<number>(30).fill(1));
    const noise = await read(randomMap);
    expect(await read(inputXRandom)).toEqual(noise.map((value, i) => Math.fround(value * (x[i] as number))));
    model.dispose();
  });

  test('a random map is another for another seed, example or network, and the same for the same', async () => {
    const device = await testDevice();
    const [model, other] = [await randomNetwork(device, { seed: 1 }), await randomNetwork(device, { seed: 2 })];
    const x = examplesOf(2, 10);
    const read = async (of: typeof model, seed: number): Promise<Float32Array> => (await randomMap(of, x, { seed })).values.read();
    const first = await read(model, 0);
    expect(await read(model, 0)).toEqual(first);
    expect(await read(model, 1)).not.toEqual(first);
    expect(await read(other, 0)).not.toEqual(first);
    expect(first.slice(0, 10)).not.toEqual(first.slice(10));
    model.dispose();
    other.dispose();
  });

  test('a random map has mean 0 and variance 1', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [1000], hidden: [4] });
    const values = await (await randomMap(model, examplesOf(10, 1000))).values.read();
    const moment = (power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(4 / 100);
    expect(Math.abs(moment(2) - 1)).toBeLessThan((4 * Math.SQRT2) / 100);
    model.dispose();
  });

  test('the edge map is 0 inside flat areas and 4 times the step beside a straight edge, in each channel by itself', async () => {
    const model = await randomNetwork(await testDevice(), {
      inputShape: [4, 6, 2],
      hidden: [3],
      before: [flatten()],
    });
    // Channel 0 steps by ½ between columns 2 and 3; channel 1 is flat.
    const x = Float32Array.from({ length: 48 }, (_, i) => (i % 2 === 0 && Math.floor(i / 2) % 6 > 2 ? 0.5 : 0));
    const values = Array.from(await (await sobelMap(model, x)).values.read());
    expect(values).toEqual(Array.from({ length: 48 }, (_, i) => (i % 2 === 0 && [2, 3].includes(Math.floor(i / 2) % 6) ? 2 : 0)));
    model.dispose();
  });

  test('are the same bits alone and among others', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [20], hidden: [16, 8] });
    for (const method of [inputMap, constantMap, randomMap, inputXRandom])
      await expectSameAloneAndAmongOthers(model, (x) => method(model, x));
    model.dispose();
  });

  test('an edge map of what is no image is refused', async () => {
    const model = await randomNetwork(await testDevice());
    await expect(sobelMap(model, examplesOf(1, 10))).rejects.toThrow(
      'sobelMap: the model reads no images, and only images have edges.\nTo mend: use randomMap or inputMap.',
    );
    model.dispose();
  });
});
