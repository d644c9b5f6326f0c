import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../../src/engine/compile.ts';
import type { Dataset } from '../../src/engine/dataset.ts';
import { type Device, openDevice } from '../../src/engine/device.ts';
import { checkNumber, checkWhole, type ErrorCode, internal, VitrineError } from '../../src/engine/errors.ts';
import { Graph } from '../../src/engine/graph.ts';
import { dense, relu, softmax } from '../../src/engine/layers.ts';
import { buildModel, type Model } from '../../src/engine/model.ts';
import { affine } from '../../src/engine/ops/affine.ts';
import { relu as reluNode } from '../../src/engine/ops/relu.ts';
import { adam, sgd } from '../../src/engine/optimizers.ts';
import type { PlanStep } from '../../src/engine/plan.ts';
import { createTrainer, type Trainer } from '../../src/engine/trainer.ts';
import { bits, clusters, smallModel } from './fixtures.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

/** What a call is refused with: a typed error of two lines. */
async function refusal(call: () => unknown): Promise<VitrineError> {
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(VitrineError);
  const { message, code } = error as VitrineError;
  const lines = message.split('\n');
  expect(lines.length, message).toBe(2);
  expect(lines[1], message).toMatch(/^To mend: .*\.$/);
  expect(code).toBeTruthy();
  return error as VitrineError;
}

const data = clusters(40, 8, 3);
const options = { data, batchSize: 8, optimizer: adam({ learningRate: 0.01 }) };

const withInput = (index: number, value: number): Dataset => {
  const inputs = (data.inputs as Float32Array).slice();
  inputs[index] = value;
  return { ...data, inputs };
};
const withLabel = (example: number, label: number): Dataset => {
  const labels = (data.labels as Uint32Array).slice();
  labels[example] = label;
  return { ...data, labels };
};

interface Healthy {
  readonly device: Device;
  readonly model: Model;
  readonly trainer: Trainer;
}

type Case = [call: (healthy: Healthy) => unknown, code: ErrorCode, message: string, parameters?: Record<string, unknown>];

const row = new Float32Array(8).fill(0.5);
const rows = (count: number): Float32Array => new Float32Array(8 * count).fill(0.5);
const smallLayers = [dense(12, { activation: 'relu' }), dense(3), softmax()];

