import { describe, expect, test } from 'vitest';
import { loadModel, loadSnapshot, saveModel, saveSnapshot } from '../../src/engine/checkpoint.ts';
import { VitrineError } from '../../src/engine/errors.ts';
import { dense, dropout, embedding, flatten, gelu, layerNorm, relu, sigmoid, softmax, tanh } from '../../src/engine/layers.ts';
import { buildModel, type Model, type ModelSpec } from '../../src/engine/model.ts';
import { adamW, sgd } from '../../src/engine/optimizers.ts';
import { decodeSafetensors, encodeSafetensors, type TensorToStore } from '../../src/engine/safetensors.ts';
import type { FullSnapshot } from '../../src/engine/snapshot.ts';
import { createTrainer, type Trainer } from '../../src/engine/trainer.ts';
import { bits, clusters, smallModel } from './fixtures.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

const wordsOf = (values: Float32Array): number[] => [...new Uint32Array(values.slice().buffer)];

/** A reader of the format that shares no line with the engine's. */
function independentlyRead(file: Uint8Array): { header: Record<string, Record<string, unknown>>; values: (name: string) => number[] } {
  let length = 0;
  for (let i = 7; i >= 0; i--) length = length * 256 + (file[i] as number);
  const header = JSON.parse(String.fromCharCode(...file.slice(8, 8 + length)));
  return {
    header,
    values: (name) => {
      const [begin, end] = header[name].data_offsets;
      const view = new DataView(file.slice(8 + length + begin, 8 + length + end).buffer);
      return Array.from({ length: (end - begin) / 4 }, (_, i) => view.getFloat32(4 * i, true));
    },
  };
}

/** A model of one dense layer, with weights that are known. */
async function tinyModel(): Promise<Model> {
  const model = await buildModel(await testDevice(), { inputShape: [2], layers: [dense(1)], seed: 3 });
  model.parameters.get('dense_1/weight')?.write(Float32Array.of(1, -2));
  model.parameters.get('dense_1/bias')?.write(Float32Array.of(0.5));
  return model;
}

