/** The workloads as data. What each contender does for one is its own module's business. */

import { type DenseNetwork, EXAMPLES, type NetworkName, networks } from './problem.ts';

interface Common {
  readonly name: string;
  /** One line for a person. */
  readonly title: string;
}

/** Work that is repeated and timed. */
export type TimedWorkload = Common &
  (
    | {
        readonly kind: 'train';
        readonly network: NetworkName;
        readonly batch: number;
      }
    | { readonly kind: 'infer'; readonly network: DenseNetwork; readonly batch: number }
    | { readonly kind: 'matmul'; readonly size: number }
    /** The gradient of the label's logit with respect to each pixel. */
    | { readonly kind: 'saliency'; readonly network: DenseNetwork; readonly batch: number }
    /** The same, integrated from black to the image. */
    | {
        readonly kind: 'integrated-gradients';
        readonly network: DenseNetwork;
        readonly batch: number;
        readonly steps: number;
        /** Whether a contender may fold the path behind the first layer; else every point is a row. */
        readonly fold: boolean;
      }
  );

/** Work that is measured in its own way. */
export type SpecialWorkload = Common & {
  readonly kind: 'cold-start' | 'size' | 'memory' | 'overhead' | 'explaining' | 'adapter' | 'profile';
};

export type Workload = TimedWorkload | SpecialWorkload;

export const workloads: readonly Workload[] = [
  { name: 'train-mlp-32', kind: 'train', network: 'mlp', batch: 32, title: 'Training 784-128-10, batches of 32' },
  { name: 'train-mlp-256', kind: 'train', network: 'mlp', batch: 256, title: 'Training 784-128-10, batches of 256' },
  {
    name: 'train-wide-256',
    kind: 'train',
    network: 'wide',
    batch: 256,
    title: 'Training 784-1024-1024-10, batches of 256',
  },
  {
    name: 'train-attention-32',
    kind: 'train',
    network: 'attention',
    batch: 32,
    title: 'Training self-attention over 16 patches, batches of 32',
  },
  { name: 'infer-mlp-256', kind: 'infer', network: 'mlp', batch: 256, title: 'Inference 784-128-10, batches of 256' },
  { name: 'matmul-256', kind: 'matmul', size: 256, title: 'Product of two 256 × 256 matrices' },
  { name: 'matmul-512', kind: 'matmul', size: 512, title: 'Product of two 512 × 512 matrices' },
  { name: 'matmul-1024', kind: 'matmul', size: 1024, title: 'Product of two 1024 × 1024 matrices' },
  { name: 'saliency-256', kind: 'saliency', network: 'mlp', batch: 256, title: 'Saliency maps of 784-128-10, 256 at a time' },
  {
    name: 'integrated-gradients-50',
    kind: 'integrated-gradients',
    network: 'mlp',
    batch: 16,
    steps: 50,
    fold: true,
    title: 'Integrated gradients of 784-128-10, 50 points, 16 at a time',
  },
  {
    name: 'integrated-gradients-50-plain',
    kind: 'integrated-gradients',
    network: 'mlp',
    batch: 16,
    steps: 50,
    fold: false,
    title: 'The same with nothing folded: 800 rows forward and backward',
  },
  { name: 'cold-start', kind: 'cold-start', title: 'Navigation to the first finished training step' },
  { name: 'memory', kind: 'memory', title: 'Peak of GPU memory while training 784-128-10, batches of 32' },
  { name: 'size', kind: 'size', title: 'What a page must load to train, minified and gzipped' },
  { name: 'overhead', kind: 'overhead', title: 'What one training step of 784-128-10, batches of 32, asks of WebGPU' },
  {
    name: 'explaining',
    kind: 'explaining',
    title: 'Training speed lost to saliency and integrated gradients of one example, twice a second',
  },
  { name: 'adapter', kind: 'adapter', title: 'What the adapter itself can do' },
  { name: 'profile', kind: 'profile', title: 'The kernels of a training step against that' },
];

export function findWorkload(name: string): Workload {
  const found = workloads.find((workload) => workload.name === name);
  if (!found) throw new Error(`internal: workloads.ts knows no ${name}`);
  return found;
}

export const isTimed = (workload: Workload): workload is TimedWorkload =>
  ['train', 'infer', 'matmul', 'saliency', 'integrated-gradients'].includes(workload.kind);

/** What a run of a timed workload is worth: its unit, and how many of them one repetition makes. */
export function yieldOf(workload: TimedWorkload): { readonly unit: 'samples/s' | 'images/s' | 'GFLOP/s'; readonly amount: number } {
  if (workload.kind === 'matmul') return { unit: 'GFLOP/s', amount: (2 * workload.size ** 3) / 1e9 };
  const explains = workload.kind === 'saliency' || workload.kind === 'integrated-gradients';
  return { unit: explains ? 'images/s' : 'samples/s', amount: workload.batch };
}

/** Bytes that training cannot do without: parameters, gradients and two moments, activations and the data set. */
export function leastTrainingBytes(network: DenseNetwork, batch: number): number {
  const widths = networks[network];
  const parameters = widths.slice(1).reduce((sum, outputs, i) => sum + ((widths[i] as number) + 1) * outputs, 0);
  const activations = batch * widths.reduce((a, b) => a + b, 0);
  return 4 * (4 * parameters + activations) + EXAMPLES * ((widths[0] as number) + 4);
}