describe('refused, with nothing lost, is', () => {
  let healthy: Healthy;
  beforeAll(async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    healthy = { device, model, trainer: await createTrainer(model, options) };
    await healthy.trainer.run(5);
    (await model.predict(row)).dispose();
  });
  afterAll(() => {
    healthy.trainer.dispose();
    healthy.model.dispose();
  });

  const cases: Record<string, Case> = {
    // ---- shapes
    'a prediction of values that fill no example': [
      ({ model }) => model.predict([1, 2, 3]),
      'shape-mismatch',
      'The model takes examples of [8] (8 values) but got 3 values.\nTo mend: pass [rows, ...inputShape], or a multiple of that many values.',
      { inputShape: [8], actual: [3] },
    ],
    'a prediction of a tensor of another shape': [
      async ({ model, device }) => {
        const x = device.tensor(new Float32Array(16), [4, 4]);
        await model.predict(x).finally(() => x.dispose());
      },
      'shape-mismatch',
      'The model takes examples of [8] (8 values) but got [4, 4].\nTo mend: pass [rows, ...inputShape], or a multiple of that many values.',
      { inputShape: [8], actual: [4, 4] },
    ],
    'a prediction of a tensor of another type': [
      async ({ model, device }) => {
        const x = device.tensor(new Uint32Array(8), [1, 8]);
        await model.predict(x).finally(() => x.dispose());
      },
      'dtype-mismatch',
      'model: x is uint32 [1, 8]; it must be float32.\nTo mend: pass x as float32.',
      { operation: 'model', input: 'x', expected: 'float32', actual: 'uint32' },
    ],
    'a batch of values that fill no example': [
      ({ trainer }) => trainer.trainOnBatch(row.subarray(1), [0]),
      'shape-mismatch',
      'The model takes examples of [8] (8 values) but got 7 values.\nTo mend: pass [rows, ...inputShape], or a multiple of that many values.',
    ],
    'a batch with more labels than examples': [
      ({ trainer }) => trainer.trainOnBatch(rows(2), [0, 1, 2]),
      'shape-mismatch',
      '3 labels do not fill [2].\nTo mend: give one label an example.',
      { expected: [2], actual: 3 },
    ],
    'an affine map whose axes differ': [
      () => {
        const graph = new Graph();
        affine(graph.placeholder('x', [4, 3]), graph.placeholder('W', [5, 2]), graph.placeholder('b', [2]));
      },
      'shape-mismatch',
      'affine: x is [4, 3], weight [5, 2] and bias [2]; they must be [..., inputs], [inputs, outputs] and [outputs].\nTo mend: flatten x to the inputs that the weight has, and give the bias one value an output.',
      { x: [4, 3], weight: [5, 2], bias: [2] },
    ],
    'a data set of other examples than the model takes': [
      ({ trainer }) => trainer.setData(clusters(40, 7, 3)),
      'shape-mismatch',
      'clusters: an example is [7] but the model takes [8].\nTo mend: build the model with the inputShape of the data, or reshape the data.',
      { name: 'clusters', inputShape: [8], actual: [7] },
    ],
    'a data set with a value too few': [
      ({ trainer }) => trainer.setData({ ...data, inputs: data.inputs.subarray(1) as Float32Array }),
      'shape-mismatch',
      'clusters: 319 input values do not make 40 examples of [8] (320 values).\nTo mend: make size × product(inputShape) values.',
      { name: 'clusters', values: 319, expected: 320 },
    ],
    'a data set with a label too few': [
      ({ trainer }) => trainer.setData({ ...data, labels: (data.labels as Uint32Array).subarray(1) }),
      'shape-mismatch',
      'clusters: 39 labels for 40 examples.\nTo mend: give one label an example.',
    ],
    'a data set without labels': [
      ({ trainer }) => {
        const { labels: _none, ...unlabelled } = data;
        return trainer.setData(unlabelled);
      },
      'shape-mismatch',
      'clusters: the data set has no labels, which crossEntropy needs.\nTo mend: add labels to it.',
      { missing: 'labels' },
    ],
    'the evaluation of a data set without labels': [
      ({ trainer }) => {
        const { labels: _none, ...unlabelled } = data;
        return trainer.evaluate(unlabelled);
      },
      'shape-mismatch',
      'clusters: the data set has no labels, which crossEntropy needs.\nTo mend: add labels to it.',
    ],
    'a regression on targets of another shape than the output': [
      async ({ model }) => {
        const targets = new Float32Array(80);
        await createTrainer(model, { loss: 'meanSquaredError', batchSize: 8, data: { ...data, targets, targetShape: [2] } });
      },
      'shape-mismatch',
      'clusters: a target is [2] but the model gives [3].\nTo mend: give the last layer as many units as a target has values.',
      { expected: [3], actual: [2] },
    ],
    'a regression with a target too few': [
      ({ model }) =>
        createTrainer(model, {
          loss: 'meanSquaredError',
          batchSize: 8,
          data: { ...data, targets: new Float32Array(119), targetShape: [3] },
        }),
      'shape-mismatch',
      'clusters: 119 target values do not make 40 targets of [3].\nTo mend: make size × product(targetShape) values, and say targetShape.',
    ],
    'a cross-entropy of more than one axis': [
      async ({ device }) => {
        const model = await buildModel(device, { inputShape: [4, 2], layers: [dense(3)] });
        await createTrainer(model).finally(() => model.dispose());
      },
      'shape-mismatch',
      "crossEntropy: the model's output is [4, 3] an example; it must be one axis, the classes.\nTo mend: end the model in dense(classes), or put flatten() before it.",
    ],
    'a tensor of too few values': [
      ({ device }) => device.tensor([1, 2, 3], [2, 2], 'corner'),
      'shape-mismatch',
      'corner: 3 values do not fill [2, 2] (4 values).\nTo mend: pass one value an element, row-major, or give the shape that the values have.',
      { name: 'corner', shape: [2, 2], values: 3 },
    ],
    'a parameter written with too many values': [
      ({ model }) => model.parameters.get('dense_2/bias')?.write(new Float32Array(4)),
      'shape-mismatch',
      'dense_2/bias: 4 values do not fill [3] (3 values).\nTo mend: pass one value an element, row-major, or give the shape that the values have.',
    ],
    'a parameter read as whole numbers': [
      ({ model }) => model.parameters.get('dense_2/bias')?.readUint32(),
      'dtype-mismatch',
      'dense_2/bias is float32 but was used as uint32.\nTo mend: use read() and a Float32Array.',
      { name: 'dense_2/bias', dtype: 'float32' },
    ],
    'the snapshot of another model': [
      ({ trainer }) => trainer.restore({ kind: 'view', step: 0, parameters: new Float32Array(64) }),
      'shape-mismatch',
      'The snapshot holds 64 parameters; this model has 320.\nTo mend: restore it into the model it was taken from.',
    ],

    // ---- labels
    'a label beyond the classes, in a data set': [
      ({ trainer }) => trainer.setData(withLabel(17, 3)),
      'label-out-of-range',
      'clusters: the label of example 17 is 3, but the model has 3 outputs (classes 0 to 2).\nTo mend: number the classes from 0, or give the last layer as many units as there are classes.',
      { name: 'clusters', example: 17, label: 3, classes: 3 },
    ],
    'a label beyond the classes, in an evaluation': [
      ({ trainer }) => trainer.evaluate(withLabel(39, 0xffffffff)),
      'label-out-of-range',
      'clusters: the label of example 39 is 4294967295, but the model has 3 outputs (classes 0 to 2).\nTo mend: number the classes from 0, or give the last layer as many units as there are classes.',
    ],
    'a negative label in a batch': [
      ({ trainer }) => trainer.trainOnBatch(rows(2), [0, -1]),
      'label-out-of-range',
      'labels: the label of example 1 is -1, but the model has 3 outputs (classes 0 to 2).\nTo mend: number the classes from 0, or give the last layer as many units as there are classes.',
      { name: 'labels', example: 1, label: -1, classes: 3 },
    ],
    'half a label, for gradients': [
      ({ model }) => model.gradients(row, [0.5]),
      'label-out-of-range',
      'labels: the label of example 0 is 0.5, but the model has 3 outputs (classes 0 to 2).\nTo mend: number the classes from 0, or give the last layer as many units as there are classes.',
    ],

    // ---- values
    'NaN in a data set': [
      ({ trainer }) => trainer.setData(withInput(8 * 5 + 3, Number.NaN)),
      'non-finite-data',
      'clusters: input value 3 of example 5 is NaN.\nTo mend: replace or drop it before training; one such value makes every weight NaN.',
      { name: 'clusters', example: 5, index: 3 },
    ],
    'infinity in an evaluation': [
      ({ trainer }) => trainer.evaluate(withInput(0, Number.NEGATIVE_INFINITY)),
      'non-finite-data',
      'clusters: input value 0 of example 0 is -Infinity.\nTo mend: replace or drop it before training; one such value makes every weight NaN.',
    ],
    'NaN among targets': [
      ({ model }) => {
        const targets = new Float32Array(120);
        targets[7] = Number.NaN;
        return createTrainer(model, { loss: 'meanSquaredError', batchSize: 8, data: { ...data, targets, targetShape: [3] } });
      },
      'non-finite-data',
      'clusters: target value 1 of example 2 is NaN.\nTo mend: replace or drop it before training; one such value makes every weight NaN.',
    ],
    'NaN in a batch': [
      ({ trainer }) => trainer.trainOnBatch([...row, ...row.subarray(1), Number.NaN], [0, 1]),
      'non-finite-data',
      'x: input value 7 of example 1 is NaN.\nTo mend: replace or drop it before training; one such value makes every weight NaN.',
      { name: 'x', example: 1, index: 7 },
    ],
    'a number too large for float32 in a prediction, far into the examples': [
      ({ model }) => model.predict(Array.from({ length: 8 * 700 }, (_, i) => (i === 8 * 650 ? 1e39 : 0))),
      'non-finite-data',
      'x: input value 0 of example 650 is Infinity.\nTo mend: replace or drop it before training; one such value makes every weight NaN.',
    ],
    'NaN where gradients are asked for': [
      ({ model }) => model.gradients([Number.NaN, ...row.subarray(1)], [0]),
      'non-finite-data',
      'x: input value 0 of example 0 is NaN.\nTo mend: replace or drop it before training; one such value makes every weight NaN.',
    ],
    'a data set that divides its bytes by nothing': [
      ({ trainer }) => trainer.setData({ ...data, inputs: new Uint8Array(320), divisor: 0 }),
      'invalid-option',
      'clusters: divisor is 0; it must be a number above 0.\nTo mend: pass what its bytes are to be divided by, such as 255.',
    ],

    // ---- sizes
    'an empty data set': [
      ({ trainer }) => trainer.setData({ ...data, size: 0, inputs: new Float32Array(0), labels: new Uint32Array(0) }),
      'empty-dataset',
      'clusters: the data set is empty.\nTo mend: load at least one example.',
      { name: 'clusters' },
    ],
    'a prediction of nothing': [
      ({ model }) => model.predict([]),
      'empty-dataset',
      'There are no examples to look at.\nTo mend: pass at least one example.',
    ],
    'a batch of nothing': [
      ({ trainer }) => trainer.trainOnBatch([], []),
      'empty-dataset',
      'There are no examples to look at.\nTo mend: pass at least one example.',
    ],
    'training without data': [
      async ({ model }) => {
        const trainer = await createTrainer(model);
        await trainer.run(1).finally(() => trainer.dispose());
      },
      'empty-dataset',
      'The trainer has no data set.\nTo mend: pass { data } to createTrainer, or call setData() first.',
    ],
    'a batch larger than the data set': [
      ({ trainer }) => trainer.setData(clusters(7, 8, 3)),
      'batch-too-large',
      'clusters: a batch of 8 is larger than the 7 training examples.\nTo mend: use a batchSize of at most 7, or more data.',
      { batchSize: 8, examples: 7 },
    ],
    'a batch of more rows than the trainer takes': [
      ({ trainer }) => trainer.trainOnBatch(rows(9), new Array<number>(9).fill(0)),
      'batch-too-large',
      'The batch has 9 rows; the trainer takes at most 8.\nTo mend: create the trainer with a larger batchSize, or split the batch.',
      { rows: 9, batchSize: 8 },
    ],
    'a split that leaves less than a batch': [
      ({ trainer }) => trainer.fit({ epochs: 1, validationSplit: 0.9 }),
      'batch-too-large',
      'A batch of 8 is larger than the 3 training examples.\nTo mend: hold out less.',
      { examples: 3 },
    ],
    "a tensor beyond the adapter's limits": [
      ({ device }) => {
        const limit = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
        return device.empty([limit / 4 + 4], 'float32', 'huge');
      },
      'limit-exceeded',
      'huge [LIMIT/4 + 4] needs LIMIT + 16 bytes, but this adapter binds at most LIMIT.\nTo mend: make it smaller, split it, or use a GPU with a larger maxStorageBufferBindingSize.',
    ],
    "a model beyond the adapter's limits": [
      ({ device }) => buildModel(device, { inputShape: [1 << 20], layers: [dense(1 << 20)] }),
      'limit-exceeded',
      'parameters [1099512676352] needs 4398050705408 bytes, but this adapter binds at most LIMIT.\nTo mend: make it smaller, split it, or use a GPU with a larger maxStorageBufferBindingSize.',
    ],
    'a snapshot that lacks a moment': [
      async ({ trainer }) => trainer.restore({ ...(await trainer.snapshot()), moments: [] }),
      'shape-mismatch',
      'The snapshot has 0 moments an element; adam keeps 2.\nTo mend: restore it with the optimiser it was taken with.',
    ],
    'a snapshot that was taken on other data': [
      async ({ trainer }) => trainer.restore({ ...(await trainer.snapshot()), data: '40-00000000' }),
      'invalid-option',
      'The snapshot was taken on other data.\nTo mend: setData() the data it was taken on; restore a view snapshot to carry on with the parameters alone.',
      { data: '40-00000000' },
    ],

    // ---- names
    'an activation that there is not': [
      ({ device }) => buildModel(device, { inputShape: [8], layers: [dense(3, { activation: 'swish' as 'relu' })] }),
      'invalid-option',
      "dense_1: there is no activation 'swish'.\nTo mend: use one of relu, gelu, geluTanh, tanh, sigmoid, softmax.",
      { activation: 'swish' },
    ],
    'a loss that there is not': [
      ({ model }) => createTrainer(model, { loss: 'hinge' as 'crossEntropy', data, batchSize: 8 }),
      'invalid-option',
      "There is no loss called 'hinge'.\nTo mend: use 'crossEntropy' or 'meanSquaredError'.",
      { loss: 'hinge' },
    ],
    'a variant that there is not': [
      ({ model }) => createTrainer(model, { ...options, variants: { gatherBatch: 'magic', adam: 'magic' } }),
      'invalid-option',
      "variants: adam has no variant 'magic' for these shapes.\nTo mend: choose one of ",
    ],
    'two layers of one name': [
      ({ device }) => buildModel(device, { inputShape: [8], layers: [dense(3, { name: 'a' }), relu({ name: 'a' })] }),
      'duplicate-name',
      "Two layers or parameters are called 'a'.\nTo mend: give one of them another name, or none.",
      { name: 'a' },
    ],
    'a parameter to freeze that there is not': [
      ({ trainer }) => trainer.setFrozen(['dense_9/weight'], true),
      'unknown-name',
      "There is no parameter called 'dense_9/weight'.\nTo mend: use one of dense_1/weight, dense_1/bias, dense_2/weight, dense_2/bias.",
      { name: 'dense_9/weight' },
    ],
    'an activation to watch that there is not': [
      ({ trainer }) => trainer.watch(['activation/dense_9']),
      'unknown-name',
      "There is no tensor called 'activation/dense_9' to watch.\nTo mend: watch one of preactivation/dense_1, activation/dense_1, activation/dense_2, activation/softmax_1, logits.",
      { name: 'activation/dense_9' },
    ],

    // ---- options
    'a model without layers': [
      ({ device }) => buildModel(device, { inputShape: [8], layers: [] }),
      'invalid-option',
      'The model has no layers.\nTo mend: give at least one layer.',
    ],
    'an inputShape with a zero': [
      ({ device }) => buildModel(device, { inputShape: [8, 0], layers: smallLayers }),
      'invalid-option',
      'inputShape is 0; it must be a number at least 1.\nTo mend: pass a number at least 1.',
    ],
    'a negative seed': [
      ({ device }) => buildModel(device, { inputShape: [8], layers: smallLayers, seed: -1 }),
      'invalid-option',
      'seed is -1; it must be a number between 0 and 4294967295.\nTo mend: pass a number between 0 and 4294967295.',
    ],
    'no epochs at all': [
      ({ trainer }) => trainer.fit({ epochs: 0 }),
      'invalid-option',
      'epochs is 0; it must be a number at least 1.\nTo mend: pass a number at least 1.',
      { name: 'epochs', value: 0 },
    ],
    'half an epoch': [
      ({ trainer }) => trainer.fit({ epochs: 0.5 + 1 }),
      'invalid-option',
      'epochs is 1.5; it must be a whole number.\nTo mend: pass a whole number.',
    ],
    'no steps at all': [
      ({ trainer }) => trainer.run(0),
      'invalid-option',
      'steps is 0; it must be a number at least 1.\nTo mend: pass a number at least 1.',
    ],
    'a split that holds out everything': [
      ({ trainer }) => trainer.fit({ epochs: 1, validationSplit: 1 }),
      'invalid-option',
      'validationSplit is 1; it must be a number between 0 and 0.999.\nTo mend: pass a number between 0 and 0.999.',
    ],
    'a negative split': [
      ({ model }) => createTrainer(model, { ...options, validationSplit: -0.1 }),
      'invalid-option',
      'validationSplit is -0.1; it must be a number between 0 and 0.999.\nTo mend: pass a number between 0 and 0.999.',
    ],
    'a batch size of zero': [
      ({ model }) => createTrainer(model, { ...options, batchSize: 0 }),
      'invalid-option',
      'batchSize is 0; it must be a number between 1 and 65535.\nTo mend: pass a number between 1 and 65535.',
    ],
    'a seed below 0': [
      ({ model }) => createTrainer(model, { ...options, seed: -1 }),
      'invalid-option',
      'seed is -1; it must be a number between 0 and 4294967295.\nTo mend: pass a number between 0 and 4294967295.',
    ],
    'a learning rate that is no number': [
      () => adam({ learningRate: Number.NaN }),
      'invalid-option',
      'learningRate is NaN; it must be a number at least 0.\nTo mend: pass a number at least 0.',
    ],
    'a momentum of 1': [
      () => sgd({ momentum: 1 }),
      'invalid-option',
      'momentum is 1; it must be a number between 0 and 0.9999999.\nTo mend: pass a number between 0 and 0.9999999.',
    ],
    'a learning rate below zero, in training': [
      ({ trainer }) => trainer.setLearningRate(-1),
      'invalid-option',
      'learningRate is -1; it must be a number at least 0.\nTo mend: pass a number at least 0.',
    ],
    'a gradient norm of zero to clip to': [
      ({ model }) => createTrainer(model, { ...options, clipNorm: 0 }),
      'invalid-option',
      'clipNorm is 0; it must be a number at least 1e-30.\nTo mend: pass a number at least 1e-30.',
    ],
    'validation where nothing is held out': [
      ({ trainer }) => trainer.evaluate('validation'),
      'invalid-option',
      'Nothing is held out for validation.\nTo mend: pass a validationSplit above 0.',
    ],
  };

  test.each(Object.entries(cases))('%s', async (_name, [call, code, message, parameters]) => {
    const { device, trainer } = healthy;
    const before = await trainer.snapshot();
    const { bytes, buffers } = device.memory;
    const error = await refusal(() => call(healthy));
    const limit = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize);
    const expected = message
      .replace('LIMIT/4 + 4', String(limit / 4 + 4))
      .replace('LIMIT + 16', String(limit + 16))
      .replace('LIMIT', String(limit));
    // What ends in a list of names is pinned up to there.
    if (/To mend:.*\.$/.test(message)) expect(error.message).toBe(expected);
    else expect(error.message.startsWith(expected), error.message).toBe(true);
    expect(error.code).toBe(code);
    expect(error.parameters).toMatchObject(parameters ?? {});
    await new Promise((resolve) => setTimeout(resolve));
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    expect(await trainer.snapshot()).toEqual(before);
  });

  test('and after all of them training goes on with the bits of one that met none', async () => {
    const { device, model, trainer } = healthy;
    await trainer.run(12);
    const twinModel = await smallModel(device);
    const twin = await createTrainer(twinModel, options);
    await twin.run(17);
    expect(await bits(model)).toEqual(await bits(twinModel));
    expect(await trainer.evaluate(data)).toEqual(await twin.evaluate(data));
    twin.dispose();
    twinModel.dispose();
  });
});