describe('a saved model', () => {
  test('is known byte for byte', async () => {
    const model = await tinyModel();
    const bytes = await saveModel(model);
    model.dispose();
    const spec = '{"inputShape":[2],"layers":[{"kind":"dense","options":{"units":1}}],"seed":3,"inputType":"float32"}';
    const header = [
      `{"__metadata__":${JSON.stringify({ vitrine: `{"version":1,"kind":"model","spec":${spec}}` })}`,
      '"dense_1/weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}',
      '"dense_1/bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}',
    ].join(',');
    const padded = header.padEnd(8 * Math.ceil(header.length / 8));
    const length = [padded.length % 256, Math.floor(padded.length / 256), 0, 0, 0, 0, 0, 0];
    const values = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f];
    expect([...bytes]).toEqual([...length, ...new TextEncoder().encode(padded), ...values]);
  });

  test('is read by any reader of safetensors, each parameter by its name', async () => {
    const model = await smallModel(await testDevice());
    const { header, values } = independentlyRead(await saveModel(model));
    expect(Object.keys(header)).toEqual(['__metadata__', ...model.parameters.keys()]);
    expect(Object.values(header.__metadata__ as object).every((value) => typeof value === 'string')).toBe(true);
    for (const [name, parameter] of model.parameters) {
      expect(header[name]).toMatchObject({ dtype: 'F32', shape: parameter.shape });
      expect(values(name)).toEqual([...(await parameter.read())]);
    }
    model.dispose();
  });

  const everyKind: ModelSpec = {
    inputShape: [3],
    inputType: 'uint32',
    seed: 0xffffffff,
    layers: [
      embedding(5, 4, { name: 'words' }),
      layerNorm({ epsilon: 1e-3 }),
      flatten(),
      dense(6, { activation: 'geluTanh', initializer: { kind: 'normal', deviation: 0.1 } }),
      dropout(0.25),
      gelu({ approximate: 'tanh' }),
      dense(5, { initializer: 'heUniform' }),
      relu(),
      tanh({ name: 'squash' }),
      sigmoid(),
      dense(2),
      softmax(),
    ],
  };

  test('is the same model when it is loaded: specification, parameters and predictions, bit for bit', async () => {
    const device = await testDevice();
    const model = await buildModel(device, everyKind);
    const loaded = await loadModel(device, await saveModel(model));
    expect(loaded.spec).toEqual(everyKind);
    expect(loaded.summary()).toBe(model.summary());
    expect(await bits(loaded)).toEqual(await bits(model));
    const x = Uint32Array.of(0, 1, 2, 4, 3, 0);
    const [before, after] = await Promise.all([model.predict(x), loaded.predict(x)]);
    expect(wordsOf(await after.read())).toEqual(wordsOf(await before.read()));
    for (const each of [before, after, model, loaded]) each.dispose();
  });

  test('has frozen layers, as one that was built', async () => {
    const model = await buildModel(await testDevice(), everyKind);
    const loaded = await loadModel(model.device, await saveModel(model));
    expect(loaded.spec.layers.every((layer) => Object.isFrozen(layer) && Object.isFrozen(layer.options))).toBe(true);
    model.dispose();
    loaded.dispose();
  });

  test('gives the same bytes again, from an ArrayBuffer or from the middle of one', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    const bytes = await saveModel(model);
    const moved = new Uint8Array(bytes.length + 5);
    moved.set(bytes, 5);
    for (const given of [bytes, bytes.buffer, moved.subarray(5)]) {
      const loaded = await loadModel(device, given);
      expect(await saveModel(loaded)).toEqual(bytes);
      loaded.dispose();
    }
    model.dispose();
  });

  test('goes on training from the weights that it was saved with', async () => {
    const device = await testDevice();
    const data = clusters(40, 8, 3);
    const model = await smallModel(device);
    const first = await createTrainer(model, { data, batchSize: 8, optimizer: sgd({ learningRate: 0.05 }) });
    await first.run(7);
    const bytes = await saveModel(model);
    first.dispose();
    const ends = [];
    for (const each of [model, await loadModel(device, bytes)]) {
      const trainer = await createTrainer(each, { data, batchSize: 8, optimizer: sgd({ learningRate: 0.05 }) });
      await trainer.run(5);
      ends.push(await bits(each));
      trainer.dispose();
      each.dispose();
    }
    expect(ends[1]).toEqual(ends[0]);
  });

  test('holds what training has made of the model, not its first weights', async () => {
    const model = await tinyModel();
    const trainer = await createTrainer(model, { loss: 'meanSquaredError', batchSize: 1 });
    await trainer.trainOnBatch([1, 1], [4]);
    const { tensors } = decodeSafetensors(await saveModel(model));
    expect(tensors.get('dense_1/weight')?.values).toEqual(await model.parameters.get('dense_1/weight')?.read());
    expect(tensors.get('dense_1/weight')?.values).not.toEqual(Float32Array.of(1, -2));
    trainer.dispose();
    model.dispose();
  });
});

describe('a model is not saved', () => {
  test('with a parameter that is not finite', async () => {
    const model = await tinyModel();
    model.parameters.get('dense_1/weight')?.write(Float32Array.of(1, Number.NaN));
    const error: VitrineError = await saveModel(model).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.code).toBe('non-finite-data');
    expect(error.parameters).toEqual({ name: 'dense_1/weight', index: 1 });
    expect(error.message).toBe('dense_1/weight: value 1 is NaN.\nTo mend: save the model as it was before its training went wrong.');
    model.dispose();
  });

  test.each([
    [
      'layers[0].options.notes.limits[1] is Infinity',
      { kind: 'dense', options: { units: 1, notes: { limits: [0, Number.POSITIVE_INFINITY] } } },
    ],
    ['layers[0].options.table is a Float32Array', { kind: 'dense', options: { units: 1, table: Float32Array.of(1) } }],
    ['layers[0].options.callback is a function', { kind: 'dense', options: { units: 1, callback: () => 1 } }],
  ])('with an option that JSON would lose: %s', async (what, layer) => {
    const model = await buildModel(await testDevice(), { inputShape: [2], layers: [layer] });
    for (const parameter of model.parameters.values()) parameter.write(new Float32Array(parameter.length));
    const error: VitrineError = await saveModel(model).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.code).toBe('invalid-option');
    expect(error.message).toBe(
      `${what}, which a file cannot hold.\nTo mend: use numbers, texts, lists and plain objects as options of layers.`,
    );
    model.dispose();
  });

  test('after it was disposed of', async () => {
    const model = await tinyModel();
    model.dispose();
    await expect(saveModel(model)).rejects.toMatchObject({ code: 'tensor-disposed' });
  });
});

