/** Vitrine, through its public interface. */

import {
  adam,
  buildModel,
  compile,
  createTrainer,
  type Device,
  dense,
  Graph,
  globalAverage,
  type Node,
  openDevice,
  type Plan,
  patches,
  residual,
  type StepRecord,
  selfAttention,
  softmax,
  type TunedClass,
  type TuningStore,
  tune,
} from '../../engine/index.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import type { Attribution } from '../../explain/index.ts';
import type { AdapterFigures } from '../adapter.ts';
import { brief, productInBrief } from '../agreement.ts';
import type { Contender, Session } from '../contender.ts';
import {
  ADAM,
  ATTENTION,
  batchOf,
  CHECKED_STEPS,
  CLASSES,
  makeDigits,
  matrix,
  type NetworkName,
  networks,
  PIXELS,
  SEED,
} from '../problem.ts';
import { type KernelProfile, profileStep } from '../roofline.ts';
import type { TimedWorkload } from '../workloads.ts';

/** The network of a workload; its initial weights are those of `initialParameters`, which draws them as the engine does. */
function networkOf(network: NetworkName): Parameters<typeof buildModel>[1] {
  if (network === 'attention') {
    const { patch, width, heads } = ATTENTION;
    const layers = [patches(patch), dense(width), residual([selfAttention({ heads })]), globalAverage(), dense(CLASSES), softmax()];
    return { inputShape: [Math.sqrt(PIXELS), Math.sqrt(PIXELS), 1], layers, seed: SEED };
  }
  const widths = networks[network];
  const layers = widths.slice(1).map((units, i) => dense(units, { activation: i < widths.length - 2 ? 'relu' : 'softmax' }));
  return { inputShape: [widths[0] as number], layers, seed: SEED };
}

/** The trainer of a workload, with its data set resident. */
export async function openTrainer(
  device: Device,
  workload: TimedWorkload & { kind: 'train' },
): Promise<Awaited<ReturnType<typeof createTrainer>>> {
  const model = await buildModel(device, networkOf(workload.network));
  return createTrainer(model, { data: makeDigits(), optimizer: adam(ADAM), batchSize: workload.batch });
}

async function openTraining(device: Device, workload: TimedWorkload & { kind: 'train' }): Promise<Session> {
  const trainer = await openTrainer(device, workload);
  const { model } = trainer;
  return {
    async results() {
      const first = batchOf(makeDigits(), workload.batch, 0);
      const logits = await (await model.logits(first.x)).read();
      const { parameters } = await model.gradients(first.x, first.labels);
      const gradients: Record<string, Float32Array<ArrayBuffer>> = {};
      for (const [name, gradient] of parameters) gradients[`gradient/${name}`] = brief(await gradient.read());
      // The batches of the timed path: gathered on the GPU.
      const records: StepRecord[] = [];
      await trainer.run(CHECKED_STEPS, { onSteps: (steps) => records.push(...steps) });
      return { logits: Float32Array.from(logits), losses: Float32Array.from(records, ({ loss }) => loss), ...gradients };
    },
    async run(times) {
      await trainer.run(times);
      return (await trainer.synchronize()).loss;
    },
    encode(times) {
      const encoder = device.gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let i = 0; i < times; i++) {
        trainer.gatherPlan?.encode(pass);
        trainer.plan.encode(pass);
      }
      pass.end();
      encoder.finish();
    },
  };
}

async function openInference(device: Device, workload: TimedWorkload & { kind: 'infer' }): Promise<Session> {
  const model = await buildModel(device, networkOf(workload.network));
  const x = device.tensor(batchOf(makeDigits(), workload.batch, 0).x, [workload.batch, ...model.spec.inputShape]);
  const repeat = async (times: number): Promise<Float32Array> => {
    for (let i = 1; i < times; i++) (await model.predict(x)).dispose();
    const last = await model.predict(x);
    const values = await last.read();
    last.dispose();
    return values;
  };
  return {
    results: async () => ({ probabilities: Float32Array.from(await repeat(1)) }),
    run: async (times) => (await repeat(times))[0] as number,
    encode: async (times) => {
      for (let i = 0; i < times; i++) (await model.predict(x)).dispose();
    },
  };
}

/** Maps of the label's logit, on the GPU; only the last is read. */
async function openExplanation(device: Device, workload: TimedWorkload & { kind: 'saliency' | 'integrated-gradients' }): Promise<Session> {
  const { integratedGradients, saliency } = await import('../../explain/index.ts');
  const model = await buildModel(device, networkOf(workload.network));
  const { x, labels } = batchOf(makeDigits(), workload.batch, 0);
  const images = device.tensor(x, [workload.batch, ...model.spec.inputShape]);
  const explain = (): Promise<Attribution> =>
    workload.kind === 'saliency'
      ? saliency(model, images, { target: labels })
      : integratedGradients(model, images, { target: labels, steps: workload.steps, fold: workload.fold });
  const repeat = async (times: number): Promise<Float32Array> => {
    for (let i = 1; i < times; i++) (await explain()).dispose();
    const last = await explain();
    const values = await last.values.read();
    last.dispose();
    return values;
  };
  return {
    results: async () => ({ maps: brief(await repeat(1)) }),
    run: async (times) => (await repeat(times)).reduce((sum, value) => sum + value, 0),
    encode: async (times) => {
      for (let i = 0; i < times; i++) (await explain()).dispose();
    },
  };
}

/** Products that go into one submit. */
const MOST_A_SUBMIT = 32;

