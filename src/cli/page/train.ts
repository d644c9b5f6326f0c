import { activationPicture } from '../../data/picture.ts';
import { type Dataset, type EpochRecord, type Model, openDevice, saveModel } from '../../engine/index.ts';
import type { TrainEvent, TrainParameters, TrainResult } from '../train-task.ts';
import { hostTask } from './host.ts';
import { adapterName, exampleOf, loadData, trainNetwork } from './training.ts';

/** The example of the test set that the picture shows: MNIST's first, a seven. */
const PICTURED_EXAMPLE = 0;

/** Trains one network as the command asked, tells how it goes and returns what was measured. */
async function train(task: TrainParameters, report: (event: TrainEvent) => void, signal: AbortSignal): Promise<TrainResult> {
  const data = await loadData(task.data, report);
  if (signal.aborted) return {};
  const device = await openDevice();
  const trained = await trainNetwork(device, task, data, report, signal);
  if (!trained) return {};
  const { trainer, history, trainingExamples, tuning } = trained;
  const { model } = trainer;
  const last = history.epochs.at(-1) as EpochRecord;
  const seconds = history.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);

  report({ kind: 'stage', text: 'Testing' });
  const { loss: testLoss, accuracy: testAccuracy } = await trainer.evaluate(data.test);
  const kept = task.keep ? { model: await saveModel(model), picture: await pictureOf(model, data.test) } : {};
  const summary = {
    data: task.data,
    model: task.model,
    parameters: model.parameterCount,
    epochs: task.epochs,
    batch: task.batch,
    seed: task.seed,
    variants: { ...trainer.gatherPlan?.variants, ...trainer.plan.variants },
    ...(tuning ? { tuning } : {}),
    trainLoss: last.loss,
    validationAccuracy: last.validationAccuracy ?? null,
    testLoss,
    testAccuracy,
    seconds,
    samplesPerSecond: (trainingExamples * task.epochs) / seconds,
    adapter: adapterName(device),
  };
  device.destroy();
  return { summary, ...kept };
}

/** The activations of every layer for one example, as a PNG. */
async function pictureOf(model: Model, test: Dataset): Promise<Uint8Array> {
  const input = exampleOf(test, PICTURED_EXAMPLE);
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
