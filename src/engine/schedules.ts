/**
 * Learning-rate schedules: any function of the step (from 0) and the base rate. They are evaluated on the CPU, in float64, into a table
 * that the GPU reads, so many steps need no upload.
 */

import { checkNumber, checkWhole } from './errors.ts';

export type Schedule = (step: number, learningRate: number) => number;

/** The base rate throughout. */
export const constantRate = (): Schedule => (_step, learningRate) => learningRate;

/** The base rate times `factor` once more every `every` steps (PyTorch's StepLR). */
export function stepDecay(options: { readonly every: number; readonly factor?: number }): Schedule {
  const { every, factor = 0.1 } = options;
  checkWhole('every', every, 1);
  checkNumber('factor', factor, 0);
  return (step, learningRate) => learningRate * factor ** Math.floor(step / every);
}

/** Half a cosine from the base rate down to `final` at `steps`, and `final` from there on. Source: Loshchilov, Hutter 2017, eq. 5. */
export function cosineDecay(options: { readonly steps: number; readonly final?: number }): Schedule {
  const { steps, final = 0 } = options;
  checkWhole('steps', steps, 1);
  checkNumber('final', final, 0);
  return (step, learningRate) => final + ((learningRate - final) * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps))) / 2;
}

/** Rises in a line from learningRate / steps to the base rate over `steps` steps, then follows `after`. Source: Goyal et al. 2017, sec. 2.2. */
export function warmUp(options: { readonly steps: number; readonly after?: Schedule }): Schedule {
  const { steps, after = constantRate() } = options;
  checkWhole('steps', steps, 1);
  return (step, learningRate) => (step < steps ? (learningRate * (step + 1)) / steps : after(step - steps, learningRate));
}
