/** What an optimiser must do to flat buffers, in float64: the tests compare with it, and so does the self-test page. */

import type { AdamAttributes } from '../ops/adam.ts';
import type { SgdAttributes } from '../ops/sgd.ts';
import { groupOf, randomBlocks } from './flat-parameters.ts';

/** The gradients of update `t`, from 1. */
export const gradientsOf = (blocks: number, t: number): Float32Array => randomBlocks(blocks, 10 + t);

/** Kingma, Ba 2015, algorithm 1, and Loshchilov, Hutter 2019, algorithm 2. Both moments begin at zero. */
export function adamReference(
  blocks: number,
  steps: number,
  { beta1, beta2, epsilon, decoupled }: AdamAttributes,
  { rate = 0.1, clip = 1 }: { readonly rate?: number; readonly clip?: number } = {},
): { parameters: number[]; m: number[]; v: number[] } {
  const p = [...randomBlocks(blocks, 1)];
  const [m, v] = [p.map(() => 0), p.map(() => 0)];
  for (let t = 1; t <= steps; t++) {
    const gradients = gradientsOf(blocks, t);
    for (let i = 0; i < p.length; i++) {
      const { factor, decay, frozen } = groupOf(i);
      if (frozen) continue;
      const theta = p[i] as number;
      const g = (gradients[i] as number) * clip + (decoupled ? 0 : decay * theta);
      m[i] = beta1 * (m[i] as number) + (1 - beta1) * g;
      v[i] = beta2 * (v[i] as number) + (1 - beta2) * g * g;
      const step = (m[i] as number) / (1 - beta1 ** t) / (Math.sqrt((v[i] as number) / (1 - beta2 ** t)) + epsilon);
      p[i] = theta - (decoupled ? rate * factor * decay * theta : 0) - rate * factor * step;
    }
  }
  return { parameters: p, m, v };
}

/** torch.optim.SGD. */
export function sgdReference(
  blocks: number,
  steps: number,
  { momentum, nesterov }: SgdAttributes,
  { rate = 0.125, clip = 1 }: { readonly rate?: number; readonly clip?: number } = {},
): { parameters: number[]; velocity: number[] } {
  const p = [...randomBlocks(blocks, 1)];
  const v = p.map(() => 0);
  for (let t = 1; t <= steps; t++) {
    const gradients = gradientsOf(blocks, t);
    for (let i = 0; i < p.length; i++) {
      const { factor, decay, frozen } = groupOf(i);
      if (frozen) continue;
      const g = (gradients[i] as number) * clip + decay * (p[i] as number);
      v[i] = momentum * (v[i] as number) + g;
      p[i] = (p[i] as number) - rate * factor * (nesterov ? g + momentum * (v[i] as number) : (v[i] as number));
    }
  }
  return { parameters: p, velocity: v };
}
