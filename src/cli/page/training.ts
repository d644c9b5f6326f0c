import { show } from '../../engine/errors.ts';
import {
  adam,
  buildModel,
  createTrainer,
  type Dataset,
  type Device,
  type History,
  loadModel,
  type Model,
  type Plan,
  registerBuiltInLayers,
  type Trainer,
  type TunedClass,
  tune,
  VitrineError,
} from '../../engine/index.ts';
import { elements } from '../../engine/operation.ts';
import type { TrainEvent, TrainParameters } from '../train-task.ts';
import { DATA, MODELS } from './recipes.ts';

/** How often progress crosses to the terminal. */
const REPORT_MILLISECONDS = 100;

/** Loads a data set by name and tells how far it is. */
export async function loadData(
  name: TrainParameters['data'],
  report: (event: TrainEvent) => void,
): Promise<{ train: Dataset; test: Dataset }> {
  report({ kind: 'stage', text: `Loading ${name}` });
  return DATA[name]((loaded, total) => {
    const share = total ? ` ${Math.floor((100 * loaded) / total)} %` : '';
    report({ kind: 'stage', text: `Loading ${name}${share}` });
  });
}

/** Trains the network of a command on data that is loaded and tells how it goes; undefined where the signal ended it. */
export async function trainNetwork(
  device: Device,
  task: TrainParameters,
  { train, test }: { readonly train: Dataset; readonly test: Dataset },
  report: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<{ trainer: Trainer; history: History; trainingExamples: number; tuning?: readonly TunedClass[] } | undefined> {
  report({ kind: 'stage', text: 'Compiling the kernels' });
  const { inputShape, classes = [] } = train;
  const model = await buildModel(device, { inputShape: [...inputShape], layers: MODELS[task.model](classes.length), seed: task.seed });
  const options = {
    data: train,
    loss: 'crossEntropy',
    optimizer: adam(),
    batchSize: task.batch,
    validationSplit: task.validationSplit,
  } as const;
  let trainer = await createTrainer(model, options);
  let tuning: readonly TunedClass[] | undefined;
  if (task.tune) {
    await trainer.run(1);
    const found = await tune(device, [trainer.gatherPlan as Plan, trainer.plan], {
      signal,
      onTrial: (key, variant) => report({ kind: 'stage', text: `Tuning ${key}: ${variant}` }),
    });
    tuning = found.classes;
    await trainer.reset();
    trainer.dispose();
    trainer = await createTrainer(model, { ...options, variants: found.variants });
  }
  const validationExamples = Math.floor(train.size * task.validationSplit);
  const trainingExamples = train.size - validationExamples;
  const adapter = adapterName(device);
  report({ kind: 'ready', adapter, parameters: model.parameterCount, trainingExamples, validationExamples, testExamples: test.size });

  const history = await fitAndReport(trainer, task, report, signal);
  if (!history) return undefined;
  return { trainer, history, trainingExamples, ...(tuning ? { tuning } : {}) };
}

/** Trains to the end and tells how it goes; undefined where the signal ended it. */
export async function fitAndReport(
  trainer: Trainer,
  { epochs, validationSplit }: { readonly epochs: number; readonly validationSplit: number },
  report: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<History | undefined> {
  let lastReport = 0;
  const history = await trainer.fit({
    epochs,
    validationSplit,
    signal,
    onProgress: (progress) => {
      const now = performance.now();
      if (now - lastReport < REPORT_MILLISECONDS && progress.step < progress.steps) return;
      lastReport = now;
      const { epoch, epochs, step, steps, loss, accuracy, samplesPerSecond, secondsLeft } = progress;
      report({ kind: 'progress', epoch, epochs, step, steps, loss, accuracy, samplesPerSecond, secondsLeft });
    },
    onEpoch: (epoch) => report({ kind: 'epoch', epochs, ...epoch }),
  });
  if (signal.aborted) return undefined;
  if (history.epochs.length === 0 || history.stopped) {
    const why = history.stopped ?? 'no epoch was finished';
    throw new Error(`Training stopped: ${why}.\nTo mend: lower the learning rate, or look at the data.`);
  }
  return history;
}

/** The model of a command: read from a file in base64 where one is given, else trained; undefined where the signal ended it. */
export async function modelOf(
  device: Device,
  task: { readonly train: TrainParameters; readonly model?: string },
  data: { readonly train: Dataset; readonly test: Dataset },
  report: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<Model | undefined> {
  if (task.model === undefined) return (await trainNetwork(device, task.train, data, report, signal))?.trainer.model;
  registerBuiltInLayers();
  const model = await loadModel(
    device,
    Uint8Array.from(atob(task.model), (sign) => sign.charCodeAt(0)),
  );
  requireFit(model, data.test);
  return model;
}

/** Refuses a model from a file that was made for other data. @throws VitrineError `shape-mismatch` */
export function requireFit({ spec, classes }: Pick<Model, 'spec' | 'classes'>, data: Dataset): void {
  const mend = 'pass the --data that the model was trained on, or a model that was trained on this --data.';
  if (elements(spec.inputShape) !== elements(data.inputShape) || spec.inputType === 'uint32') {
    const what = spec.inputType === 'uint32' ? 'token indices' : 'examples';
    throw new VitrineError(
      'shape-mismatch',
      `--model takes ${what} of ${show(spec.inputShape)}, but an example of ${data.name} is ${show(data.inputShape)}.`,
      mend,
      { inputShape: spec.inputShape, exampleShape: data.inputShape },
    );
  }
  if (classes !== undefined && data.classes && classes !== data.classes.length) {
    throw new VitrineError('shape-mismatch', `--model has ${classes} outputs, but ${data.name} has ${data.classes.length} classes.`, mend, {
      outputs: classes,
      classes: data.classes.length,
    });
  }
}

/** `google swiftshader`: what the browser tells of the adapter. */
export function adapterName(device: Device): string {
  const { vendor, architecture, description } = device.info;
  return [vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed';
}

/** The values of one example of a data set, as the network sees them. */
export function exampleOf(data: Dataset, index: number): Float32Array<ArrayBuffer> {
  const size = data.inputShape.reduce((product, dimension) => product * dimension, 1);
  const scale = data.inputs instanceof Uint8Array ? 1 / (data.divisor ?? 255) : 1;
  return Float32Array.from(data.inputs.subarray(index * size, (index + 1) * size), (value) => value * scale);
}

/** The values of `count` examples from `first` on, as the network sees them. */
export function examplesOf(data: Dataset, first: number, count: number): Float32Array<ArrayBuffer> {
  const size = data.inputShape.reduce((product, dimension) => product * dimension, 1);
  const values = new Float32Array(count * size);
  for (let i = 0; i < count; i++) values.set(exampleOf(data, first + i), i * size);
  return values;
}