test('a limit is found to be exceeded before the GPU is asked', async () => {
  const device = await testDevice();
  const before = structuredClone(device.calls);
  await refusal(() => device.empty([2 ** 40], 'float32', 'huge'));
  await refusal(() => buildModel(device, { inputShape: [1 << 20], layers: [dense(1 << 20)] }));
  expect(device.calls).toEqual(before);
});

describe('a machine without WebGPU', () => {
  async function withGpu(gpu: unknown, open: () => Promise<unknown>): Promise<VitrineError> {
    Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
    try {
      return await refusal(open);
    } finally {
      Reflect.deleteProperty(navigator, 'gpu');
    }
  }

  test('is told to use a browser that has it', async () => {
    const error = await withGpu(undefined, () => openDevice());
    expect(error.code).toBe('no-webgpu');
    expect(error.message).toBe(
      'This browser has no WebGPU (navigator.gpu is missing).\nTo mend: use a current Chrome, Edge, Firefox or Safari, on https or on localhost; WebGPU is hidden from other pages.',
    );
  });

  test('or an adapter is told to switch on its GPU', async () => {
    const error = await withGpu({ requestAdapter: async () => null }, () => openDevice());
    expect(error.code).toBe('no-adapter');
    expect(error.message).toBe(
      'WebGPU is here but found no adapter: the GPU or its driver is blocked.\nTo mend: switch on hardware acceleration or update the driver; headless Chromium needs --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader.',
    );
  });

  test('is not what it is taken for when an adapter gives no device', async () => {
    const adapter = { limits: {}, features: new Set(), requestDevice: () => Promise.reject(new Error('adapter consumed')) };
    const error = await withGpu({ requestAdapter: async () => adapter }, () => openDevice());
    expect(error.code).toBe('no-adapter');
    expect(error.message).toBe(
      'No GPU device could be opened: adapter consumed.\nTo mend: ask a new adapter for the device each time; an adapter gives one device only.',
    );
  });

  test.each([
    ['throws', () => Promise.reject(new Error('no permission')), 'no permission'],
    ['throws no error', () => Promise.reject('no luck'), 'no luck'],
    ['gives nothing', () => Promise.resolve(undefined as unknown as GPUDevice), 'requestDevice returned none'],
  ])('is told why where its requestDevice %s', async (_how, requestDevice, why) => {
    const error = await refusal(() => openDevice({ requestDevice }));
    expect(error.code).toBe('no-adapter');
    expect(error.parameters).toEqual({ why });
    expect(error.message).toBe(
      `No GPU device could be opened: ${why}.\nTo mend: ask a new adapter for the device each time; an adapter gives one device only.`,
    );
  });

  test('opens a device when the GPU is back', async () => {
    const device = await openDevice();
    expect([...(await device.tensor([1, 2]).read())]).toEqual([1, 2]);
    device.destroy();
  });
});

