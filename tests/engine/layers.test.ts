import { describe, expect, test } from 'vitest';
import { defineLayer, registerBuiltInLayers } from '../../src/engine/built-in-layers.ts';
import { loadModel, saveModel } from '../../src/engine/checkpoint.ts';
import { VitrineError } from '../../src/engine/errors.ts';
import {
  dense,
  dropout,
  embedding,
  flatten,
  gelu,
  type Layer,
  layerKind,
  layerNorm,
  relu,
  sigmoid,
  softmax,
  tanh,
} from '../../src/engine/layers.ts';
import { buildModel, type ModelSpec, modelLayout } from '../../src/engine/model.ts';
import { add } from '../../src/engine/ops/arithmetic.ts';
import { createTrainer } from '../../src/engine/trainer.ts';
import { bits, clusters } from './fixtures.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

const names = (spec: ModelSpec): string[] => modelLayout(spec).layers.map(({ name }) => name);
const parameters = (spec: ModelSpec): [name: string, shape: readonly number[]][] =>
  [...modelLayout(spec).layout].map(([name, { shape }]) => [name, shape]);

function refusal(spec: ModelSpec): VitrineError {
  try {
    modelLayout(spec);
  } catch (error) {
    expect(error).toBeInstanceOf(VitrineError);
    return error as VitrineError;
  }
  throw new Error('the layers were accepted');
}

/** x + W₂ relu(W₁ x): a layer of two others. */
const residualBlock = defineLayer<{ readonly hidden: number }>({
  kind: 'layersTestResidual',
  build: (context, x, { hidden }) => {
    const inner = context.layer(dense(hidden, { activation: 'relu' }), x);
    return add(x, context.layer(dense(x.shape.at(-1) as number, { initializer: 'heNormal' }), inner));
  },
}) as unknown as (options: { hidden: number; name?: string }) => Layer;

/** A block of blocks, with a parameter of its own. */
const tower = defineLayer<{ readonly blocks: number }>({
  kind: 'layersTestTower',
  build: (context, x, { blocks }) => {
    let output = add(x, context.parameter('shift', [x.shape.at(-1) as number], { kind: 'constant', value: 0.5 }));
    for (let i = 0; i < blocks; i++) output = context.layer(residualBlock({ hidden: 3 }), output);
    return context.layer(dense(2, { name: 'head' }), output);
  },
}) as unknown as (options: { blocks: number; name?: string }) => Layer;

describe('a layer', () => {
  test('is a frozen plain value, the same after JSON', () => {
    const layers = [
      dense(3, { activation: 'relu', name: 'hidden' }),
      flatten(),
      gelu({ approximate: 'tanh' }),
      dropout(0.5),
      embedding(5, 2),
    ];
    expect(layers).toEqual([
      { kind: 'dense', name: 'hidden', options: { units: 3, activation: 'relu' } },
      { kind: 'flatten', options: {} },
      { kind: 'gelu', options: { approximate: 'tanh' } },
      { kind: 'dropout', options: { rate: 0.5 } },
      { kind: 'embedding', options: { vocabulary: 5, width: 2 } },
    ]);
    expect(JSON.parse(JSON.stringify(layers))).toEqual(layers);
    expect(layers.every((layer) => Object.isFrozen(layer) && Object.isFrozen(layer.options))).toBe(true);
  });

  test('keeps no name that it was not given', () => {
    expect('name' in dense(1)).toBe(false);
  });

  test('can be used twice in a model, with parameters of its own each time', () => {
    const layer = dense(4);
    expect(parameters({ inputShape: [4], layers: [layer, layer] }).map(([name]) => name)).toEqual([
      'dense_1/weight',
      'dense_1/bias',
      'dense_2/weight',
      'dense_2/bias',
    ]);
  });
});

