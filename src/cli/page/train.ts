import { activationPicture } from '../../data/picture.ts';
import { adam, buildModel, createTrainer, type Dataset, type Device, type Model, openDevice, saveModel } from '../../engine/index.ts';
import type { TrainEvent, TrainParameters, TrainResult } from '../train-task.ts';
import { hostTask } from './host.ts';
import { DATA, MODELS } from './recipes.ts';

/** How often progress crosses to the terminal. */
const REPORT_MILLISECONDS = 100;

/** The example of the test set that the picture shows: MNIST's first, a seven. */
const PICTURED_EXAMPLE = 0;

/** Trains one network as the command asked, tells how it goes and returns what was measured. */
async function train(task: TrainParameters, report: (event: TrainEvent) => void, signal: AbortSignal): Promise<TrainResult> {
  report({ kind: 'stage', text: `Loading ${task.data}` });
  const { train, test } = await DATA[task.data]((loaded, total) => {
    const share = total ? ` ${Math.floor((100 * loaded) / total)} %` : '';
    report({ kind: 'stage', text: `Loading ${task.data}${share}` });
  });
  if (signal.aborted) return {};

  report({ kind: 'stage', text: 'Compiling the kernels' });
  const device = await openDevice();
  const { inputShape, classes = [] } = train;
  const model = await buildModel(device, { inputShape: [...inputShape], layers: MODELS[task.model](classes.length), seed: task.seed });
  const trainer = await createTrainer(model, {
    data: train,
    loss: 'crossEntropy',
    optimizer: adam(),
    batchSize: task.batch,
    validationSplit: task.validationSplit,
  });
  const adapter = adapterName(device);
  const validationExamples = Math.floor(train.size * task.validationSplit);
  const trainingExamples = train.size - validationExamples;
  report({ kind: 'ready', adapter, parameters: model.parameterCount, trainingExamples, validationExamples, testExamples: test.size });

  let lastReport = 0;
  const history = await trainer.fit({
    epochs: task.epochs,
    validationSplit: task.validationSplit,
    signal,
    onProgress: (progress) => {
      const now = performance.now();
      if (now - lastReport < REPORT_MILLISECONDS && progress.step < progress.steps) return;
      lastReport = now;
      const { epoch, epochs, step, steps, loss, accuracy, samplesPerSecond, secondsLeft } = progress;
      report({ kind: 'progress', epoch, epochs, step, steps, loss, accuracy, samplesPerSecond, secondsLeft });
    },
    onEpoch: (epoch) => report({ kind: 'epoch', epochs: task.epochs, ...epoch }),
  });
  if (signal.aborted) return {};
  const last = history.epochs.at(-1);
  if (!last || history.stopped) {
    const why = history.stopped ?? 'no epoch was finished';
    throw new Error(`Training stopped: ${why}.\nTo mend: lower the learning rate, or look at the data.`);
  }
  const seconds = history.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);

  report({ kind: 'stage', text: 'Testing' });
  const { loss: testLoss, accuracy: testAccuracy } = await trainer.evaluate(test);
  const kept = task.keep ? { model: await saveModel(model), picture: await pictureOf(model, test) } : {};
  const summary = {
    data: task.data,
    model: task.model,
    parameters: model.parameterCount,
    epochs: task.epochs,
    batch: task.batch,
    seed: task.seed,
    variants: { ...trainer.plan.variants },
    trainLoss: last.loss,
    validationAccuracy: last.validationAccuracy ?? null,
    testLoss,
    testAccuracy,
    seconds,
    samplesPerSecond: (trainingExamples * task.epochs) / seconds,
    adapter,
  };
  device.destroy();
  return { summary, ...kept };
}

/** `google swiftshader`: what the browser tells of the adapter. */
function adapterName(device: Device): string {
  const { vendor, architecture, description } = device.info;
  return [vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed';
}

/** The activations of every layer for one example, as a PNG. */
async function pictureOf(model: Model, test: Dataset): Promise<Uint8Array> {
  const size = test.inputShape.reduce((product, dimension) => product * dimension, 1);
  const scale = test.inputs instanceof Uint8Array ? 1 / (test.divisor ?? 255) : 1;
  const input = Float32Array.from(test.inputs.subarray(PICTURED_EXAMPLE * size, (PICTURED_EXAMPLE + 1) * size), (value) => value * scale);
  const layers: { name: string; shape: readonly number[]; values: Float32Array }[] = [];
  for (const [name, tensor] of await model.activations(input)) {
    // What goes into an activation function is no layer's output; flattening changes no value, and would show the input again.
    if (name.startsWith('activation/') && !name.includes('flatten')) {
      layers.push({ name: name.replace('activation/', ''), shape: tensor.shape.slice(1), values: await tensor.read() });
    }
    tensor.dispose();
  }
  const output = layers.at(-1)?.values ?? new Float32Array();
  const prediction = output.indexOf(Math.max(...output));
  const label = test.labels?.[PICTURED_EXAMPLE];
  return activationPicture({
    input: { shape: test.inputShape, values: input },
    layers,
    prediction,
    ...(label === undefined ? {} : { label }),
    ...(test.classes ? { classes: test.classes } : {}),
  });
}

await hostTask(train);