/** Lets the GPU run out of memory in the `which`-th scope that looks for it, counted from 1. Tells whether that came to pass. */
async function outOfMemoryIn(device: Device, which: number, work: () => Promise<unknown>): Promise<boolean> {
  const { gpu } = device;
  const { pushErrorScope, popErrorScope } = gpu;
  const open: GPUErrorFilter[] = [];
  let seen = 0;
  let reported = false;
  gpu.pushErrorScope = (filter) => {
    open.push(filter);
    pushErrorScope.call(gpu, filter);
  };
  gpu.popErrorScope = async () => {
    const filter = open.pop();
    const simulated = filter === 'out-of-memory' && ++seen === which;
    reported ||= simulated;
    const error = await popErrorScope.call(gpu);
    return simulated ? new GPUOutOfMemoryError('simulated') : error;
  };
  try {
    await work();
  } finally {
    Reflect.deleteProperty(gpu, 'pushErrorScope');
    Reflect.deleteProperty(gpu, 'popErrorScope');
  }
  return reported;
}

describe('a GPU that runs out of memory, at whichever allocation, is a typed error and costs nothing', () => {
  const works: Record<string, [least: number, work: (healthy: Healthy) => Promise<{ dispose(): void } | undefined>]> = {
    'in buildModel': [1, ({ device }) => smallModel(device)],
    'in createTrainer': [3, ({ model }) => createTrainer(model, options)],
    'in setData': [2, ({ trainer }) => trainer.setData({ ...data, name: 'other' }).then(() => undefined)],
    'in evaluate': [2, ({ trainer }) => trainer.evaluate(data).then(() => undefined)],
    'in predict': [1, ({ model }) => model.predict(rows(3))],
    'in gradients': [
      1,
      async ({ model }) => {
        const { parameters, input } = await model.gradients(row, [1]);
        const dispose = (): void => {
          for (const tensor of [input, ...parameters.values()]) tensor.dispose();
        };
        return { dispose };
      },
    ],
    'in compile': [1, ({ device }) => compile(device, [reluNode(new Graph().placeholder('x', [100]))])],
    'in watch': [1, ({ trainer }) => trainer.watch(['activation/dense_1']).then(() => undefined)],
  };
  test.each(Object.entries(works))('%s', async (name, [least, work]) => {
    const device = await testDevice();
    const empty = device.memory.bytes;
    const model = await smallModel(device);
    const trainer = await createTrainer(model, options);
    await trainer.run(3);
    const before = await trainer.snapshot();
    const { bytes, buffers } = device.memory;
    const cached = name === 'in evaluate' || name === 'in predict';
    let failures = 0;
    for (let which = 1; ; which++) {
      let reported = false;
      let result: { dispose(): void } | undefined;
      let error: unknown;
      try {
        reported = await outOfMemoryIn(device, which, async () => {
          result = await work({ device, model, trainer });
        });
      } catch (thrown) {
        error = thrown;
      }
      if (error === undefined) {
        expect(reported, 'an allocation failed without a word').toBe(false);
        result?.dispose();
        break;
      }
      failures++;
      expect(error).toMatchObject({ code: 'out-of-memory' });
      expect((error as Error).message).toMatch(
        /^.+: the GPU is out of memory \(\d+ bytes are in use by this engine\)\.\nTo mend: use a smaller batch or model, dispose of tensors no longer needed, or close other tabs\.$/,
      );
      // A plan that was compiled before the failure is kept for the next call.
      if (!cached) expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
      expect(await trainer.snapshot()).toEqual(before);
    }
    expect(failures).toBeGreaterThanOrEqual(least);
    await trainer.run(1);
    trainer.dispose();
    model.dispose();
    await new Promise((resolve) => setTimeout(resolve));
    expect(device.memory.bytes).toBe(empty);
  });
});