describe('the names of layers', () => {
  test('are counted for each kind from 1', () => {
    const layers = [flatten(), dense(3), relu(), dense(3), relu(), dense(2), softmax()];
    expect(names({ inputShape: [4], layers })).toEqual(['flatten_1', 'dense_1', 'relu_1', 'dense_2', 'relu_2', 'dense_3', 'softmax_1']);
  });

  test('are those given, which are not counted', () => {
    expect(names({ inputShape: [4], layers: [dense(3), dense(3, { name: 'middle' }), dense(3)] })).toEqual([
      'dense_1',
      'middle',
      'dense_2',
    ]);
  });

  test('are nested with a slash, and counted anew within each layer', () => {
    const spec = { inputShape: [4], layers: [residualBlock({ hidden: 5 }), dense(4), residualBlock({ hidden: 6, name: 'last' })] };
    expect(names(spec)).toEqual(['layersTestResidual_1', 'dense_1', 'last']);
    expect(parameters(spec)).toEqual([
      ['layersTestResidual_1/dense_1/weight', [4, 5]],
      ['layersTestResidual_1/dense_1/bias', [5]],
      ['layersTestResidual_1/dense_2/weight', [5, 4]],
      ['layersTestResidual_1/dense_2/bias', [4]],
      ['dense_1/weight', [4, 4]],
      ['dense_1/bias', [4]],
      ['last/dense_1/weight', [4, 6]],
      ['last/dense_1/bias', [6]],
      ['last/dense_2/weight', [6, 4]],
      ['last/dense_2/bias', [4]],
    ]);
  });

  test('are nested as deep as the layers are', () => {
    const spec = { inputShape: [4], layers: [tower({ blocks: 2 })] };
    expect(parameters(spec).map(([name]) => name)).toEqual([
      'layersTestTower_1/shift',
      ...[1, 2].flatMap((block) =>
        [1, 2].flatMap((n) => ['weight', 'bias'].map((part) => `layersTestTower_1/layersTestResidual_${block}/dense_${n}/${part}`)),
      ),
      'layersTestTower_1/head/weight',
      'layersTestTower_1/head/bias',
    ]);
    expect(modelLayout(spec).layers).toEqual([
      { name: 'layersTestTower_1', kind: 'layersTestTower', outputShape: [2], parameters: 4 + 2 * (4 * 3 + 3 + 3 * 4 + 4) + 10 },
    ]);
  });

  test.each<[string, Layer[], string]>([
    ['given twice', [dense(3, { name: 'a' }), relu({ name: 'a' })], 'a'],
    ['given and counted', [dense(3, { name: 'dense_1' }), dense(3)], 'dense_1'],
    ['counted and given', [dense(3), dense(3, { name: 'dense_1' })], 'dense_1'],
    ['given to a layer and within another', [residualBlock({ hidden: 2, name: 'a' }), dense(4, { name: 'a/dense_1' })], 'a/dense_1'],
  ])('must be unique: %s', (_how, layers, name) => {
    const error = refusal({ inputShape: [4], layers });
    expect(error.code).toBe('duplicate-name');
    expect(error.parameters).toEqual({ name });
    expect(error.message).toBe(`Two layers or parameters are called '${name}'.\nTo mend: give one of them another name, or none.`);
  });
});

