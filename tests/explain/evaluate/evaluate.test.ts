import { describe, expect, test } from 'vitest';
import { buildModel, type Dataset, dense, flatten } from '../../../src/engine/index.ts';
import {
  attentionRelevanceMap,
  constantMap,
  type Evaluation,
  type EvaluationRow,
  type ExplanationMethod,
  evaluate,
  imagePatches,
  inputMap,
  inputXGradient,
  integratedGradients,
  type MethodOptions,
  type MetricName,
  methodNamed,
  modelRandomisation,
  saliency,
} from '../../../src/explain/index.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { vision } from '../attention/attention-networks.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';
import { expectBoundedMemory } from '../promises.ts';

failOnGpuErrors();

const rowOf = (result: Evaluation, method: string, metric: MetricName): EvaluationRow =>
  result.rows.find((row) => row.method === method && row.metric === metric) as EvaluationRow;

describe('evaluate', () => {
  test('scores every method and control by every metric, as plain data', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [24], hidden: [12] });
    const x = examplesOf(6, 24);
    const result = await evaluate(model, x, ['saliency', 'integratedGradients']);
    expect(result.metrics).toEqual([
      'deletion',
      'insertion',
      'infidelity',
      'faithfulnessCorrelation',
      'modelRandomisation',
      'maxSensitivity',
      'completeness',
      'sparseness',
      'complexity',
    ]);
    const names = ['saliency', 'integratedGradients', 'randomMap', 'inputMap', 'inputXRandom', 'constantMap'];
    expect(result.rows.map(({ method, metric }) => `${method} ${metric}`)).toEqual(
      names.flatMap((name) => result.metrics.map((metric) => `${name} ${metric}`)),
    );
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    for (const row of result.rows) {
      expect(row.values).toHaveLength(6);
      expect(Object.keys(row.controls)).toEqual(names.slice(2));
      expect(row.control).toBe(names.indexOf(row.method) > 1);
    }
    // What is known of the controls.
    expect(rowOf(result, 'inputMap', 'modelRandomisation').mean).toBe(1);
    expect(rowOf(result, 'constantMap', 'modelRandomisation')).toMatchObject({ mean: null, standardError: null });
    expect(rowOf(result, 'constantMap', 'maxSensitivity').mean).toBe(0);
    expect(rowOf(result, 'constantMap', 'complexity').mean).toBeCloseTo(Math.log(24), 12);
    expect(rowOf(result, 'integratedGradients', 'deletion').controls.inputMap).toBe(rowOf(result, 'inputMap', 'deletion').mean);
    model.dispose();
  });

  test('believes contributions on a linear model, ranks them first, and finds that they agree', async () => {
    const { model } = await linearModel(await testDevice(), 40, 3);
    const x = examplesOf(8, 40);
    const result = await evaluate(
      model,
      x,
      ['saliency', 'integratedGradients', 'inputXGradient'],
      ['deletion', 'insertion', 'faithfulnessCorrelation', 'infidelity'],
    );
    expect(result.ranking.map(({ method }) => method).slice(-1)).toEqual(['saliency']);
    expect(result.verdict[0]).toMatchObject({ code: 'believe', parameters: { examples: 8 } });
    const believed = result.verdict[0]?.parameters as { methods: string[] } | undefined;
    expect(believed?.methods.toSorted()).toEqual(['inputXGradient', 'integratedGradients']);
    expect(result.verdict.find(({ code }) => code === 'agree')?.parameters).toMatchObject({ correlation: expect.closeTo(1, 3) });
    expect(rowOf(result, 'inputXGradient', 'infidelity').mean).toBeLessThan(1e-6);
    expect(rowOf(result, 'integratedGradients', 'faithfulnessCorrelation').mean).toBeCloseTo(1, 5);
    model.dispose();
  });

  test('ranks a map that only turns its sign when the network is drawn anew as blind, and last', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [40] });
    const x = examplesOf(5, 40);
    const logits = await model.logits(x);
    const [first] = await logits.read();
    logits.dispose();
    const turning: ExplanationMethod = async (of, rows, options) => {
      const attribution = await inputMap(of, rows, options);
      const own = await of.logits(rows);
      const [now] = await own.read();
      own.dispose();
      if (now !== first) attribution.values.write((await attribution.values.read()).map((value) => -value));
      return attribution;
    };
    const signed: ExplanationMethod = (of, rows, options) => saliency(of, rows, { ...options, signed: true } as MethodOptions);
    for (const { signed: correlations } of await modelRandomisation(model, x, turning))
      expect(new Set(correlations)).toEqual(new Set([-1]));
    const methods = [
      { method: turning, name: 'turning' },
      { method: signed, name: 'gradient' },
    ];
    const result = await evaluate(model, x, methods, ['modelRandomisation', 'deletion']);
    expect(rowOf(result, 'turning', 'modelRandomisation').values).toEqual([1, 1, 1, 1, 1]);
    for (const value of rowOf(result, 'gradient', 'modelRandomisation').values) expect(value).toBeGreaterThanOrEqual(0);
    const blind = result.verdict.filter(({ code }) => code === 'blind-to-network').map(({ parameters }) => parameters);
    expect(blind).toEqual([{ method: 'turning', correlation: 1 }]);
    const alone = await evaluate(model, x, methods, ['modelRandomisation']);
    expect(alone.ranking.map(({ method }) => method)).toEqual(['gradient', 'turning']);
    model.dispose();
  });

  test('of two inputs, whose maps always agree or oppose each other in rank, calls no method blind', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [2] });
    const result = await evaluate(model, examplesOf(6, 2), ['integratedGradients', 'inputXGradient'], ['deletion', 'modelRandomisation']);
    for (const method of ['integratedGradients', 'randomMap', 'inputMap']) expect(rowOf(result, method, 'modelRandomisation').mean).toBe(1);
    expect(result.verdict.map(({ code }) => code)).not.toContain('blind-to-network');
    model.dispose();
  });

  test('leaves out the stages of randomisation at which a map is the same everywhere', async () => {
    const model = await randomNetwork(await testDevice());
    let calls = 0;
    // Its map, the map to compare with, then three stages, of which the first is flat.
    const flatOnce: ExplanationMethod = (of, rows, options) => (++calls === 3 ? constantMap : inputMap)(of, rows, options);
    const { rows } = await evaluate(model, examplesOf(2, 10), [{ method: flatOnce, name: 'flat once' }], ['modelRandomisation'], {
      controls: ['constantMap'],
    });
    expect(calls).toBe(5);
    expect(rows.map(({ values }) => values)).toEqual([
      [1, 1],
      [null, null],
    ]);
    model.dispose();
  });

  test('takes functions, options of methods and of metrics, and names for both', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(3, 10);
    const result = await evaluate(
      model,
      x,
      [
        { method: saliency, name: 'signed gradient', options: { signed: true }, unit: 'sensitivity' },
        { method: 'integratedGradients', name: 'IG of 2 points', options: { steps: 2 } },
        inputXGradient,
        'integratedGradients',
      ],
      ['completeness', { metric: 'maxSensitivity', options: { radius: 0 } }],
      { controls: ['randomMap'], target: [0, 1, 2] },
    );
    // Stability without truth misleads: infidelity came along.
    expect(result.metrics).toEqual(['infidelity', 'maxSensitivity', 'completeness']);
    expect(new Set(result.rows.map(({ method }) => method))).toEqual(
      new Set(['signed gradient', 'IG of 2 points', 'inputXGradient', 'integratedGradients', 'randomMap']),
    );
    for (const row of result.rows) if (row.metric === 'maxSensitivity') expect(row.mean).toBe(0);
    const gap = (method: string): number => rowOf(result, method, 'completeness').mean as number;
    expect(gap('IG of 2 points')).toBeGreaterThan(gap('integratedGradients'));
    model.dispose();
  });

  test('scores maps over groups by those groups', async () => {
    const { model } = await linearModel(await testDevice(), 24, 2);
    const x = examplesOf(4, 24);
    const groups = Array.from({ length: 24 }, (_, i) => Math.floor(i / 4));
    /** Contributions, spread evenly over each group: all that a method of groups can say. */
    const coarse: ExplanationMethod = async (of, rows, options) => {
      const attribution = await inputXGradient(of, rows, options);
      const values = await attribution.values.read();
      const sums = new Float32Array(values.length / 4);
      values.forEach((value, i) => {
        sums[Math.floor(i / 4)] = (sums[Math.floor(i / 4)] as number) + value / 4;
      });
      attribution.values.write(values.map((_, i) => sums[Math.floor(i / 4)] as number));
      return attribution;
    };
    const of = async (options: object) =>
      (await evaluate(model, x, [coarse], ['faithfulnessCorrelation', 'infidelity'], { target: 1, ...options })).rows;
    const score = (rows: readonly EvaluationRow[], metric: MetricName): number => rows.find((row) => row.metric === metric)?.mean as number;
    const [whole, single] = [await of({ groups }), await of({})];
    expect(score(whole, 'faithfulnessCorrelation')).toBeCloseTo(1, 5);
    expect(score(single, 'faithfulnessCorrelation')).toBeLessThan(0.9);
    expect(score(whole, 'infidelity')).toBeLessThan(1e-6);
    expect(score(single, 'infidelity')).toBeGreaterThan(0.01);
    model.dispose();
  });

  test("takes 'mean' as baseline, of the background that methods and metrics share", async () => {
    const { model } = await linearModel(await testDevice(), 12, 3);
    const x = examplesOf(4, 12);
    const background: Dataset = { name: 'background', size: 5, inputShape: [12], inputs: examplesOf(5, 12, 8) };
    const mean = Array.from(
      { length: 12 },
      (_, j) => [0, 1, 2, 3, 4].reduce((sum, i) => sum + (background.inputs[12 * i + j] as number), 0) / 5,
    );
    const methods = ['integratedGradients', 'expectedGradients'];
    const of = async (options: object) => {
      const { rows } = await evaluate(model, x, methods, [], { target: 1, background, controls: ['inputMap'], ...options });
      return rows.map(({ method, metric, values }) => ({ method, metric, values }));
    };
    const [named, given] = [await of({ baseline: 'mean' }), await of({ baseline: mean })];
    for (const [i, row] of named.entries()) {
      row.values.forEach((value, example) => {
        expect(value).toBeCloseTo(given[i]?.values[example] as number, 4);
      });
    }
    const gap = named.find(({ method, metric }) => method === 'integratedGradients' && metric === 'completeness');
    for (const value of gap?.values ?? [1]) expect(value).toBeLessThan(1e-4);
    model.dispose();
  });

  test('takes a data set as baseline: methods and metrics average over the same of its examples', async () => {
    const { model } = await linearModel(await testDevice(), 12, 3);
    const x = examplesOf(4, 12);
    const data: Dataset = { name: 'data', size: 50, inputShape: [12], inputs: examplesOf(50, 12, 8) };
    const metrics = ['deletion', 'insertion', 'infidelity', 'faithfulnessCorrelation', 'completeness'] as const;
    const options = { target: 1, baseline: data, baselines: 5, seed: 6, controls: ['inputMap'] } as const;
    const result = await evaluate(model, x, ['integratedGradients'], metrics, options);
    for (const value of rowOf(result, 'integratedGradients', 'infidelity').values) expect(value).toBeLessThan(1e-6);
    for (const value of rowOf(result, 'integratedGradients', 'faithfulnessCorrelation').values) expect(value).toBeCloseTo(1, 4);
    for (const value of rowOf(result, 'integratedGradients', 'completeness').values) expect(value).toBeLessThan(1e-3);
    // One substrate for both curves: on a linear model they sum to f(x) + mean f(x′).
    const attribution = await integratedGradients(model, x, { target: 1, baseline: data, baselines: 5, seed: 6 });
    const [outputs, values] = [await attribution.output.read(), await attribution.values.read()];
    outputs.forEach((output, row) => {
      const difference = values.slice(12 * row, 12 * row + 12).reduce((a, b) => a + b);
      const areas = (['deletion', 'insertion'] as const).map(
        (metric) => rowOf(result, 'integratedGradients', metric).values[row] as number,
      );
      expect((areas[0] as number) + (areas[1] as number)).toBeCloseTo(2 * output - difference, 4);
    });
    attribution.dispose();
    // All metrics that there are by default, of an image, too.
    const images = await buildModel(await testDevice(), { inputShape: [4, 4, 1], layers: [flatten(), dense(3)] });
    const pictures: Dataset = { name: 'pictures', size: 3, inputShape: [4, 4, 1], inputs: examplesOf(3, 16, 8) };
    const whole = await evaluate(images, examplesOf(2, 16), ['integratedGradients', 'deepLift'], [], { baseline: pictures });
    for (const { method, metric, mean } of whole.rows.filter(({ control }) => !control)) {
      expect([method, metric, mean]).toEqual([method, metric, expect.any(Number)]);
    }
    images.dispose();
    model.dispose();
  });

  test('leaves the methods of parts the groups that they are given', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [8, 8, 1], layers: [flatten(), dense(3)] });
    const x = examplesOf(1, 64);
    for (const name of ['shapleyValues', 'kernelShap', 'lime']) {
      const { explain } = methodNamed(name);
      const own = await explain(model, x, { groups: imagePatches([8, 8], 4) } as MethodOptions);
      const usual = await explain(model, x);
      const counts = [own, usual].map(({ options }) => new Set(options.groups as number[]).size);
      expect(counts).toEqual([4, 16]);
      own.dispose();
      usual.dispose();
    }
    model.dispose();
  });

  test('scores models of images that attend, and models of one output', async () => {
    const device = await testDevice();
    const images = await vision(device);
    const seen = await evaluate(images, examplesOf(2, 64), [attentionRelevanceMap, 'integratedGradients', 'lrp']);
    expect(rowOf(seen, 'sobelMap', 'modelRandomisation').mean).toBe(1);
    const single = await randomNetwork(device, { classes: 1 });
    const told = await evaluate(single, examplesOf(3, 10), ['integratedGradients', 'lrp']);
    for (const result of [seen, told]) {
      for (const row of result.rows.filter(({ control }) => !control))
        expect([row.metric, row.mean]).toEqual([row.metric, expect.any(Number)]);
      expect(result.ranking.length).toBeGreaterThan(1);
    }
    images.dispose();
    single.dispose();
  });

  test('is the same for one seed, and an example scores the same alone and among others', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(4, 10);
    const of = (some: Float32Array, seed: number) => evaluate(model, some, ['inputXGradient', 'smoothGrad'], [], { seed });
    const first = await of(x, 3);
    expect(await of(x, 3)).toEqual(first);
    expect((await of(x, 4)).rows).not.toEqual(first.rows);
    const alone = await of(x.slice(20, 30), 3);
    for (const row of alone.rows) expect(row.values).toEqual([rowOf(first, row.method, row.metric).values[2]]);
    model.dispose();
  });

  test('metrics leave bytes and buffers where they were, whatever the number of examples', async () => {
    const model = await randomNetwork(await testDevice());
    const metrics: readonly MetricName[] = [
      'deletion',
      'insertion',
      'infidelity',
      'faithfulnessCorrelation',
      'modelRandomisation',
      'maxSensitivity',
      'inputInvariance',
      'nonSensitivity',
      'completeness',
    ];
    await expectBoundedMemory(
      model,
      async (x, call) => {
        const metric = metrics[call % metrics.length] as MetricName;
        await evaluate(model, x, ['inputXGradient'], [metric], {
          controls: ['randomMap'],
          output: call % 2 === 0 ? 'logit' : 'probability',
        });
        return { dispose: () => undefined };
      },
      2 * 5 * metrics.length,
    );
    model.dispose();
  });

  test('tells how far it is, ends at its signal, and leaves no bytes behind', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(4, 10);
    await evaluate(model, x, ['inputXGradient']);
    const { bytes } = device.memory;
    const seen: string[] = [];
    await evaluate(model, x, ['inputXGradient'], ['deletion', 'sparseness'], {
      controls: ['inputMap'],
      onProgress: ({ done, total }) => seen.push(`${done}/${total}`),
    });
    expect(seen).toEqual(['1/4', '2/4', '3/4', '4/4']);
    const stop = new AbortController();
    const ended = evaluate(model, x, ['inputXGradient'], [], { signal: stop.signal, onProgress: ({ done }) => done === 2 && stop.abort() });
    await expect(ended).rejects.toMatchObject({ code: 'aborted' });
    for (let i = 0; i < 3; i++) await evaluate(model, x, ['inputXGradient']);
    expect(device.memory.bytes).toBe(bytes);
    model.dispose();
  });

  test('refuses methods and metrics that there are not, twice the same name, no methods, and a pointing game without a mask', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10);
    await expect(evaluate(model, x, ['gradients'])).rejects.toMatchObject({ code: 'unknown-name' });
    await expect(evaluate(model, x, ['saliency'], ['truth' as 'deletion'])).rejects.toThrow(
      "evaluate: there is no metric 'truth'.\nTo mend: use some of deletion, ",
    );
    await expect(evaluate(model, x, ['saliency', saliency])).rejects.toThrow(
      "evaluate: two methods are called 'saliency'.\nTo mend: give each a name of its own: { method, name, options }.",
    );
    await expect(evaluate(model, x, [])).rejects.toThrow('evaluate: there are no methods to compare.');
    await expect(evaluate(model, x, ['saliency'], ['pointingGame'])).rejects.toThrow(
      'evaluate: pointingGame needs to know where the evidence is.\nTo mend: give options.mask, for example patchMask(inputShape, patch), or leave the metric out.',
    );
    model.dispose();
  });
});