async function compileProduct(device: Device, size: number): Promise<{ plan: Plan; y: Node }> {
  const graph = new Graph();
  const [a, b] = (['a', 'b'] as const).map((name) => graph.placeholder(name, [size, size])) as [Node, Node];
  const y = matmul(a, b);
  const tensors = new Map([a, b].map((node, i) => [node, device.tensor(matrix(i === 0 ? 'a' : 'b', size), [size, size])]));
  return { y, plan: await compile(device, [y], { name: `matmul ${size}`, tensors }) };
}

async function openProduct(device: Device, size: number): Promise<Session> {
  const { plan, y } = await compileProduct(device, size);
  const repeat = (times: number): void => {
    for (let left = times; left > 0; left -= MOST_A_SUBMIT) plan.run(Math.min(left, MOST_A_SUBMIT));
  };
  const read = async (): Promise<Float32Array> => {
    repeat(1);
    return plan.tensor(y).read();
  };
  return {
    results: async () => productInBrief(await read(), size),
    run: async (times) => {
      repeat(times);
      return (await plan.tensor(y).read()).at(-1) as number;
    },
    encode: repeat,
  };
}

/** Explanations a second while training is watched. */
const EXPLANATIONS_A_SECOND = 2;
/** Steps between two looks at the clock. */
const STEPS_A_TURN = 32;

/**
 * What explaining costs training: spells of training alone and of training with saliency and 50-point integrated gradients of one example twice a
 * second, in turn. Each pair gives 1 − watched / alone, of steps a second.
 */
export async function explainingCost(workload: TimedWorkload, pairs: number, spellMilliseconds: number): Promise<number[]> {
  if (workload.kind !== 'train') throw new Error(`internal: vitrine.ts cannot train ${workload.name}`);
  const { integratedGradients, saliency } = await import('../../explain/index.ts');
  const trainer = await openTrainer(await openDevice(), workload);
  const { model } = trainer;
  const x = batchOf(makeDigits(), 1, 0).x;
  const explain = async (): Promise<void> => {
    for (const attribution of await Promise.all([saliency(model, x), integratedGradients(model, x, { steps: 50 })])) {
      await attribution.values.read();
      attribution.dispose();
    }
  };
  /** Steps a second. */
  const spell = async (watched: boolean): Promise<number> => {
    const begin = performance.now();
    let steps = 0;
    let explaining: Promise<void> | undefined;
    let explained = 0;
    let elapsed = 0;
    while (elapsed < spellMilliseconds) {
      if (watched && explained < (elapsed * EXPLANATIONS_A_SECOND) / 1000 && !explaining) {
        explained += 1;
        explaining = explain().finally(() => {
          explaining = undefined;
        });
      }
      await trainer.run(STEPS_A_TURN);
      steps += STEPS_A_TURN;
      elapsed = performance.now() - begin;
    }
    await explaining;
    await trainer.synchronize();
    return (1000 * steps) / (performance.now() - begin);
  };
  await explain();
  await spell(true);
  const costs: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const [first, second] = [await spell(pair % 2 === 1), await spell(pair % 2 === 0)];
    const [alone, watched] = pair % 2 === 0 ? [first, second] : [second, first];
    costs.push(1 - watched / alone);
  }
  return costs;
}

/** The kernels of a training step, after some steps of training. */
export async function profileWorkload(workload: TimedWorkload, adapter: AdapterFigures): Promise<KernelProfile[]> {
  if (workload.kind !== 'train') throw new Error(`internal: vitrine.ts cannot profile ${workload.name}`);
  const trainer = await openTrainer(await openDevice(), workload);
  await trainer.run(20);
  await trainer.synchronize();
  return profileStep(workload.name, [...(trainer.gatherPlan ? [trainer.gatherPlan] : []), trainer.plan], adapter);
}

/** Tunes the kernels of a workload after its first step, in plans of its own; those compiled afterwards take what was found. */
async function tuneFor(device: Device, workload: TimedWorkload): Promise<readonly TunedClass[]> {
  if (workload.kind === 'train') {
    const trainer = await openTrainer(device, workload);
    await trainer.run(1);
    const { classes } = await tune(device, [trainer.gatherPlan as Plan, trainer.plan]);
    trainer.dispose();
    trainer.model.dispose();
    return classes;
  }
  const plan = workload.kind === 'matmul' ? (await compileProduct(device, workload.size)).plan : await forwardPlan(device, workload);
  plan.run();
  const { classes } = await tune(device, [plan]);
  plan.dispose();
  return classes;
}

async function forwardPlan(device: Device, { network, batch }: { readonly network: NetworkName; readonly batch: number }): Promise<Plan> {
  const model = await buildModel(device, networkOf(network));
  const forward = model.forward(new Graph(), batch);
  return compile(device, [forward.output], { tensors: model.bindings(forward) });
}

/** Remembers as long as the page lives. */
function memory(): TuningStore {
  const texts = new Map<string, string>();
  return { load: (key) => texts.get(key), save: (key, text) => void texts.set(key, text) };
}

async function openWorkload(device: Device, workload: TimedWorkload): Promise<Session> {
  if (workload.kind === 'train') return openTraining(device, workload);
  if (workload.kind === 'infer') return openInference(device, workload);
  if (workload.kind === 'saliency' || workload.kind === 'integrated-gradients') return openExplanation(device, workload);
  return openProduct(device, workload.size);
}

export const contender: Contender = {
  description: 'fused plans, many steps a submit',
  async open(workload, tuned = false) {
    if (!tuned) return openWorkload(await openDevice(), workload);
    const device = await openDevice({ tuning: memory() });
    const tuning = await tuneFor(device, workload);
    return { ...(await openWorkload(device, workload)), tuning };
  },
};
