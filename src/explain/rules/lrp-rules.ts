/**
 * The rules of layer-wise relevance propagation as values, and presets that choose one for each layer.
 *
 * Input i of a layer z_j = Σ_i a_i w_ij + b_j receives this share of the relevance R_j (w⁺ = max(w, 0), w⁻ = min(w, 0)):
 *
 *     epsilon    a_i w_ij / (z_j + ε sgn z_j)                                ε = 0 is LRP-0
 *     gamma      a_i (w_ij + γ w⁺_ij) / (Σ_k a_k (w_kj + γ w⁺_kj) + b_j + γ b⁺_j)
 *     zPlus      (a_i w_ij)⁺ / (Σ_k (a_k w_kj)⁺ + b⁺_j)                      α1β0
 *     alphaBeta  α (a_i w_ij)⁺ / z⁺_j − β (a_i w_ij)⁻ / z⁻_j                 z⁺ and z⁻ with b⁺ and b⁻; α − β = 1
 *     wSquared   w²_ij / Σ_k w²_kj                                           the input plays no part
 *     flat       1 / n                                                       neither does the weight
 *     zBox       (x_i w_ij − low w⁺_ij − high w⁻_ij) / Σ_k (…)               inputs that lie in [low, high]
 *
 * **Source** Bach et al. 2015 (ε, αβ); Montavon et al. 2017, "Explaining nonlinear classification decisions with deep Taylor decomposition" (z⁺,
 * w², z-box); Montavon et al. 2019, "Layer-wise relevance propagation: an overview" (γ, which rule where).
 */

