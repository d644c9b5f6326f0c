import { describe, expect, test } from 'vitest';
import type { Model } from '../../../src/engine/index.ts';
import { ablateHead } from '../../../src/explain/attention/ablate-head.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { bitsOf, examplesFor, language, linearInAttention, VISION_LAYERS, valuesOf, vision } from './attention-networks.ts';

failOnGpuErrors();

const classes = 3;

/** The logit of a class of each example. */
async function logitsOf(model: Model, x: Float32Array | Uint32Array, target: number): Promise<number[]> {
  const logits = await model.logits(x);
  const values = [...(await logits.read())];
  logits.dispose();
  return values.filter((_value, i) => i % classes === target);
}

/** Runs something while the rows of a layer's output matrix that some of its heads feed are 0. */
async function withoutHeads<T>(model: Model, layer: string, heads: readonly number[], of: number, run: () => Promise<T>): Promise<T> {
  const weight = model.parameters.get(`${layer}/output/weight`);
  if (!weight) throw new Error(`there is no ${layer}`);
  const before = await weight.read();
  const width = weight.shape[0] as number;
  const each = width / of;
  const after = before.slice();
  for (const head of heads) after.fill(0, head * each * width, (head + 1) * each * width);
  weight.write(after);
  try {
    return await run();
  } finally {
    weight.write(before);
  }
}