describe('what was disposed of', () => {
  test('is refused as a tensor, by name', async () => {
    const device = await testDevice();
    const tensor = device.tensor([1, 2, 3], [3], 'gone');
    tensor.dispose();
    tensor.dispose();
    for (const use of [() => tensor.read(), () => tensor.write(Float32Array.of(1, 2, 3)), () => tensor.buffer]) {
      const error = await refusal(use);
      expect(error.code).toBe('tensor-disposed');
      expect(error.parameters).toEqual({ name: 'gone' });
      expect(error.message).toBe('gone [3] was used after dispose().\nTo mend: keep the tensor until its last reader has finished.');
    }
  });

  test('is refused as an input of a prediction, and leaves nothing behind', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    (await model.predict(row)).dispose();
    const { bytes } = device.memory;
    const x = device.tensor(row, [1, 8], 'x');
    x.dispose();
    expect((await refusal(() => model.predict(x))).code).toBe('tensor-disposed');
    expect(device.memory.bytes).toBe(bytes);
    model.dispose();
  });

  test('is refused as a plan', async () => {
    const device = await testDevice();
    const { bytes } = device.memory;
    const plan = await compile(device, [reluNode(new Graph().placeholder('x', [3]))], { name: 'rectify' });
    plan.dispose();
    plan.dispose();
    for (const use of [
      () => plan.run(),
      () => plan.runStep(0),
      () => plan.profile(),
      () => plan.replaceKernel(0, plan.steps[0]?.kernel.source as string),
    ]) {
      const error = await refusal(use);
      expect(error.code).toBe('tensor-disposed');
      expect(error.message).toBe('rectify: the plan was used after dispose().\nTo mend: compile it again, or keep it until the last run.');
    }
    expect(device.memory.bytes).toBe(bytes);
  });

  test('is refused as what a plan was compiled over', async () => {
    const device = await testDevice();
    const x = new Graph().placeholder('x', [3]);
    const tensor = device.tensor([1, 2, 3], [3], 'outside');
    const plan = await compile(device, [reluNode(x)], { tensors: new Map([[x, tensor]]) });
    plan.run();
    tensor.dispose();
    const error = await refusal(() => plan.run());
    expect(error.code).toBe('tensor-disposed');
    expect(error.message).toBe('outside [3] was used after dispose().\nTo mend: keep the tensor until its last reader has finished.');
    plan.dispose();
  });

  test('is refused as the model of a trainer', async () => {
    const model = await smallModel(await testDevice());
    const trainer = await createTrainer(model, options);
    model.dispose();
    for (const use of [
      () => trainer.run(1),
      () => trainer.trainOnBatch(row, [0]),
      () => trainer.evaluate(data),
      () => trainer.snapshot(),
    ]) {
      const error = await refusal(use);
      expect(error.code).toBe('tensor-disposed');
      expect(error.message).toBe('The model was used after dispose().\nTo mend: keep the model until its last use.');
    }
    trainer.dispose();
  });

  test('is refused as a model', async () => {
    const device = await testDevice();
    const { bytes } = device.memory;
    const model = await smallModel(device);
    model.dispose();
    for (const use of [
      () => model.predict(row),
      () => model.logits(row),
      () => model.activations(row),
      () => model.gradients(row, [0]),
      () => createTrainer(model),
    ]) {
      const error = await refusal(use);
      expect(error.code).toBe('tensor-disposed');
      expect(error.message).toBe('The model was used after dispose().\nTo mend: keep the model until its last use.');
    }
    expect(device.memory.bytes).toBe(bytes);
  });

  test('is refused as a trainer, and its model lives on', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    (await model.predict(row)).dispose();
    const { bytes } = device.memory;
    const trainer = await createTrainer(model, options);
    const view = await trainer.snapshot({ view: true });
    trainer.dispose();
    trainer.dispose();
    const uses: (() => unknown)[] = [
      () => trainer.run(1),
      () => trainer.fit({ epochs: 1 }),
      () => trainer.trainOnBatch(row, [0]),
      () => trainer.setData(data),
      () => trainer.evaluate(data),
      () => trainer.evaluate('validation'),
      () => trainer.snapshot(),
      () => trainer.restore(view),
      () => trainer.reset(),
      () => trainer.watch([]),
      () => trainer.synchronize(),
      () => trainer.setLearningRate(0.1),
      () => trainer.setFrozen(['dense_1/bias'], true),
      () => trainer.stopWhen({ step: 3 }),
      () => trainer.resume(),
    ];
    for (const use of uses) {
      const error = await refusal(use);
      expect(error.code, String(use)).toBe('tensor-disposed');
      expect(error.message).toBe('The trainer was used after dispose().\nTo mend: keep it until training has ended.');
    }
    expect(device.memory.bytes).toBe(bytes);
    (await model.predict(row)).dispose();
    model.dispose();
  });
});