import { checkNumber, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';

export type LrpRule =
  | { readonly rule: 'epsilon'; readonly epsilon: number }
  | { readonly rule: 'gamma'; readonly gamma: number }
  | { readonly rule: 'zPlus' }
  | { readonly rule: 'alphaBeta'; readonly alpha: number; readonly beta: number }
  | { readonly rule: 'wSquared' }
  | { readonly rule: 'flat' }
  | { readonly rule: 'zBox'; readonly low: number; readonly high: number };

/** A linear map with weights, as a composite sees it: an operation, not a layer, so what is used twice is two. */
export interface LrpLayer {
  /** Such as `dense_1` or `transformerBlock_1/dense_2`. */
  readonly name: string;
  readonly node: Node;
  /** Its operation, such as `affine`. */
  readonly operation: string;
  /** From 0, in the order in which they are computed; only those that relevance reaches. */
  readonly index: number;
  readonly count: number;
  /** It reads the model's input. */
  readonly first: boolean;
  /** None comes after it. */
  readonly last: boolean;
}

/** Chooses the rule of each layer. */
export type LrpComposite = (layer: LrpLayer) => LrpRule;

/** LRP-0: shares in proportion to the terms of z. On a ReLU network it is gradient × input. **Source** Bach et al. 2015. */
export const lrpZero = (): LrpRule => ({ rule: 'epsilon', epsilon: 0 });

/** LRP-ε: what is small against ε is absorbed. 1e-6 by default (Zennit); 1e-9 in Captum, 1e-7 in iNNvestigate. @throws VitrineError `invalid-option` */
export function lrpEpsilon(epsilon = 1e-6): LrpRule {
  checkNumber('lrpEpsilon: epsilon', epsilon, 0);
  return { rule: 'epsilon', epsilon };
}

/** LRP-γ: favours positive weights, 0.25 by default (Montavon et al. 2019). For inputs that are not negative. @throws VitrineError `invalid-option` */
export function lrpGamma(gamma = 0.25): LrpRule {
  checkNumber('lrpGamma: gamma', gamma, 0);
  return { rule: 'gamma', gamma };
}

/** z⁺ or α1β0: only what speaks for a unit. **Source** Montavon et al. 2017. */
export const lrpZPlus = (): LrpRule => ({ rule: 'zPlus' });

/**
 * αβ: what speaks for a unit counts α times, what speaks against it β times; 2 and 1 by default (Bach et al. 2015).
 *
 * Where a unit has nothing that speaks against it, z⁻ = 0, the formula would pass on α R, more than there was (iNNvestigate #116). Here the part
 * that is not empty takes R, so shares add up to 1 whatever the signs.
 *
 * @throws VitrineError `invalid-option` unless α − β = 1 and α ≥ 1
 */
export function lrpAlphaBeta(alpha = 2, beta: number = alpha - 1): LrpRule {
  checkNumber('lrpAlphaBeta: alpha', alpha, 1);
  if (Math.abs(alpha - beta - 1) > 1e-6) {
    throw new VitrineError(
      'invalid-option',
      `lrpAlphaBeta: α − β is ${alpha} − ${beta} = ${alpha - beta}; it must be 1, or relevance would grow or shrink.`,
      `pass β = ${alpha - 1}, or leave it out.`,
      { alpha, beta },
    );
  }
  return { rule: 'alphaBeta', alpha, beta };
}

/** w²: by the weights alone. For a first layer whose inputs know no bounds. **Source** Montavon et al. 2017. */
export const lrpWSquared = (): LrpRule => ({ rule: 'wSquared' });

/** Flat: in equal parts. For a first layer, where only the coarse picture counts. **Source** Lapuschkin et al. 2019, “Unmasking Clever Hans predictors”. */
export const lrpFlat = (): LrpRule => ({ rule: 'flat' });

/** z-box (zᴮ): for a first layer whose inputs lie in [low, high], pixels in [0, 1] by default. @throws VitrineError `invalid-option` */
export function lrpZBox(low = 0, high = 1): LrpRule {
  checkNumber('lrpZBox: low', low, Number.NEGATIVE_INFINITY);
  checkNumber('lrpZBox: high', high, low);
  return { rule: 'zBox', low, high };
}

export type LrpRuleName = 'zero' | 'epsilon' | 'gamma' | 'zPlus' | 'alphaBeta' | 'wSquared' | 'flat' | 'zBox';

/** What a rule may be called by, with its defaults. */
export const lrpRules: Readonly<Record<LrpRuleName, () => LrpRule>> = {
  zero: lrpZero,
  epsilon: () => lrpEpsilon(),
  gamma: () => lrpGamma(),
  zPlus: lrpZPlus,
  alphaBeta: () => lrpAlphaBeta(),
  wSquared: lrpWSquared,
  flat: lrpFlat,
  zBox: () => lrpZBox(),
};

/** Weights that every position of an image shares get γ or z⁺, dense ones ε. */
const isDense = ({ operation }: LrpLayer): boolean => operation === 'affine';

/** z-box on pixels in [low, high], γ 0.25 on convolutions, ε on dense layers: Montavon et al. 2019; Zennit's EpsilonGammaBox. */
export const lrpEpsilonGammaBox =
  (low = 0, high = 1): LrpComposite =>
  (layer) => {
    if (layer.first) return lrpZBox(low, high);
    return isDense(layer) ? lrpEpsilon() : lrpGamma();
  };

/** Flat on the first layer, z⁺ on convolutions, ε on dense layers: Zennit's EpsilonPlusFlat. */
export const lrpEpsilonPlusFlat = (): LrpComposite => (layer) => {
  if (layer.first) return lrpFlat();
  return isDense(layer) ? lrpEpsilon() : lrpZPlus();
};

/** Deep Taylor decomposition: z-box on pixels in [low, high], z⁺ everywhere else. For the logit of a ReLU network. Montavon et al. 2017. */
export const lrpDeepTaylor =
  (low = 0, high = 1): LrpComposite =>
  ({ first }) =>
    first ? lrpZBox(low, high) : lrpZPlus();

/** A rule for all layers, by name or as a value, one for each, or what chooses one. */
export type LrpRuleChoice = LrpRuleName | LrpRule | readonly LrpRule[] | LrpComposite;

const isList = (asked: LrpRuleChoice): asked is readonly LrpRule[] => Array.isArray(asked);

/** The rule of each layer. @throws VitrineError `invalid-option` for what is no rule, and for another number of rules than there are layers */
export function chosenRules(asked: LrpRuleChoice, layers: readonly LrpLayer[]): LrpRule[] {
  const choose = (): LrpComposite => {
    if (typeof asked === 'function') return asked;
    if (isList(asked)) {
      if (asked.length === layers.length) return ({ index }) => asked[index] as LrpRule;
      throw new VitrineError(
        'invalid-option',
        `lrp: there are ${asked.length} rules for ${layers.length} layers (${layers.map(({ name }) => name).join(', ')}).`,
        'give a rule for each, or one for all.',
        { rules: asked.length, layers: layers.length },
      );
    }
    if (typeof asked === 'object') return () => asked;
    const made = Object.hasOwn(lrpRules, asked) ? lrpRules[asked]() : undefined;
    if (!made) throw noRule(asked);
    return () => made;
  };
  const composite = choose();
  return layers.map((layer) => {
    const chosen = composite(layer);
    switch (chosen?.rule) {
      case 'epsilon':
        return lrpEpsilon(chosen.epsilon);
      case 'gamma':
        return lrpGamma(chosen.gamma);
      case 'alphaBeta':
        return lrpAlphaBeta(chosen.alpha, chosen.beta);
      case 'zBox':
        return lrpZBox(chosen.low, chosen.high);
      case 'zPlus':
      case 'wSquared':
      case 'flat':
        return { rule: chosen.rule };
      default:
        throw noRule(chosen);
    }
  });
}

const noRule = (given: unknown): VitrineError =>
  new VitrineError(
    'invalid-option',
    `lrp: there is no rule ${JSON.stringify(given) ?? 'undefined'}.`,
    `use one of ${Object.keys(lrpRules).join(', ')}, one of the functions lrpEpsilon() …, or a function that gives one for each layer.`,
    { rule: given },
  );
