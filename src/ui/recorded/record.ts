/**
 * Records a session: trains the network that the studio begins with, and at a few steps keeps what it shows of one example of each class.
 * The page of `npm run record`; the command writes what comes back to `session.bin`, which is committed.
 */

import { adapterName } from '../adapter.ts';
import { explainWith } from '../session/explain.ts';
import { METHOD_NAMES, type MethodName } from '../session/methods.ts';
import { Probe } from '../session/probe.ts';
import { DEFAULT_SETTINGS, type Settings } from '../settings.ts';
import { type Run, Training, type TrainingSources } from '../training.ts';
import { RECORDED_BITS, type RecordingNotes, writeRecording } from './recording.ts';

interface Tensors {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

export interface RecordOptions {
  readonly settings?: Partial<Settings>;
  /** Steps to look at, in order, after step 0; the last one ends the run. */
  readonly steps: readonly number[];
  readonly methods?: readonly MethodName[];
  readonly sources?: TrainingSources;
  readonly onProgress?: (text: string) => void;
}

/** @throws VitrineError what training and the methods throw */
export async function record({
  settings,
  steps,
  methods = METHOD_NAMES,
  sources,
  onProgress,
}: RecordOptions): Promise<Uint8Array<ArrayBuffer>> {
  const training = new Training({ ...DEFAULT_SETTINGS, ...settings }, sources);
  await training.open();
  const { run, device } = training;
  if (!run || !device) throw training.fault;
  try {
    const curves: { loss: number[]; accuracy: number[] } = { loss: [], accuracy: [] };
    const { test } = run.data;
    const classes = (test.classes ?? []).map(String);
    const chosen = classes.map((_name, k) => test.labels?.indexOf(k) ?? -1).filter((index) => index >= 0);
    const inputs = chosen.map((index) => training.exampleInput(index) as Float32Array);
    const tensors: Tensors[] = [{ name: 'inputs', shape: [chosen.length, ...test.inputShape], values: joined(inputs) }];
    const asked: Partial<Record<MethodName, Readonly<Record<string, unknown>>>> = {};
    const probe = await Probe.create(run.model);
    for (const step of [0, ...steps]) {
      onProgress?.(`Step ${step}`);
      await trainTo(training, step, curves);
      await keep(run, probe, inputs, step, methods, asked, tensors);
    }
    probe.dispose();
    for (const [name, values] of Object.entries(curves)) {
      tensors.push({ name: `curve/${name}`, shape: [values.length], values: Float32Array.from(values) });
    }
    const notes: RecordingNotes = {
      version: 1,
      settings: run.settings,
      inputShape: test.inputShape,
      classes,
      labels: chosen.map((index) => test.labels?.[index] ?? 0),
      dataset: test.name,
      layers: run.model.layers,
      optimizer: run.trainer.optimizer,
      steps: [0, ...steps],
      stepsPerEpoch: run.trainer.stepsPerEpoch,
      epochs: run.history.epochs,
      methods: asked,
      bits: RECORDED_BITS,
      adapter: adapterName(device),
    };
    return await writeRecording(notes, tensors);
  } finally {
    await training.close();
  }
}

/** Trains up to a step, epoch by epoch so that each is validated, and keeps every loss. */
async function trainTo(training: Training, step: number, curves: { loss: number[]; accuracy: number[] }): Promise<void> {
  const { run } = training;
  while (run && run.trainer.step < step) {
    const toEpoch = run.trainer.stepsPerEpoch - (run.trainer.step % run.trainer.stepsPerEpoch);
    await run.trainer.run(Math.min(step - run.trainer.step, toEpoch), {
      onSteps: (records) => {
        for (const each of records) {
          run.history.add(each);
          curves.loss.push(each.loss);
          curves.accuracy.push(each.accuracy);
        }
      },
    });
    if (run.trainer.step % run.trainer.stepsPerEpoch === 0) {
      run.history.endEpoch(run.trainer.step / run.trainer.stepsPerEpoch, await run.trainer.evaluate('validation'));
    }
  }
}

/** Keeps what the studio shows at a step. */
async function keep(
  { model }: Run,
  probe: Probe,
  inputs: readonly Float32Array[],
  step: number,
  methods: readonly MethodName[],
  asked: Partial<Record<MethodName, Readonly<Record<string, unknown>>>>,
  tensors: Tensors[],
): Promise<void> {
  for (const [name, tensor] of model.parameters) {
    tensors.push({ name: `${step}/parameter/${name}`, shape: tensor.shape, values: Float32Array.from(await tensor.read()) });
  }
  const rows = new Map<string, { readonly shape: readonly number[]; readonly values: Float32Array[] }>();
  const add = (name: string, shape: readonly number[], values: Float32Array): void => {
    const row = rows.get(name) ?? { shape, values: [] };
    rows.set(name, row);
    row.values.push(values);
  };
  for (const input of inputs) {
    probe.write(input);
    const { logits, probabilities } = await probe.run();
    add('example/logits', [logits.length], logits);
    add('example/probabilities', [probabilities.length], probabilities);
    for (const [name, tensor] of probe.tensors) {
      if (name !== 'input') add(`example/${name}`, tensor.shape.slice(1), await tensor.read());
    }
    const target = logits.indexOf(Math.max(...logits));
    for (const method of methods) {
      const map = await explainWith(method, model, probe.input, { target, against: undefined });
      // The class is another for each example.
      const { target: _target, ...options } = map.options;
      asked[method] = options;
      add(`map/${method}`, map.values.shape.slice(1), await map.values.read());
      add(`output/${method}`, [], await map.output.read());
      add(`delta/${method}`, [], map.delta ? await map.delta.read() : Float32Array.of(Number.NaN));
      map.dispose();
    }
  }
  for (const [name, { shape, values }] of rows) {
    tensors.push({ name: `${step}/${name}`, shape: [values.length, ...shape], values: joined(values) });
  }
}

function joined(rows: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const length = rows[0]?.length ?? 0;
  const all = new Float32Array(length * rows.length);
  for (const [i, row] of rows.entries()) all.set(row, i * length);
  return all;
}

/** The command's half of the page; see src/cli/page/host.ts. */
interface Host {
  readonly parameters: unknown;
  report(event: unknown): void;
  done(result: unknown): void;
  fail(error: unknown): void;
}

const host = (globalThis as { vitrineHost?: Host }).vitrineHost;
if (host) {
  try {
    host.done(await record({ ...(host.parameters as RecordOptions), onProgress: (text) => host.report({ kind: 'stage', text }) }));
  } catch (error) {
    const { name, message, stack } = error as Error;
    host.fail({ name, message, stack });
  }
}
