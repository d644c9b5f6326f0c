/** Optimisers as plain values, and the nodes and state they need. */

import { checkNumber } from './errors.ts';
import type { Node } from './graph.ts';
import { adamUpdate } from './ops/adam.ts';
import { sgdUpdate } from './ops/sgd.ts';

export interface Optimizer {
  readonly kind: 'adam' | 'adamW' | 'sgd';
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Of the first and second moment; Adam's own. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly nesterov: boolean;
}

export interface AdamOptions {
  /** 0.001 by default. */
  readonly learningRate?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  /** Added outside the root; 1e-8 by default, as in PyTorch (Keras: 1e-7). */
  readonly epsilon?: number;
  /** adam: added to the gradient, 0 by default. adamW: decoupled, 0.01 by default. */
  readonly weightDecay?: number;
}

function adaptive(kind: 'adam' | 'adamW', options: AdamOptions, weightDecay: number): Optimizer {
  const optimizer: Optimizer = {
    kind,
    learningRate: 0.001,
    weightDecay,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    momentum: 0,
    nesterov: false,
    ...options,
  };
  checkNumber('learningRate', optimizer.learningRate, 0);
  checkNumber('beta1', optimizer.beta1, 0, 0.9999999);
  checkNumber('beta2', optimizer.beta2, 0, 0.9999999);
  checkNumber('epsilon', optimizer.epsilon, 0);
  checkNumber('weightDecay', optimizer.weightDecay, 0);
  return optimizer;
}

/** Adam. Source: Kingma, Ba 2015, algorithm 1. @throws VitrineError `invalid-option` */
export const adam = (options: AdamOptions = {}): Optimizer => adaptive('adam', options, 0);

/** AdamW: Adam with decoupled weight decay. Source: Loshchilov, Hutter 2019, algorithm 2. @throws VitrineError `invalid-option` */
export const adamW = (options: AdamOptions = {}): Optimizer => adaptive('adamW', options, 0.01);

export interface SgdOptions {
  /** 0.01 by default. */
  readonly learningRate?: number;
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
}

/** Stochastic gradient descent, with momentum in PyTorch's form. Source: Sutskever et al. 2013. @throws VitrineError `invalid-option` */
export function sgd(options: SgdOptions = {}): Optimizer {
  const optimizer: Optimizer = {
    kind: 'sgd',
    learningRate: 0.01,
    weightDecay: 0,
    beta1: 0,
    beta2: 0,
    epsilon: 0,
    momentum: 0,
    nesterov: false,
    ...options,
  };
  checkNumber('learningRate', optimizer.learningRate, 0);
  checkNumber('momentum', optimizer.momentum, 0, 0.9999999);
  checkNumber('weightDecay', optimizer.weightDecay, 0);
  return optimizer;
}

/** Names of the optimiser's own tensors, each as long as all parameters together: `adam/m`, `adam/v`, `sgd/velocity`. */
export const momentNames = (optimizer: Optimizer): readonly string[] =>
  optimizer.kind === 'sgd' ? ['sgd/velocity'] : ['adam/m', 'adam/v'];

/** The update as a node; `common` is gradients, blockGroups, groups, state, parameters. */
export function updateNode(optimizer: Optimizer, common: readonly Node[], moments: readonly Node[]): Node {
  const inputs = [...common, ...moments];
  if (optimizer.kind === 'sgd') return sgdUpdate(inputs, { momentum: optimizer.momentum, nesterov: optimizer.nesterov });
  const { beta1, beta2, epsilon, kind } = optimizer;
  return adamUpdate(inputs, { beta1, beta2, epsilon, decoupled: kind === 'adamW' });
}

/** How some parameters are treated apart. */
export interface ParameterGroup {
  /** Names, or a pattern for them, such as /bias$/. */
  readonly match: RegExp | readonly string[];
  /** Factor of the learning rate; 1 by default. */
  readonly learningRateFactor?: number;
  /** In place of the optimiser's. */
  readonly weightDecay?: number;
  /** Left as they are; their moments too. */
  readonly frozen?: boolean;
}