test('a trainer that is running refuses to be run a second time, and ends in the same bits', async () => {
  const device = await testDevice();
  const trained = async (interfere: (trainer: Trainer) => Promise<void>): Promise<Uint32Array> => {
    const model = await smallModel(device);
    const trainer = await createTrainer(model, options);
    const view = await trainer.snapshot({ view: true });
    const running = trainer.run(60);
    await interfere(trainer);
    await running;
    await trainer.run(3);
    expect(trainer.step).toBe(63);
    await trainer.restore(view);
    await trainer.fit({ epochs: 1 });
    const result = await bits(model);
    trainer.dispose();
    model.dispose();
    return result;
  };
  const undisturbed = await trained(async () => undefined);
  const disturbed = await trained(async (trainer) => {
    const view = await trainer.snapshot({ view: true });
    const uses: (() => unknown)[] = [
      () => trainer.run(1),
      () => trainer.fit({ epochs: 1, validationSplit: 0.5 }),
      () => trainer.trainOnBatch(row, [0]),
      () => trainer.setData(clusters(30, 8, 3, 5)),
      () => trainer.restore(view),
      () => trainer.reset(),
    ];
    for (const use of uses) {
      const error = await refusal(use);
      expect(error.code, String(use)).toBe('busy');
      expect(error.message).toBe(
        'The trainer is already running.\nTo mend: await the run before starting another, or abort it with its signal.',
      );
    }
  });
  expect(disturbed).toEqual(undisturbed);
});