describe('every kind of layer', () => {
  const cases: [layer: Layer, input: number[], output: number[], parameters: Record<string, number[]>, inputType?: 'uint32'][] = [
    [dense(5), [3], [5], { weight: [3, 5], bias: [5] }],
    [dense(5), [7, 3], [7, 5], { weight: [3, 5], bias: [5] }],
    [dense(2, { activation: 'softmax' }), [3], [2], { weight: [3, 2], bias: [2] }],
    [flatten(), [4, 3, 2], [24], {}],
    [flatten(), [4], [4], {}],
    [flatten(), [], [1], {}],
    [relu(), [4, 3], [4, 3], {}],
    [gelu(), [4, 3], [4, 3], {}],
    [gelu({ approximate: 'tanh' }), [4], [4], {}],
    [tanh(), [4, 3], [4, 3], {}],
    [sigmoid(), [4, 3], [4, 3], {}],
    [softmax(), [4, 3], [4, 3], {}],
    [dropout(0.5), [4, 3], [4, 3], {}],
    [layerNorm(), [4, 3], [4, 3], { scale: [3], bias: [3] }],
    [embedding(10, 6), [4], [4, 6], { table: [10, 6] }, 'uint32'],
    [
      residualBlock({ hidden: 2 }),
      [3],
      [3],
      { 'dense_1/weight': [3, 2], 'dense_1/bias': [2], 'dense_2/weight': [2, 3], 'dense_2/bias': [3] },
    ],
  ];
  test.each(cases)(
    'has its shape and parameters: %j of %j gives %j',
    (layer, inputShape, outputShape, expected, inputType = 'float32' as never) => {
      const { layers, layout } = modelLayout({ inputShape, layers: [layer], inputType });
      const count = Object.values(expected).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
      expect(layers).toEqual([{ name: `${layer.kind}_1`, kind: layer.kind, outputShape, parameters: count }]);
      expect([...layout].map(([name, { shape }]) => [name, shape])).toEqual(
        Object.entries(expected).map(([name, shape]) => [`${layer.kind}_1/${name}`, shape]),
      );
    },
  );

  test('that the engine has can be found by its name, once all are registered', () => {
    registerBuiltInLayers();
    for (const [layer] of cases) expect(layerKind(layer.kind).kind).toBe(layer.kind);
  });

  test('gives every parameter a place of its own, from a multiple of 64 floats on', () => {
    const { layout, floats } = modelLayout({ inputShape: [10], layers: [dense(13), dense(64), dense(1)] });
    expect([...layout.values()].map(({ offset }) => offset)).toEqual([0, 192, 256, 1088, 1152, 1216]);
    expect(floats).toBe(1280);
  });
});

describe('a layer is refused', () => {
  const cases: Record<string, [spec: ModelSpec, code: string, message: string]> = {
    'of a kind that there is not': [
      { inputShape: [4], layers: [{ kind: 'constructor', options: {} }] },
      'unknown-layer',
      "There is no layer of the kind 'constructor'.",
    ],
    'without units': [
      { inputShape: [4], layers: [dense(0)] },
      'invalid-option',
      'dense_1: units is 0; it must be a number at least 1.\nTo mend: pass a number at least 1.',
    ],
    'with half a unit': [
      { inputShape: [4], layers: [dense(1.5)] },
      'invalid-option',
      'dense_1: units is 1.5; it must be a whole number.\nTo mend: pass a whole number.',
    ],
    'with an unknown activation': [
      { inputShape: [4], layers: [dense(1, { activation: 'swish' as 'relu', name: 'first' })] },
      'invalid-option',
      "first: there is no activation 'swish'.\nTo mend: use one of relu, gelu, geluTanh, tanh, sigmoid, softmax.",
    ],
    'with an unknown initialiser': [
      { inputShape: [4], layers: [dense(1, { initializer: 'orthogonal' as 'zeros' })] },
      'invalid-option',
      'dense_1/weight: there is no initialiser "orthogonal".',
    ],
    'with an unknown approximation': [
      { inputShape: [4], layers: [gelu({ approximate: 'erf' as 'none' })] },
      'invalid-option',
      "gelu_1: there is no approximation 'erf'.\nTo mend: use 'none' or 'tanh'.",
    ],
    'with a dropout rate of 1': [
      { inputShape: [4], layers: [dropout(1)] },
      'invalid-option',
      'dropout_1: rate is 1; it must be a number between 0 and 0.999999.\nTo mend: pass a number between 0 and 0.999999.',
    ],
    'with an empty vocabulary': [
      { inputShape: [4], inputType: 'uint32', layers: [embedding(0, 2)] },
      'invalid-option',
      'embedding_1: vocabulary is 0; it must be a number at least 1.\nTo mend: pass a number at least 1.',
    ],
    'that looks words up by numbers with a point': [
      { inputShape: [4], layers: [embedding(3, 2)] },
      'dtype-mismatch',
      'embedding: indices is float32 [1, 4]; it must be uint32.\nTo mend: pass indices as uint32.',
    ],
    'that needs an axis where there is none': [
      { inputShape: [], layers: [dense(2)] },
      'shape-mismatch',
      'dense_1: an example is []; a dense layer needs at least one axis.\nTo mend: put flatten() before it.',
    ],
  };
  test.each(Object.entries(cases))('%s', (_name, [spec, code, message]) => {
    const error = refusal(spec);
    expect(error.message.startsWith(message), error.message).toBe(true);
    expect(error.message).toContain('\nTo mend: ');
    expect(error.code).toBe(code);
  });

  test('where its kind exists already', () => {
    const define = () => defineLayer({ kind: 'dense', build: (_context, x) => x });
    expect(define).toThrow(expect.objectContaining({ code: 'duplicate-name' }));
    expect(define).toThrow("A kind of layer called 'dense' exists.\nTo mend: choose another name for the kind.");
  });
});

