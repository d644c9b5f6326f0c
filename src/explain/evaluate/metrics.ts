/** The metrics by name: what each is about, which way is better, and how it scores one method. */

import { VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';
import type { BaselineOptions } from '../baselines.ts';
import type { GroupsGiven } from '../masked.ts';
import { type CompletenessOptions, completeness } from './completeness.ts';
import { complexity } from './complexity.ts';
import { blurs, type DeletionOptions, deletion, insertion } from './deletion.ts';
import { type EfficientRandomisationOptions, efficientRandomisation } from './efficient-randomisation.ts';
import type { EvidenceMask } from './evidence.ts';
import { type FaithfulnessOptions, faithfulnessCorrelation } from './faithfulness-correlation.ts';
import { type InfidelityOptions, infidelity } from './infidelity.ts';
import { type InputInvarianceOptions, inputInvariance } from './input-invariance.ts';
import { type LocalLipschitzOptions, localLipschitz } from './local-lipschitz.ts';
import type { ExplanationMethod } from './maps.ts';
import { type MaxSensitivityOptions, maxSensitivity } from './max-sensitivity.ts';
import { modelRandomisation, type RandomisationOptions } from './model-randomisation.ts';
import { type NonSensitivityOptions, nonSensitivity } from './non-sensitivity.ts';
import { pointingGame } from './pointing-game.ts';
import { mean } from './ranks.ts';
import { relevanceMass } from './relevance-mass.ts';
import { sparseness } from './sparseness.ts';

/** Options of each metric in an evaluation, where it has some. */
export interface MetricOptions {
  readonly deletion: DeletionOptions;
  readonly insertion: DeletionOptions;
  readonly infidelity: InfidelityOptions;
  readonly faithfulnessCorrelation: FaithfulnessOptions;
  readonly pointingGame: object;
  readonly relevanceMass: object;
  readonly modelRandomisation: RandomisationOptions;
  readonly efficientRandomisation: EfficientRandomisationOptions;
  readonly maxSensitivity: MaxSensitivityOptions;
  readonly localLipschitz: LocalLipschitzOptions;
  readonly inputInvariance: InputInvarianceOptions;
  readonly nonSensitivity: NonSensitivityOptions;
  readonly completeness: CompletenessOptions;
  readonly sparseness: object;
  readonly complexity: object;
}

export type MetricName = keyof MetricOptions;

/** What one method is scored by. */
export interface Scored {
  readonly model: Model;
  readonly x: Examples;
  readonly method: ExplanationMethod;
  readonly attribution: Attribution;
  readonly unit: 'sensitivity' | 'contribution';
  readonly mask: EvidenceMask | undefined;
  /** The absence of a signal, where one was named. */
  readonly absence: Omit<BaselineOptions, 'seed'>;
  readonly groups: GroupsGiven | undefined;
  readonly seed: number;
  /** Class, output and signal, as the evaluation was asked for. */
  readonly asked: ExplainOptions;
}

export interface Metric {
  readonly better: 'higher' | 'lower';
  /**
   * `truth`: whether the map says what the network does; counts in the ranking. `network`: whether it depends on the network; counts, too. `stability`, `form`: how it
   * bears small changes, how it looks; these describe and do not count, for a constant map is perfectly stable.
   */
  readonly about: 'truth' | 'network' | 'stability' | 'form';
  score(scored: Scored, options: object): Promise<Float64Array>;
}

const withGroups = ({ groups }: Scored): { readonly groups?: GroupsGiven } => (groups === undefined ? {} : { groups });

function requireMask(metric: string, mask: EvidenceMask | undefined): EvidenceMask {
  if (mask) return mask;
  throw new VitrineError(
    'invalid-option',
    `evaluate: ${metric} needs to know where the evidence is.`,
    'give options.mask, for example patchMask(inputShape, patch), or leave the metric out.',
    { metric },
  );
}

/** In the order of an evaluation's table. Fewer draws than the metrics' own defaults: all methods and controls are scored. */
export const METRICS: { readonly [Name in MetricName]: Metric } = {
  deletion: {
    better: 'lower',
    about: 'truth',
    score: async (s, options) =>
      (
        await deletion(s.model, s.x, s.attribution, {
          ...s.asked,
          ...s.absence,
          ...withGroups(s),
          randomOrders: 0,
          seed: s.seed,
          ...options,
        })
      ).auc,
  },
  insertion: {
    better: 'higher',
    about: 'truth',
    // An image comes back from its blurred self, not from the black one that attributions start from.
    score: async (s, options) =>
      (
        await insertion(s.model, s.x, s.attribution, {
          ...s.asked,
          ...(blurs(s.model.spec.inputShape) ? {} : s.absence),
          ...withGroups(s),
          randomOrders: 0,
          seed: s.seed,
          ...options,
        })
      ).auc,
  },
  infidelity: {
    better: 'lower',
    about: 'truth',
    score: (s, options) =>
      infidelity(s.model, s.x, s.attribution, {
        ...s.asked,
        ...s.absence,
        ...withGroups(s),
        unit: s.unit,
        optimalScaling: true,
        // Noise lights up black pixels, of which contributions cannot say anything; hiding parts of the input asks all maps the same question.
        perturbation: 'subsets',
        draws: 256,
        seed: s.seed,
        ...options,
      }),
  },
  faithfulnessCorrelation: {
    better: 'higher',
    about: 'truth',
    score: (s, options) =>
      faithfulnessCorrelation(s.model, s.x, s.attribution, { ...s.asked, ...s.absence, ...withGroups(s), seed: s.seed, ...options }),
  },
  pointingGame: { better: 'higher', about: 'truth', score: (s) => pointingGame(s.attribution, requireMask('pointingGame', s.mask)) },
  relevanceMass: { better: 'higher', about: 'truth', score: (s) => relevanceMass(s.attribution, requireMask('relevanceMass', s.mask)) },
  modelRandomisation: {
    better: 'lower',
    about: 'network',
    // |ρ| of the signed maps, for absolute ones share the input's zeros: a map that comes out with its sign turned shows the same. The mean over
    // the stages that have a correlation: a map that has become the same everywhere has none.
    score: async (s, options) => {
      const stages = await modelRandomisation(s.model, s.x, s.method, { ...s.asked, seed: s.seed, ...options });
      const sizes = (example: number): number[] => stages.map(({ signed }) => Math.abs(signed[example] as number)).filter(Number.isFinite);
      return Float64Array.from(stages[0]?.signed ?? [], (_, example) => mean(sizes(example)));
    },
  },
  efficientRandomisation: {
    better: 'higher',
    about: 'network',
    score: (s, options) => efficientRandomisation(s.model, s.x, s.method, { ...s.asked, seed: s.seed, ...options }),
  },
  maxSensitivity: {
    better: 'lower',
    about: 'stability',
    score: (s, options) => maxSensitivity(s.model, s.x, s.method, { ...s.asked, draws: 10, seed: s.seed, ...options }),
  },
  localLipschitz: {
    better: 'lower',
    about: 'stability',
    score: (s, options) => localLipschitz(s.model, s.x, s.method, { ...s.asked, draws: 10, seed: s.seed, ...options }),
  },
  inputInvariance: {
    better: 'lower',
    about: 'stability',
    score: (s, options) => inputInvariance(s.model, s.x, s.method, { ...s.asked, ...options }),
  },
  nonSensitivity: {
    better: 'lower',
    about: 'form',
    score: (s, options) => nonSensitivity(s.model, s.x, s.attribution, { ...s.asked, seed: s.seed, ...options }),
  },
  completeness: {
    better: 'lower',
    about: 'form',
    score: (s, options) => completeness(s.model, s.x, s.attribution, { ...s.asked, ...s.absence, seed: s.seed, ...options }),
  },
  sparseness: { better: 'higher', about: 'form', score: (s) => sparseness(s.attribution) },
  complexity: { better: 'lower', about: 'form', score: (s) => complexity(s.attribution) },
};

/** What is scored unless something else is asked for; with a mask, also what needs one. */
export const DEFAULT_METRICS: readonly MetricName[] = [
  'deletion',
  'insertion',
  'infidelity',
  'faithfulnessCorrelation',
  'modelRandomisation',
  'maxSensitivity',
  'completeness',
  'sparseness',
  'complexity',
];
