import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import { Graph } from '../../engine/graph.ts';
import { dense } from '../../engine/layers.ts';
import { buildModel, checkAnswers, copyBytes, type Examples, type Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { adam } from '../../engine/optimizers.ts';
import { permute } from '../../engine/random.ts';
import { Tensor } from '../../engine/tensor.ts';
import { createTrainer } from '../../engine/trainer.ts';
import { requireGoingOn } from '../attribution.ts';
import { layerNode } from '../model/chunks.ts';
import { largestOfRows, logitsOf } from './network-outputs.ts';
import { type Interval, shareInterval } from './statistics.ts';

export interface LinearProbeOptions {
  /** 'input', 'logits' or the name of an activation. */
  readonly layer: string;
  /** The last part of the examples, which the probe is tried on; 0.2 by default. */
  readonly heldOut?: number;
  /** Steps of Adam over all examples at once; 200 by default. */
  readonly steps?: number;
  /** 0.05 by default. */
  readonly learningRate?: number;
  /** What the probe starts from: zeros, or the identity for a layer of as many values as there are classes. Zeros by default. */
  readonly start?: 'zeros' | 'identity';
  /** Whether another probe learns shuffled labels, as a control; true by default. */
  readonly control?: boolean;
  /** Of the shuffling. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface ProbeResult {
  /** Mean cross-entropy over the training examples, in nats, at the best step. */
  readonly loss: number;
  readonly trainingAccuracy: number;
  /** On held-out examples, with Wilson's interval at 95 %. */
  readonly accuracy: Interval;
}

export interface LinearProbe extends ProbeResult {
  readonly layer: string;
  /** Share of the commonest class among the held-out examples. */
  readonly majority: number;
  /** A probe of the same layer that learned shuffled labels: what it can learn by heart, and at chance on held-out examples. */
  readonly control?: ProbeResult;
}

/**
 * Linear probe: how well a linear classifier can read the classes off a layer of the frozen network.
 *
 * **Shapes** x [rows, ...inputShape], labels [rows] of classes counted from 0, of any kind: not only those the network was trained on.
 * **Cost** a forward row an example, and `steps` steps on [rows, width] activations that stay on the GPU.
 * **Shows** that the layer holds what the labels say, in a form that one matrix can read. **Does not show** that the network uses it: compare the control, which
 * tells how much of the accuracy the probe could have learned by heart.
 * Defaults: Adam, 200 steps of 0.05 over all examples, the best step kept; a fifth held out.
 * **Source** Alain, Bengio 2016, "Understanding intermediate layers using linear classifier probes"; Hewitt, Liang 2019 (control tasks).
 *
 * @throws VitrineError `unknown-name`, `invalid-option`, `shape-mismatch`, what the model's inputs can be wrong in, `aborted`
 */
export async function linearProbe(model: Model, x: Examples, labels: ArrayLike<number>, options: LinearProbeOptions): Promise<LinearProbe> {
  const method = 'linearProbe';
  const { layer, heldOut = 0.2, steps = 200, learningRate = 0.05, start = 'zeros', control = true, seed = 0, signal } = options;
  checkNumber(`${method}: heldOut`, heldOut, 0, 0.9);
  checkWhole(`${method}: steps`, steps, 1);
  checkNumber(`${method}: learningRate`, learningRate, 1e-9);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  const { device } = model;
  const rows = model.rowsOf(x);
  const node = layerNode(method, model.forward(new Graph(), 1), layer);
  const width = elements(node.shape);
  const kept = Math.min(rows - 1, Math.floor(rows * heldOut));
  const training = rows - kept;
  if (training > 65535) {
    throw new VitrineError('invalid-option', `${method}: ${training} examples are more than one batch holds (65535).`, 'pass fewer.', {
      training,
    });
  }
  const classes = 1 + Array.from(labels).reduce((largest, label) => Math.max(largest, label), 1);
  if (start === 'identity' && width !== classes) {
    throw new VitrineError('invalid-option', `${method}: ${layer} has ${width} values for ${classes} classes.`, "start from 'zeros'.", {
      width,
      classes,
    });
  }
  const probe = await buildModel(device, { inputShape: [width], layers: [dense(classes)] });
  const activations = await activationsOf(model, x, layer, width);
  const part = (first: number, count: number): Tensor =>
    new Tensor(device, {
      name: 'probed',
      shape: [count, width],
      dtype: 'float32',
      storage: activations.storage,
      byteOffset: activations.byteOffset + 4 * first * width,
      owned: false,
    });
  try {
    const answers = checkAnswers(probe, 'crossEntropy', labels, [rows]) as Uint32Array;
    const shuffled = answers.map((_label, i) =>
      i < training ? (answers[permute(i, training, seed, 0)] as number) : (answers[i] as number),
    );
    const learn = async (targets: Uint32Array): Promise<ProbeResult> => {
      const zeros = new Float32Array(probe.flatParameters.length);
      if (start === 'identity') for (let i = 0; i < width; i++) zeros[i * classes + i] = 1;
      probe.flatParameters.write(zeros);
      const loss = await descend(method, probe, part(0, training), targets.subarray(0, training), { steps, learningRate, signal });
      const hits = async (first: number, count: number): Promise<number> => {
        const said = largestOfRows(await logitsOf(probe, part(first, count)), classes);
        return said.reduce((sum, label, i) => sum + (label === targets[first + i] ? 1 : 0), 0);
      };
      return {
        loss,
        trainingAccuracy: (await hits(0, training)) / training,
        accuracy: kept > 0 ? shareInterval(await hits(training, kept), kept) : shareInterval(0, 0),
      };
    };
    const counts = Array<number>(classes).fill(0);
    for (const label of answers.subarray(training)) counts[label] = (counts[label] as number) + 1;
    return {
      layer,
      ...(await learn(answers)),
      majority: kept > 0 ? Math.max(...counts) / kept : Number.NaN,
      ...(control ? { control: await learn(shuffled) } : {}),
    };
  } finally {
    activations.dispose();
    probe.dispose();
  }
}

/** Trains the probe and leaves it with the parameters of the lowest loss it came by, which is returned. */
async function descend(
  method: string,
  probe: Model,
  x: Tensor,
  labels: Uint32Array,
  { steps, learningRate, signal }: { readonly steps: number; readonly learningRate: number; readonly signal: AbortSignal | undefined },
): Promise<number> {
  const { device, flatParameters } = probe;
  const trainer = await createTrainer(probe, { optimizer: adam({ learningRate }), batchSize: labels.length });
  const best = device.empty(flatParameters.shape, 'float32', `${method}/best`, { owner: 'explain' });
  const before = device.empty(flatParameters.shape, 'float32', `${method}/before`, { owner: 'explain' });
  try {
    let lowest = Number.POSITIVE_INFINITY;
    for (let step = 0; step <= steps; step++) {
      requireGoingOn(method, signal);
      copyBytes(device, flatParameters, 0, before, 0, before.bytes, 'explain');
      // The loss is that of the parameters before the step.
      const loss = await trainer.trainOnBatch(x, labels);
      if (loss >= lowest) continue;
      lowest = loss;
      copyBytes(device, before, 0, best, 0, best.bytes, 'explain');
    }
    copyBytes(device, best, 0, flatParameters, 0, best.bytes, 'explain');
    return lowest;
  } finally {
    trainer.dispose();
    best.dispose();
    before.dispose();
  }
}

/** A layer's output for every example, [rows, width], on the GPU. */
async function activationsOf(model: Model, x: Examples, layer: string, width: number): Promise<Tensor> {
  const { device } = model;
  const rows = model.rowsOf(x);
  const result = device.empty([rows, width], 'float32', 'probed', { owner: 'explain' });
  try {
    if (layer === 'input') {
      model.writeRows(result, x, 0, rows, 'explain');
      return result;
    }
    if (layer === 'logits') {
      const logits = await model.logits(x);
      copyBytes(device, logits, 0, result, 0, result.bytes, 'explain');
      logits.dispose();
      return result;
    }
    const all = await model.activations(x);
    copyBytes(device, all.get(layer) as Tensor, 0, result, 0, result.bytes, 'explain');
    for (const tensor of all.values()) tensor.dispose();
    return result;
  } catch (error) {
    result.dispose();
    throw error;
  }
}