describe('a layer of other layers', () => {
  const spec: ModelSpec = { inputShape: [4], layers: [tower({ blocks: 2, name: 'tower' }), softmax()], seed: 5 };

  test('computes what its layers compute', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [2], layers: [residualBlock({ hidden: 2, name: 'block' })] });
    const set = (name: string, values: number[]): void => model.parameters.get(`block/${name}`)?.write(Float32Array.from(values));
    set('dense_1/weight', [1, -1, 2, 1]);
    set('dense_1/bias', [0.5, 0]);
    set('dense_2/weight', [1, 2, 3, 4]);
    set('dense_2/bias', [0, -1]);
    const y = await model.predict([1, 1]);
    // relu([1, 1] W₁ + b₁) = [3.5, 0]; [3.5, 0] W₂ + b₂ = [3.5, 6].
    expect([...(await y.read())]).toEqual([4.5, 7]);
    y.dispose();
    model.dispose();
  });

  test('is named throughout in what can be looked at', async () => {
    const model = await buildModel(await testDevice(), spec);
    const seen = await model.activations([1, 2, 3, 4]);
    const blocks = [1, 2].map((n) => `tower/layersTestResidual_${n}`);
    const inBlock = (block: string): string[] => [
      `preactivation/${block}/dense_1`,
      `activation/${block}/dense_1`,
      `activation/${block}/dense_2`,
      `activation/${block}`,
    ];
    expect([...seen.keys()].toSorted()).toEqual([...blocks.flatMap(inBlock), 'activation/tower/head', 'activation/softmax_1'].toSorted());
    for (const tensor of seen.values()) tensor.dispose();
    model.dispose();
  });

  test('trains, and comes back from a file', async () => {
    const device = await testDevice();
    const model = await buildModel(device, spec);
    const first = await bits(model);
    const data = clusters(24, 4, 2);
    const trainer = await createTrainer(model, { data, batchSize: 8 });
    await trainer.run(6);
    const trained = await bits(model);
    for (const [name, { offset, length }] of model.extents()) {
      expect(trained.subarray(offset, offset + length), name).not.toEqual(first.subarray(offset, offset + length));
    }
    const loaded = await loadModel(device, await saveModel(model));
    expect(await bits(loaded)).toEqual(trained);
    trainer.dispose();
    model.dispose();
    loaded.dispose();
  });
});

test('dropout does nothing outside of training', async () => {
  const model = await buildModel(await testDevice(), { inputShape: [4], layers: [dropout(0.9)] });
  const y = await model.predict([1, 2, 3, 4]);
  expect([...(await y.read())]).toEqual([1, 2, 3, 4]);
  y.dispose();
  model.dispose();
});