test('a shader that does not compile says where, and the old kernel stays', async () => {
  const device = await testDevice();
  const model = await smallModel(device);
  const trainer = await createTrainer(model, options);
  const { plan } = trainer;
  const step = plan.steps.findIndex(({ kernel }) => kernel.name.startsWith('adam'));
  const { source } = (plan.steps[step] as PlanStep).kernel;
  const lines = source.split('\n');
  const line = lines.findIndex((text) => text.includes('@compute'));
  lines.splice(line, 0, '  fn broken( {');
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = await refusal(() => plan.replaceKernel(step, lines.join('\n')));
    expect(error.code).toBe('shader-invalid');
    const [message, mend] = error.message.split('\n');
    expect(message).toMatch(new RegExp(`^adam\\.\\w+: the shader does not compile: ${line + 1}:\\d+ .+`));
    expect(mend).toBe('To mend: correct the WGSL at the line and column given.');
    expect(error.parameters.kernel).toMatch(/^adam\./);
    expect((error.parameters.errors as string[])[0]).toMatch(new RegExp(`^${line + 1}:\\d+ `));
  }
  expect(plan.modified).toBe(false);
  expect(plan.steps[step]?.kernel.source).toBe(source);
  await trainer.run(7);
  const twinModel = await smallModel(device);
  const twin = await createTrainer(twinModel, options);
  await twin.run(7);
  expect(await bits(model)).toEqual(await bits(twinModel));
  for (const each of [trainer, twin, model, twinModel]) each.dispose();
});

