import { adam, buildModel, createTrainer, dense, flatten, openDevice } from '../../engine/index.ts';
import {
  type ExplanationMethod,
  guidedBackprop,
  inputMap,
  inputXGradient,
  inputXRandom,
  integratedGradients,
  modelRandomisation,
  type RandomisationStage,
  randomMap,
  saliency,
  smoothGrad,
} from '../../explain/index.ts';
import type { Agreement, RandomisationParameters, RandomisationResult, RandomisationRow } from '../randomisation-task.ts';
import type { TrainEvent } from '../train-task.ts';
import { hostTask } from './host.ts';
import { adapterName, exampleOf, fitAndReport, loadData } from './training.ts';

/** Of 60,000 training images the published run learns from 55,000. */
const VALIDATION_SPLIT = 1 / 12;

/**
 * Deviation of the published initial weights times √fan_in: a normal distribution of deviation 2/√fan_in cut off at two deviations has
 * 0.8796 of its deviation.
 */
const WEIGHT_DEVIATION = 2 * 0.8796;

/** Published first, in the order of the published table; then the controls. */
const METHODS: readonly (readonly [string, ExplanationMethod])[] = [
  ['gradient', (model, x, options) => saliency(model, x, { ...options, signed: true })],
  ['SmoothGrad', (model, x, options) => smoothGrad(model, x, { ...options, samples: 50, noise: 0.15 })],
  ['guided backpropagation', guidedBackprop],
  ['integrated gradients', (model, x, options) => integratedGradients(model, x, { ...options, steps: 50, baseline: 0 })],
  ['gradient × input', inputXGradient],
  ['input × noise (control)', inputXRandom],
  ['the input (control)', inputMap],
  ['noise (control)', randomMap],
];

/** Trains a network with hidden layers, then sees what is left of each method's maps as its layers are drawn anew from the output down. */
async function randomise(
  task: RandomisationParameters,
  report: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<RandomisationResult> {
  const { train, test } = await loadData('mnist', report);
  if (signal.aborted) return {};
  const device = await openDevice();
  const layer = (units: number, fanIn: number, last: boolean) =>
    dense(units, {
      ...(last ? {} : { activation: 'relu' as const }),
      initializer: { kind: 'normal', deviation: WEIGHT_DEVIATION / Math.sqrt(fanIn) },
    });
  const sizes = [784, ...task.hidden, 10];
  const layers = sizes.slice(1).map((units, i) => layer(units, sizes[i] as number, i === sizes.length - 2));
  const model = await buildModel(device, { inputShape: [28, 28, 1], layers: [flatten(), ...layers], seed: task.seed });
  const trainer = await createTrainer(model, {
    data: train,
    loss: 'crossEntropy',
    optimizer: adam({ learningRate: task.learningRate }),
    batchSize: task.batch,
    validationSplit: VALIDATION_SPLIT,
  });
  const validationExamples = Math.floor(train.size * VALIDATION_SPLIT);
  const adapter = adapterName(device);
  const trainingExamples = train.size - validationExamples;
  report({ kind: 'ready', adapter, parameters: model.parameterCount, trainingExamples, validationExamples, testExamples: test.size });
  const history = await fitAndReport(trainer, { epochs: task.epochs, validationSplit: VALIDATION_SPLIT }, report, signal);
  if (!history) return {};
  const { accuracy: testAccuracy } = await trainer.evaluate(test);

  const start = performance.now();
  const x = Float32Array.from(Array.from({ length: task.images }, (_, i) => Array.from(exampleOf(test, i))).flat());
  const rows: RandomisationRow[] = [];
  for (const [name, method] of METHODS) {
    const draws: (readonly RandomisationStage[])[] = [];
    for (let draw = 0; draw < task.draws; draw++) {
      report({ kind: 'stage', text: `Drawing layers anew: ${name}, ${draw + 1} of ${task.draws}` });
      draws.push(await modelRandomisation(model, x, method, { seed: draw, signal }));
    }
    const each = (of: 'absolute' | 'signed'): Agreement[] =>
      sizes.slice(1).map((_, stage) => agreement(draws.flatMap((stages) => [...(stages[stage] as RandomisationStage)[of]])));
    rows.push({ method: name, absolute: each('absolute'), signed: each('signed') });
  }
  const predicted = await (await inputMap(model, x)).target.readUint32();
  const summary = {
    ...task,
    parameters: model.parameterCount,
    testAccuracy,
    correct: predicted.reduce((sum, label, i) => sum + (label === test.labels?.[i] ? 1 : 0), 0),
    stages: ['logits', ...task.hidden.map((_, i) => `hidden${task.hidden.length - i}`)],
    rows,
    trainSeconds: history.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0),
    seconds: (performance.now() - start) / 1000,
    adapter,
  };
  device.destroy();
  return { summary };
}

function agreement(scores: readonly number[]): Agreement {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (scores.length - 1)) };
}

await hostTask(randomise);
