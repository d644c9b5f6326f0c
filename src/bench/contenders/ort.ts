/** ONNX Runtime Web, which only infers: the network is handed to it as an ONNX file of our own writing. */

import type { InferenceSession, Tensor } from 'onnxruntime-web';
import type { Contender, Session } from '../contender.ts';
import { onnxNetwork } from '../onnx.ts';
import { batchOf, initialParameters, makeDigits, PIXELS } from '../problem.ts';
import type { TimedWorkload } from '../workloads.ts';

type Runtime = typeof import('onnxruntime-web');

/** The examples as the runtime wants them, where it computes. */
export type Place = (runtime: Runtime, x: Float32Array<ArrayBuffer>, shape: readonly number[]) => Promise<Tensor> | Tensor;

async function openInference(
  runtime: Runtime,
  options: InferenceSession.SessionOptions,
  place: Place,
  workload: TimedWorkload & { kind: 'infer' },
): Promise<Session> {
  const { network, batch } = workload;
  const session = await runtime.InferenceSession.create(onnxNetwork(initialParameters(network), batch), options);
  const x = await place(runtime, batchOf(makeDigits(), batch, 0).x, [batch, PIXELS]);
  const infer = async (): Promise<Tensor> => (await session.run({ x })).probabilities as Tensor;
  /** Only the last is read; it follows the others in the queue. */
  const repeat = async (times: number): Promise<Float32Array<ArrayBuffer>> => {
    for (let i = 1; i < times; i++) (await infer()).dispose();
    const last = await infer();
    const values = Float32Array.from((await last.getData()) as Float32Array);
    last.dispose();
    return values;
  };
  return {
    results: async () => ({ probabilities: await repeat(1) }),
    run: async (times) => (await repeat(times))[0] as number,
  };
}

/** The contender on one of its execution providers. */
export function ort(runtime: Runtime, description: string, options: InferenceSession.SessionOptions, place: Place): Contender {
  return {
    description: `onnxruntime-web ${runtime.env.versions.web}; ${description}`,
    async open(workload) {
      if (workload.kind !== 'infer') throw new Error('ONNX Runtime Web only infers.');
      return openInference(runtime, options, place, workload);
    },
  };
}