describe('ablateHead', () => {
  test.each([
    [0, 2],
    [1, 2],
    [2, 4],
  ])('of layer %d is what the output loses when the head no longer reaches it, head by head', async (index, heads) => {
    const model = await vision(await testDevice());
    const layer = VISION_LAYERS[index] as string;
    const x = examplesFor(model, 3);
    const whole = await logitsOf(model, x, 1);
    const map = await ablateHead(model, x, { layer, target: 1 });
    expect(map.values.shape).toEqual([3, heads]);
    expect(map.options).toEqual({
      target: 1,
      output: 'logit',
      layer,
      replacement: 'zero',
    });
    const effects = await valuesOf(map);
    for (let head = 0; head < heads; head++) {
      const without = await withoutHeads(model, layer, [head], heads, () => logitsOf(model, x, 1));
      const own = [...effects].filter((_value, i) => i % heads === head);
      expectClose(
        own,
        whole.map((value, i) => value - (without[i] as number)),
        [3],
        1e-5,
        `head ${head}`,
      );
      expect(bitsOf(await valuesOf(ablateHead(model, x, { layer, head, target: 1 })))).toEqual(bitsOf(Float32Array.from(own)));
    }
    model.dispose();
  });

  test('has no effect, exactly, where the output matrix does not read the head', async () => {
    const model = await vision(await testDevice());
    const layer = VISION_LAYERS[2] as string;
    const effects = await withoutHeads(model, layer, [2], 4, () => valuesOf(ablateHead(model, examplesFor(model, 5), { layer })));
    effects.forEach((effect, i) => {
      if (i % 4 === 2) expect(effect).toBe(0);
      else expect(Math.abs(effect)).toBeGreaterThan(1e-6);
    });
    model.dispose();
  });

  test("of all heads together leaves the bias of the layer's output", async () => {
    const model = await vision(await testDevice());
    const layer = VISION_LAYERS[0] as string;
    const x = examplesFor(model, 4);
    const whole = await logitsOf(model, x, 0);
    const map = await ablateHead(model, x, { layer, head: [0, 1], target: 0 });
    expect(map.values.shape).toEqual([4, 1]);
    const effects = await valuesOf(map);
    const bias = await withoutHeads(model, layer, [0, 1], 2, () => logitsOf(model, x, 0));
    expectClose(
      effects,
      whole.map((value, i) => value - (bias[i] as number)),
      [4],
      1e-5,
      'effect',
    );
    model.dispose();
  });

  test('by the mean puts in place what the head gives on average over the background, token by token', async () => {
    const model = await linearInAttention(await testDevice());
    const [background, x] = [examplesFor(model, 6, 40), examplesFor(model, 3)];
    // The output is linear in what heads give, so on average over the background itself nothing is lost.
    const own = await valuesOf(ablateHead(model, background, { replacement: 'mean', target: 2 }));
    for (const head of [0, 1, 2]) {
      const effects = [...own].filter((_value, i) => i % 3 === head);
      expect(Math.abs(effects.reduce((a, b) => a + b) / 6)).toBeLessThan(1e-5);
      expect(Math.max(...effects.map(Math.abs))).toBeGreaterThan(1e-2);
    }
    // And against another background, the effect of zero less that of zero on average over it.
    const map = await ablateHead(model, x, { replacement: 'mean', background, target: 2 });
    expect(map.options).toMatchObject({ replacement: 'mean', background: 6 });
    const byMean = await valuesOf(map);
    const byZero = await valuesOf(ablateHead(model, x, { target: 2 }));
    const zeroes = await valuesOf(ablateHead(model, background, { target: 2 }));
    const expected = [...byZero].map((effect, i) => {
      let mean = 0;
      for (let row = 0; row < 6; row++) mean += (zeroes[3 * row + (i % 3)] as number) / 6;
      return effect - mean;
    });
    expectClose(byMean, expected, [3, 3], 1e-5, 'mean');
    model.dispose();
  });

  test('is had of probabilities, contrasts, pooled heads and token indices', async () => {
    const device = await testDevice();
    const model = await vision(device);
    const x = examplesFor(model, 2);
    const [a, b, contrast] = await Promise.all(
      [{ target: 0 }, { target: 1 }, { target: 0, against: 1 }].map((options) =>
        valuesOf(ablateHead(model, x, { ...options, layer: VISION_LAYERS[1] as string })),
      ),
    );
    expectClose(
      contrast as Float32Array,
      [...(a ?? [])].map((value, i) => value - (b?.[i] as number)),
      [2, 2],
      1e-5,
      'contrast',
    );
    const shares = await ablateHead(model, x, { output: 'probability', layer: VISION_LAYERS[1] as string });
    for (const effect of await valuesOf(shares)) expect(Math.abs(effect)).toBeLessThan(1);
    const pooled = await ablateHead(model, x);
    expect(pooled.layers).toEqual(['attentionPooling_1']);
    // Without what is pooled only the last bias is left.
    const bias = await model.parameters.get('dense_1/bias')?.read();
    const predicted = [...((await pooled.target?.readUint32()) ?? [])];
    const outputs = [...((await pooled.output?.read()) ?? [])];
    const effects = await valuesOf(pooled);
    expectClose(
      effects,
      outputs.map((value, i) => value - (bias?.[predicted[i] as number] as number)),
      [2],
      1e-5,
      'pooled',
    );
    model.dispose();
    const tokens = await language(device);
    const sequence = Uint32Array.of(3, 1, 4, 1, 5);
    const whole = await logitsOf(tokens, sequence, 2);
    const layer = 'transformerBlock_1/selfAttention_1';
    const lost = await valuesOf(ablateHead(tokens, sequence, { target: 2 }));
    for (const head of [0, 1]) {
      const without = await withoutHeads(tokens, layer, [head], 2, () => logitsOf(tokens, sequence, 2));
      expectClose([lost[head] as number], [(whole[0] as number) - (without[0] as number)], [1], 1e-5, `head ${head}`);
    }
    tokens.dispose();
  });

  test('takes the mean over a background once: none of the budget of each run goes to it, and nothing of it stays', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 2);
    const runsOf = async (background: number): Promise<number> => {
      let runs = 0;
      const options = {
        replacement: 'mean',
        layer: VISION_LAYERS[2] as string,
        background: examplesFor(model, background, 40),
        budget: 60_000,
      } as const;
      const map = await ablateHead(model, x, {
        ...options,
        onProgress: ({ total }) => {
          runs = total;
        },
      });
      map.dispose();
      return runs;
    };
    const few = await runsOf(3);
    expect(await runsOf(300)).toBe(few);
    const after = { bytes: model.device.memory.bytes, buffers: model.device.memory.buffers };
    await runsOf(300);
    expect({ bytes: model.device.memory.bytes, buffers: model.device.memory.buffers }).toEqual(after);
    model.dispose();
  });

  test('gives the same bits whatever the byte budget', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 5);
    const layer = VISION_LAYERS[2] as string;
    const runs: number[] = [];
    const wide = bitsOf(await valuesOf(ablateHead(model, x, { layer })));
    const narrow = await valuesOf(ablateHead(model, x, { layer, budget: 1, onProgress: ({ total }) => runs.push(total) }));
    expect(bitsOf(narrow)).toEqual(wide);
    expect(runs.at(-1)).toBe(20);
    model.dispose();
  });
});