describe('predictions that run side by side', () => {
  test('do not mix, even on one plan', async () => {
    const model = await smallModel(await testDevice());
    const inputs = [1, 2, 3, 4, 5].map((seed) => clusters(3, 8, 3, seed).inputs as Float32Array);
    const alone: number[][] = [];
    for (const x of inputs) {
      const y = await model.predict(x);
      alone.push([...(await y.read())]);
      y.dispose();
    }
    const together = await Promise.all(inputs.map((x) => model.predict(x)));
    expect(await Promise.all(together.map(async (y) => [...(await y.read())]))).toEqual(alone);
    for (const y of together) y.dispose();
    model.dispose();
  });

  test('are read as they were when they were asked for', async () => {
    const device = await testDevice();
    const graph = new Graph();
    const x = graph.placeholder('x', [2]);
    const y = reluNode(x);
    const plan = await compile(device, [y]);
    const results: Promise<Float32Array>[] = [];
    for (const value of [1, 2, 3]) {
      plan.tensor(x).write(Float32Array.of(value, -value));
      plan.run();
      results.push(plan.tensor(y).read());
    }
    expect((await Promise.all(results)).map((values) => [...values])).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
    plan.dispose();
  });
});

describe('checkNumber and checkWhole', () => {
  const messageOf = (call: () => void): string => {
    try {
      call();
    } catch (error) {
      expect((error as VitrineError).code).toBe('invalid-option');
      return (error as Error).message;
    }
    return '';
  };
  test('take what is in range, its ends included', () => {
    for (const value of [0, 0.5, 1]) checkNumber('share', value, 0, 1);
    for (const value of [1, 2, Number.MAX_SAFE_INTEGER]) checkWhole('count', value, 1);
  });

  test.each<[() => void, string]>([
    [() => checkNumber('share', 1.1, 0, 1), 'share is 1.1; it must be a number between 0 and 1.\nTo mend: pass a number between 0 and 1.'],
    [() => checkNumber('rate', -1, 0), 'rate is -1; it must be a number at least 0.\nTo mend: pass a number at least 0.'],
    [
      () => checkNumber('rate', Number.POSITIVE_INFINITY, 0),
      'rate is Infinity; it must be a number at least 0.\nTo mend: pass a number at least 0.',
    ],
    [
      () => checkNumber('rate', '1' as unknown as number, 0),
      'rate is "1"; it must be a number at least 0.\nTo mend: pass a number at least 0.',
    ],
    [
      () => checkNumber('rate', null as unknown as number, 0),
      'rate is null; it must be a number at least 0.\nTo mend: pass a number at least 0.',
    ],
    [() => checkWhole('count', 1.5, 1), 'count is 1.5; it must be a whole number.\nTo mend: pass a whole number.'],
    [() => checkWhole('count', 2 ** 53, 1), 'count is 9007199254740992; it must be a whole number.\nTo mend: pass a whole number.'],
    [() => checkWhole('count', 9, 1, 8), 'count is 9; it must be a number between 1 and 8.\nTo mend: pass a number between 1 and 8.'],
  ])('refuse the rest: %#', (call, message) => {
    expect(messageOf(call)).toBe(message);
  });
});

test('a fault of the engine says so, and in which file', () => {
  const error = internal('plan.ts', 'step 3 has no pipeline');
  expect(error).toMatchObject({ name: 'VitrineError', code: 'internal', parameters: { file: 'plan.ts' } });
  expect(error.message).toBe(
    'internal: plan.ts: step 3 has no pipeline\nTo mend: report this with the steps that led here; it is a fault of the engine.',
  );
});