const weight: TensorToStore = { name: 'dense_1/weight', shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) };
const bias: TensorToStore = { name: 'dense_1/bias', shape: [3], values: new Float32Array(3) };
const spec = { inputShape: [2], layers: [{ kind: 'dense', options: { units: 3 } }], seed: 0, inputType: 'float32' };
const about = { version: 1, kind: 'model', spec };

const file = (what: unknown, tensors: readonly TensorToStore[] = [weight, bias]): Uint8Array<ArrayBuffer> =>
  encodeSafetensors(tensors, { vitrine: typeof what === 'string' ? what : JSON.stringify(what) });
const withLayers = (...layers: unknown[]): Uint8Array<ArrayBuffer> => file({ ...about, spec: { ...spec, layers } });

const damaged = (what: string): [string, string, string] => ['bad-file', `The file is damaged: ${what}.`, 'load another copy of the file.'];
const cannotBeBuilt = (why: string): [string, string, string] => [
  'bad-file',
  `The file's architecture cannot be built: ${why}`,
  'load another copy of the file, or mend the architecture in its metadata.',
];

describe('loadModel refuses, and leaves nothing on the device,', () => {
  const cases: Record<string, [bytes: Uint8Array, refusal: [code: string, message: string, mend: string]]> = {
    'a file that was cut off': [
      file(about).subarray(0, -4),
      ['bad-file', 'The tensors take 36 bytes, but the file ends after 32 of them.', 'copy or download the file again; it was cut off.'],
    ],
    'a foreign file, saying what it holds and how to use it': [
      encodeSafetensors(
        [
          { ...weight, name: 'fc.weight' },
          { ...bias, name: 'fc.bias' },
          { ...bias, name: 'a' },
          { ...bias, name: 'b' },
        ],
        { format: 'pt' },
      ),
      [
        'bad-file',
        "The file holds 4 tensors (fc.weight F32 [2, 3], fc.bias F32 [3], a F32 [3], …), but no architecture of Vitrine's.",
        "build the model with buildModel(), read the file with decodeSafetensors() and write() each tensor to its place in model.parameters; a weight of PyTorch's Linear is [outputs, inputs], so transpose it.",
      ],
    ],
    'a file without any tensor or architecture': [
      encodeSafetensors([], {}),
      [
        'bad-file',
        "The file holds 0 tensors, but no architecture of Vitrine's.",
        "build the model with buildModel(), read the file with decodeSafetensors() and write() each tensor to its place in model.parameters; a weight of PyTorch's Linear is [outputs, inputs], so transpose it.",
      ],
    ],
    'metadata that is no JSON': [file('{"version":'), damaged('its metadata is not the JSON that saveModel() and saveSnapshot() write')],
    'metadata without a version': [
      file({ kind: 'model', spec }),
      damaged('its metadata is not the JSON that saveModel() and saveSnapshot() write'),
    ],
    'a newer version of the format': [
      file({ ...about, version: 2 }),
      ['bad-file', 'The file was written in version 2 of the format; this Vitrine reads up to 1.', 'load it with a newer Vitrine.'],
    ],
    'a snapshot': [
      file({ ...about, kind: 'full' }),
      ['bad-file', 'The file holds a full snapshot of training, not a model.', 'load it with loadSnapshot().'],
    ],
    'what a newer version may hold': [
      file({ ...about, kind: 'constructor' }),
      ['bad-file', "The file holds 'constructor', not a model.", 'load it with a newer Vitrine.'],
    ],
    'no architecture': [file({ version: 1, kind: 'model' }), damaged('its inputShape is not a list of whole numbers')],
    'an inputShape that is no list of sizes': [
      file({ ...about, spec: { ...spec, inputShape: [2.5] } }),
      damaged('its inputShape is not a list of whole numbers'),
    ],
    'a seed beyond 32 bits': [file({ ...about, spec: { ...spec, seed: 2 ** 32 } }), damaged('its seed is not a whole number below 2³²')],
    'an unknown type of input': [
      file({ ...about, spec: { ...spec, inputType: 'int8' } }),
      damaged("its inputType is neither 'float32' nor 'uint32'"),
    ],
    'layers that are no list': [file({ ...about, spec: { ...spec, layers: 'dense' } }), damaged('it has no list of layers')],
    'a layer without options': [withLayers({ kind: 'dense' }), damaged('layer 1 is not { kind, name?, options }')],
    'a layer whose name is a number': [
      withLayers({ kind: 'dense', name: 1, options: { units: 3 } }),
      damaged('layer 1 is not { kind, name?, options }'),
    ],
    'no layers at all': [withLayers(), cannotBeBuilt('The model has no layers.')],
    'an option of the wrong type': [
      withLayers({ kind: 'dense', options: { units: '3' } }),
      cannotBeBuilt('dense_1: units is "3"; it must be a number at least 1.'),
    ],
    'an option that is missing': [
      withLayers({ kind: 'dense', options: {} }),
      cannotBeBuilt('dense_1: units is undefined; it must be a number at least 1.'),
    ],
    'an activation of another version': [
      withLayers({ kind: 'dense', options: { units: 3, activation: 'swish' } }),
      cannotBeBuilt("dense_1: there is no activation 'swish'."),
    ],
    'an activation that is a name of every object': [
      withLayers({ kind: 'dense', options: { units: 3, activation: 'constructor' } }),
      cannotBeBuilt("dense_1: there is no activation 'constructor'."),
    ],
    'an initialiser of another version': [
      withLayers({ kind: 'dense', options: { units: 3, initializer: 'orthogonal' } }),
      cannotBeBuilt('dense_1/weight: there is no initialiser "orthogonal".'),
    ],
    'two layers of one name': [
      withLayers({ kind: 'dense', name: 'a', options: { units: 3 } }, { kind: 'relu', name: 'a', options: {} }),
      cannotBeBuilt("Two layers or parameters are called 'a'."),
    ],
    'a tensor of another type': [
      file(about, [weight, { ...bias, values: new Uint32Array(3) }]),
      ['bad-file', 'dense_1/bias is U32 in the file; it must be F32.', 'convert it to F32.'],
    ],
    'a missing tensor': [
      file(about, [weight]),
      ['bad-file', 'dense_1/bias [3] is not in the file.', 'save it again; a tensor was taken out of this file.'],
    ],
    'a tensor too many': [
      file(about, [weight, bias, { ...bias, name: 'dense_2/bias' }]),
      [
        'bad-file',
        'dense_2/bias [3] is in the file, but has no place in its architecture.',
        'save it again; a tensor was added to this file.',
      ],
    ],
    'a tensor of another shape': [
      file(about, [{ ...weight, shape: [3, 2] }, bias]),
      [
        'shape-mismatch',
        'dense_1/weight is [3, 2] in the file, but [2, 3] in its architecture.',
        'save it again; the file does not fit together.',
      ],
    ],
    'an architecture far larger than the file': [
      withLayers({ kind: 'dense', options: { units: 1e9 } }),
      [
        'shape-mismatch',
        'dense_1/weight is [2, 3] in the file, but [2, 1000000000] in its architecture.',
        'save it again; the file does not fit together.',
      ],
    ],
    'a value that is not finite': [
      file(about, [{ ...weight, values: Float32Array.of(1, 2, Number.NEGATIVE_INFINITY, 4, 5, 6) }, bias]),
      ['non-finite-data', 'dense_1/weight: value 2 is -Infinity.', 'save the model as it was before its training went wrong.'],
    ],
  };
  test.each(Object.entries(cases))('%s', async (_name, [bytes, [code, message, mend]]) => {
    const device = await testDevice();
    const before = { ...device.memory };
    const error: VitrineError = await loadModel(device, bytes).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(VitrineError);
    expect(error.message).toBe(`${message}\nTo mend: ${mend}`);
    expect(error.code).toBe(code);
    expect(device.memory).toEqual(before);
  });

  test('a layer of a newer version, naming it and those that are known', async () => {
    const device = await testDevice();
    const before = { ...device.memory };
    const bytes = withLayers({ kind: 'mamba', options: { width: 3 } });
    const error: VitrineError = await loadModel(device, bytes).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.code).toBe('unknown-layer');
    expect(error.parameters.kind).toBe('mamba');
    const [message, mend] = error.message.split('\n');
    expect(message).toBe("The file has a layer of the kind 'mamba', which this Vitrine does not know.");
    expect(mend).toMatch(
      /^To mend: load it with the Vitrine that saved it, or defineLayer\(\) the kind first; known are .*\bdense, dropout, .*softmax.*\.$/,
    );
    expect(device.memory).toEqual(before);
  });

  test('a model that does not fit the memory of the GPU', async () => {
    const device = await testDevice();
    const before = device.memory.bytes;
    const { gpu } = device;
    const real = gpu.popErrorScope;
    let popped = 0;
    gpu.popErrorScope = async () => {
      await real.call(gpu);
      popped += 1;
      return popped === 2 ? new GPUOutOfMemoryError('simulated') : null;
    };
    const loading = loadModel(device, file(about)).finally(() => {
      gpu.popErrorScope = real;
    });
    await expect(loading).rejects.toMatchObject({ code: 'out-of-memory' });
    expect(device.memory.bytes).toBe(before);
    (await loadModel(device, file(about))).dispose();
  });

  test('and loads what is sound: the file of all these cases, before it was spoilt', async () => {
    const model = await loadModel(await testDevice(), file(about, [bias, weight]));
    const y = await model.predict([1, 1]);
    expect([...(await y.read())]).toEqual([5, 7, 9]);
    y.dispose();
    model.dispose();
  });
});

