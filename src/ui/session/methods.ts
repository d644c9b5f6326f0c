/** The methods that a card can show, and what each needs to be asked with. */

export const METHOD_NAMES = [
  'saliency',
  'inputXGradient',
  'integratedGradients',
  'smoothGrad',
  'deepLift',
  'lrp',
  'guidedBackprop',
  'occlusion',
] as const;

export type MethodName = (typeof METHOD_NAMES)[number];

export const isMethodName = (text: string): text is MethodName => (METHOD_NAMES as readonly string[]).includes(text);

/** A text's methods: those whose values are shares, which add up over the embedding of a word. */
export const isForTexts = (method: MethodName): boolean => METHODS[method].reading === 'share';

export interface MethodTraits {
  /** Follows training; a costly one keeps the step that it was computed at until it is asked again. */
  readonly cheap: boolean;
  /** What a value of the map is: the share of a pixel in the logit, or how fast the logit changes with the pixel. */
  readonly reading: 'share' | 'slope';
  /** It keeps its promise for sums, up to the gap that it prints. */
  readonly complete: boolean;
  /** Rows that are run, where the method samples. */
  readonly n?: number;
}

export const METHODS: Readonly<Record<MethodName, MethodTraits>> = {
  saliency: { cheap: true, reading: 'slope', complete: false },
  inputXGradient: { cheap: true, reading: 'share', complete: false },
  integratedGradients: { cheap: true, reading: 'share', complete: true, n: 50 },
  smoothGrad: { cheap: false, reading: 'slope', complete: false, n: 50 },
  deepLift: { cheap: true, reading: 'share', complete: true },
  lrp: { cheap: true, reading: 'share', complete: false },
  guidedBackprop: { cheap: true, reading: 'slope', complete: false },
  occlusion: { cheap: false, reading: 'share', complete: false },
};