describe('a saved snapshot', () => {
  const data = clusters(50, 8, 3);
  const options = { data, batchSize: 8, optimizer: adamW({ learningRate: 0.01 }), seed: 5 };

  async function halfway(): Promise<{ model: Model; trainer: Trainer; snapshot: FullSnapshot }> {
    const model = await smallModel(await testDevice(), { dropoutRate: 0.2 });
    const trainer = await createTrainer(model, options);
    await trainer.run(5);
    trainer.setLearningRate(1 / 300);
    trainer.setFrozen(['dense_1/bias'], true);
    await trainer.run(6);
    return { model, trainer, snapshot: await trainer.snapshot() };
  }

  test('holds all of a full snapshot, and goes on with the same bits in another trainer', async () => {
    const { model, trainer, snapshot } = await halfway();
    const bytes = saveSnapshot(snapshot);
    const loaded = loadSnapshot(bytes);
    expect(loaded).toEqual(snapshot);
    expect(saveSnapshot(loaded)).toEqual(bytes);
    await trainer.run(9);
    const expected = await bits(model);
    trainer.dispose();
    model.dispose();

    const other = await smallModel(await testDevice(), { dropoutRate: 0.2, seed: 99 });
    const next = await createTrainer(other, options);
    await next.restore(loaded);
    expect(next.learningRate).toBe(1 / 300);
    await next.run(9);
    expect(await bits(other)).toEqual(expected);
    next.dispose();
    other.dispose();
  });

  test('holds a view snapshot, with the step that it was taken at', async () => {
    const { model, trainer } = await halfway();
    const view = await trainer.snapshot({ view: true });
    expect(loadSnapshot(saveSnapshot(view))).toEqual(view);
    expect(view.step).toBe(11);
    trainer.dispose();
    model.dispose();
  });

  test('is known by its tensors: parameters, moments and state, flat', async () => {
    const { model, trainer, snapshot } = await halfway();
    const { tensors, metadata } = decodeSafetensors(saveSnapshot(snapshot));
    const floats = model.flatParameters.length;
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['parameters', 'F32', [floats]],
      ['moments/0', 'F32', [floats]],
      ['moments/1', 'F32', [floats]],
      ['state', 'U32', [snapshot.state.length]],
    ]);
    expect(JSON.parse(metadata.vitrine as string)).toMatchObject({
      version: 1,
      kind: 'full',
      step: 11,
      journal: [
        { step: 5, key: 'learningRate', value: 1 / 300 },
        { step: 5, key: 'freeze', value: ['dense_1/bias'] },
      ],
      data: snapshot.data,
    });
    trainer.dispose();
    model.dispose();
  });

  const floats = Float32Array.of(1, 2);
  const state = new Uint32Array(32);
  const small: FullSnapshot = { kind: 'full', step: 4, parameters: floats, moments: [floats], state, variants: {}, journal: [] };

  test('keeps NaN and infinity: a run that went wrong may be what is to be looked at', () => {
    const parameters = Float32Array.of(Number.NaN, Number.NEGATIVE_INFINITY);
    expect(wordsOf(loadSnapshot(saveSnapshot({ ...small, parameters })).parameters)).toEqual(wordsOf(parameters));
  });

  const tensors: TensorToStore[] = [
    { name: 'parameters', shape: [2], values: floats },
    { name: 'moments/0', shape: [2], values: floats },
    { name: 'state', shape: [32], values: state },
  ];
  const told = { version: 1, kind: 'full', step: 4, variants: {}, journal: [] };
  const refusals: Record<string, [bytes: Uint8Array, refusal: [code: string, message: string, mend: string]]> = {
    'when it is a model': [
      file(about),
      ['bad-file', 'The file holds a model, not a full snapshot of training.', 'load it with loadModel().'],
    ],
    'without a step': [file({ ...told, step: -1 }, tensors), damaged('its step is not a whole number')],
    'with variants that are no names': [
      file({ ...told, variants: { matmul: 3 } }, tensors),
      damaged('its variants are not a table of names'),
    ],
    'with a change of an unknown kind': [
      file({ ...told, journal: [{ step: 1, key: 'batchSize', value: 3 }] }, tensors),
      damaged('its journal is not a list of changes'),
    ],
    'with a learning rate that is no number': [
      file({ ...told, journal: [{ step: 1, key: 'learningRate', value: null }] }, tensors),
      damaged('its journal is not a list of changes'),
    ],
    'with a fingerprint that is no text': [file({ ...told, data: 3 }, tensors), damaged('its fingerprint of the data is not a text')],
    'without its parameters': [
      file(told, tensors.slice(1)),
      ['bad-file', 'parameters is not in the file.', 'save it again; a tensor was taken out of this file.'],
    ],
    'without its state': [
      file(told, tensors.slice(0, 2)),
      ['bad-file', 'state [32] is not in the file.', 'save it again; a tensor was taken out of this file.'],
    ],
    'with a moment of another length': [
      file(told, [tensors[0] as TensorToStore, { name: 'moments/0', shape: [1], values: Float32Array.of(1) }, tensors[2] as TensorToStore]),
      ['shape-mismatch', 'moments/0 is [1] in the file, but [2] in its architecture.', 'save it again; the file does not fit together.'],
    ],
    'with a gap in its moments': [
      file(told, [...tensors, { name: 'moments/2', shape: [2], values: floats }]),
      ['bad-file', 'moments/2 [2] is in the file, but has no place in a full snapshot.', 'save it again; a tensor was added to this file.'],
    ],
    'when it is for viewing but has moments': [
      file({ version: 1, kind: 'view', step: 4 }, tensors),
      ['bad-file', 'moments/0 [2] is in the file, but has no place in a view snapshot.', 'save it again; a tensor was added to this file.'],
    ],
  };
  test.each(Object.entries(refusals))('is refused %s', (_name, [bytes, [code, message, mend]]) => {
    let error: unknown;
    try {
      loadSnapshot(bytes);
    } catch (thrown) {
      error = thrown;
    }
    expect((error as Error | undefined)?.message).toBe(`${message}\nTo mend: ${mend}`);
    expect((error as VitrineError).code).toBe(code);
  });
});
