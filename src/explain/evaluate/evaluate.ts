import type { Dataset } from '../../engine/dataset.ts';
import { VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { type Attribution, type ExplainOptions, type ExplainProgress, requireGoingOn } from '../attribution.ts';
import { type Baseline, stepOf } from '../explainer.ts';
import type { GroupsGiven } from '../masked.ts';
import { methodNamed, methods as methodTable } from '../methods.ts';
import { constantMap, inputMap, inputXRandom, randomMap, sobelMap } from './controls.ts';
import type { EvidenceMask } from './evidence.ts';
import { type ExplanationMethod, explainOptionsOf, type Maps, readMaps } from './maps.ts';
import { DEFAULT_METRICS, METRICS, type MetricName, type MetricOptions, type Scored } from './metrics.ts';
import { absolute, averageRanks, correlation, mean, standardErrorOf } from './ranks.ts';
import { type Message, verdictOf } from './verdict.ts';

export type ControlName = 'randomMap' | 'inputMap' | 'inputXRandom' | 'sobelMap' | 'constantMap';
const CONTROLS: { readonly [Name in ControlName]: ExplanationMethod } = { randomMap, inputMap, inputXRandom, sobelMap, constantMap };

/** A method by name, as a function, or either with options and a name of its own. */
export type MethodChoice = string | ExplanationMethod | NamedMethod;

export interface NamedMethod {
  readonly method: string | ExplanationMethod;
  /** How the table calls it; its own name by default, which a minified build shortens. */
  readonly name?: string;
  /** Options of the method, such as `{ steps: 20 }`; they go before those of the evaluation. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Whether its values are output per unit of input, or output; known of the methods here, `contribution` otherwise. */
  readonly unit?: 'sensitivity' | 'contribution';
}

export type MetricChoice =
  | MetricName
  | { [Name in MetricName]: { readonly metric: Name; readonly options: MetricOptions[Name] } }[MetricName];

export interface EvaluateOptions extends ExplainOptions {
  /** The absence of a signal, for methods and metrics alike; 0 by default. Insertion of an image starts from the blurred image all the same. */
  readonly baseline?: Baseline;
  /** How many examples of a data set given as baseline are averaged over, the same ones by methods and metrics; 32 by default. */
  readonly baselines?: number;
  /** The data set that the baseline 'mean' is the mean of, and that methods draw from which need one. */
  readonly background?: Dataset;
  /** What deletion, insertion, infidelity and faithfulness correlation take together, such as imagePatches(inputShape, 7); pixels by default. */
  readonly groups?: GroupsGiven;
  /** Where the evidence is known to be, for the pointing game and the relevance mass. */
  readonly mask?: EvidenceMask;
  /** Of whatever is drawn; 0 by default. */
  readonly seed?: number;
  /** The negative controls to score beside the methods; all that this model allows by default. */
  readonly controls?: readonly ControlName[];
  /** Called after each score of each method. */
  readonly onProgress?: (progress: ExplainProgress) => void;
}

/** One method's score by one metric. A number that does not exist is null. */
export interface EvaluationRow {
  readonly method: string;
  readonly metric: MetricName;
  /** A negative control, not an explanation. */
  readonly control: boolean;
  readonly better: 'higher' | 'lower';
  /** `truth` and `network` count in the ranking; `stability` and `form` only describe. */
  readonly about: 'truth' | 'network' | 'stability' | 'form';
  /** Over the examples that have a score. */
  readonly mean: number | null;
  readonly standardError: number | null;
  /** One an example. */
  readonly values: readonly (number | null)[];
  /** Means of the negative controls by this metric. */
  readonly controls: Readonly<Record<string, number | null>>;
}

/** Place of a method among the methods. */
export interface RankedMethod {
  readonly method: string;
  /** Mean over examples and counting metrics of its rank among the methods, from 1. */
  readonly meanRank: number;
  readonly standardError: number | null;
}

/** Whether two methods say the same. Elements that both give 0, such as an image's black pixels, count as agreement. */
export interface PairAgreement {
  readonly methods: readonly [string, string];
  /** Mean over examples of the rank correlation of their maps; of absolute maps where one of them has no sign. */
  readonly correlation: number | null;
}

/** Plain data: JSON. */
export interface Evaluation {
  readonly examples: number;
  readonly metrics: readonly MetricName[];
  readonly rows: readonly EvaluationRow[];
  /** Best first. */
  readonly ranking: readonly RankedMethod[];
  readonly agreement: readonly PairAgreement[];
  /** The training step whose parameters were scored; absent where the model was not trained here. */
  readonly step?: number;
  /** The last step seen, where training went on meanwhile: methods were then scored on networks that differ. */
  readonly lastStep?: number;
  /** What to make of it, in words; each a code with parameters, to be said in any language, and an English sentence. */
  readonly verdict: readonly Message[];
}

/** Gradients and what is made of them. Everything else in the table gives contributions. */
const SENSITIVITIES: ReadonlySet<string> = new Set([
  'saliency',
  'smoothGrad',
  'smoothGradSquared',
  'varGrad',
  'guidedBackprop',
  'deconvnet',
  'randomMap',
  'sobelMap',
  'constantMap',
]);

interface Contestant {
  readonly name: string;
  readonly explain: ExplanationMethod;
  readonly unit: 'sensitivity' | 'contribution' | undefined;
  readonly control: boolean;
}

/**
 * evaluate: scores explanation methods on these examples of this network, beside maps that explain nothing, and says which to believe.
 *
 * Every method and control is scored by every metric. Methods are ranked by the metrics of truth (deletion, insertion, infidelity, faithfulness correlation, pointing game,
 * relevance mass) and of dependence on the network (model randomisation); stability and form are told but do not count, for a constant map is
 * perfectly stable and perfectly simple. A method is to be believed where it does better than every control, by two deviations of a sign test over
 * examples, on more than half of the metrics of truth, and its maps do not stay when the network is drawn anew, with their sign or the other. Where max-sensitivity is asked for,
 * infidelity is added: the one without the other misleads.
 *
 * **Shapes** x [rows, ...inputShape]. **Cost** the methods and controls, times the metrics; see each. One method's maps at a time are on the GPU.
 * **Caveat** it tells which maps fit this network on these inputs by these measures. It cannot tell whether the network is right. Pixel by pixel, maps over
 * patches lose to finer ones: to compare methods that explain patches, give those patches as `groups`.
 *
 * @param methods names of the table in methods.ts, functions, or either with options
 * @param metrics by default all but those that need more: with a mask also the pointing game and the relevance mass
 * @throws VitrineError as the methods and metrics; `unknown-name`, `duplicate-name`, `invalid-option`, `aborted`
 */
export async function evaluate(
  model: Model,
  x: Examples,
  methods: readonly MethodChoice[],
  metrics: readonly MetricChoice[] = [],
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const examples = model.rowsOf(x);
  const { seed = 0, mask, groups, onProgress } = options;
  const absence = absenceOf(options);
  const chosen = metricsOf(metrics, mask !== undefined);
  const asked = explainOptionsOf(options);
  const contestants = contestantsOf(model, methods, options);
  const total = contestants.length * chosen.size;
  const step = stepOf(model);
  const scores = new Map<string, Map<MetricName, Float64Array>>();
  const maps = new Map<string, Maps>();
  let done = 0;
  for (const { name, explain, unit, control } of contestants) {
    requireGoingOn('evaluate', options.signal);
    const attribution = await explain(model, x, asked);
    const own = new Map<MetricName, Float64Array>();
    scores.set(name, own);
    try {
      if (!control) maps.set(name, await readMaps(attribution));
      const scored = {
        model,
        x,
        method: explain,
        attribution,
        unit: unit ?? unitOf(attribution),
        mask,
        absence,
        groups,
        seed,
        asked,
      };
      for (const [metric, given] of chosen) {
        requireGoingOn('evaluate', options.signal);
        own.set(metric, await METRICS[metric].score(scored, given));
        done += 1;
        onProgress?.({ done, total });
      }
    } finally {
      attribution.dispose();
    }
  }
  const names = contestants.filter(({ control }) => !control).map(({ name }) => name);
  const controls = contestants.filter(({ control }) => control).map(({ name }) => name);
  const scoresOf = (method: string, metric: MetricName): Float64Array => scores.get(method)?.get(metric) as Float64Array;
  const rows = contestants.flatMap(({ name, control }) =>
    [...chosen.keys()].map((metric): EvaluationRow => {
      const { better, about } = METRICS[metric];
      const values = scoresOf(name, metric);
      return {
        method: name,
        metric,
        control,
        better,
        about,
        ...summary(values),
        values: Array.from(values, orNull),
        controls: Object.fromEntries(controls.map((each) => [each, summary(scoresOf(each, metric)).mean])),
      };
    }),
  );
  const ranking = rankingOf(names, [...chosen.keys()], scoresOf, examples);
  const agreement = agreementOf(maps);
  const lastStep = stepOf(model);
  const verdict = verdictOf({ examples, rows, ranking, agreement });
  return {
    examples,
    metrics: [...chosen.keys()],
    rows,
    ranking,
    agreement,
    ...(step === undefined ? {} : { step }),
    ...(lastStep === undefined || lastStep === step ? {} : { lastStep }),
    verdict,
  };
}

const absenceOf = ({ baseline, background, baselines }: EvaluateOptions): Scored['absence'] => ({
  ...(baseline === undefined ? {} : { baseline }),
  ...(background === undefined ? {} : { background }),
  ...(baselines === undefined ? {} : { baselines }),
});

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Mean and standard error over the examples that have a score. */
function summary(values: Float64Array): { mean: number | null; standardError: number | null } {
  const known = values.filter(Number.isFinite);
  return { mean: orNull(mean(known)), standardError: orNull(standardErrorOf(known)) };
}

const unitOf = ({ method }: Attribution): 'sensitivity' | 'contribution' => (SENSITIVITIES.has(method) ? 'sensitivity' : 'contribution');

/** The metrics to score by, with their options, in the table's order. @throws VitrineError `unknown-name` */
function metricsOf(given: readonly MetricChoice[], masked: boolean): ReadonlyMap<MetricName, object> {
  const needsMask: readonly MetricName[] = masked ? ['pointingGame', 'relevanceMass'] : [];
  const asked = new Map<MetricName, object>();
  for (const choice of given.length > 0 ? given : [...DEFAULT_METRICS, ...needsMask]) {
    const [name, options] = typeof choice === 'string' ? [choice, {}] : [choice.metric, choice.options];
    if (!Object.hasOwn(METRICS, name)) {
      const known = Object.keys(METRICS);
      throw new VitrineError('unknown-name', `evaluate: there is no metric '${String(name)}'.`, `use some of ${known.join(', ')}.`, {
        name,
        known,
      });
    }
    asked.set(name, options);
  }
  // A map may be stable because it says nothing.
  if (asked.has('maxSensitivity') && !asked.has('infidelity')) asked.set('infidelity', {});
  return new Map((Object.keys(METRICS) as MetricName[]).flatMap((name) => (asked.has(name) ? [[name, asked.get(name) as object]] : [])));
}

/** Methods, then controls. @throws VitrineError `unknown-name`, `duplicate-name`, `invalid-option` */
function contestantsOf(model: Model, methods: readonly MethodChoice[], options: EvaluateOptions): readonly Contestant[] {
  if (methods.length === 0) {
    const names = methodTable.map(({ name }) => name);
    throw new VitrineError('invalid-option', 'evaluate: there are no methods to compare.', `name some of ${names.join(', ')}.`);
  }
  const shared = {
    seed: options.seed ?? 0,
    ...absenceOf(options),
  };
  const contestant = (choice: MethodChoice): Contestant => {
    const { method, name, options: own = {}, unit }: NamedMethod = typeof choice === 'object' ? choice : { method: choice };
    const explain = typeof method === 'string' ? explainerNamed(method) : method;
    const called = name ?? (typeof method === 'string' ? method : method.name);
    return { name: called, explain: (of, x, given) => explain(of, x, { ...shared, ...own, ...given }), unit, control: false };
  };
  const inputIsImage = [2, 3].includes(model.spec.inputShape.length);
  const controls = options.controls ?? (Object.keys(CONTROLS) as ControlName[]).filter((name) => name !== 'sobelMap' || inputIsImage);
  const all = [...methods.map(contestant), ...controls.map((name) => ({ ...contestant(name), control: true }))];
  const seen = new Set<string>();
  for (const { name } of all) {
    if (name !== '' && !seen.has(name)) seen.add(name);
    else {
      throw new VitrineError(
        'duplicate-name',
        name === '' ? 'evaluate: a method has no name.' : `evaluate: two methods are called '${name}'.`,
        'give each a name of its own: { method, name, options }.',
        { name },
      );
    }
  }
  return all;
}

const explainerNamed = (name: string): ExplanationMethod =>
  Object.hasOwn(CONTROLS, name) ? CONTROLS[name as ControlName] : methodNamed(name).explain;

/** Mean rank of each method over examples and the metrics that count; a score that does not exist comes last. */
function rankingOf(
  names: readonly string[],
  metrics: readonly MetricName[],
  scoresOf: (method: string, metric: MetricName) => Float64Array,
  examples: number,
): readonly RankedMethod[] {
  const counting = metrics.filter((metric) => METRICS[metric].about === 'truth' || METRICS[metric].about === 'network');
  // By example, so that the standard error is that of examples.
  const perExample = Array.from({ length: examples }, (_, example) => {
    const ranks = counting.map((metric) => {
      const sign = METRICS[metric].better === 'lower' ? 1 : -1;
      return averageRanks(
        names.map((name) => {
          const score = sign * (scoresOf(name, metric)[example] as number);
          return Number.isNaN(score) ? Number.POSITIVE_INFINITY : score;
        }),
      );
    });
    return names.map((_, method) => mean(ranks.map((each) => each[method] as number)));
  });
  if (counting.length === 0) return [];
  return names
    .map((method, i) => {
      const ranks = perExample.map((each) => each[i] as number);
      return { method, meanRank: mean(ranks), standardError: orNull(standardErrorOf(ranks)) };
    })
    .sort((a, b) => a.meanRank - b.meanRank);
}

/** Rank correlation of every pair of methods. */
function agreementOf(maps: ReadonlyMap<string, Maps>): readonly PairAgreement[] {
  const unsigned = (of: Maps): boolean => of.values.every((value) => value >= 0);
  const ranked = [...maps].map(([name, of]) => {
    const ranks = (change: (map: Float32Array) => Float32Array): Float64Array[] =>
      Array.from({ length: of.examples }, (_, i) => averageRanks(change(of.of(i))));
    return { name, unsigned: unsigned(of), signed: ranks((map) => map), absolute: ranks(absolute) };
  });
  return ranked.flatMap((a, i) =>
    ranked.slice(i + 1).map((b): PairAgreement => {
      const which = a.unsigned || b.unsigned ? 'absolute' : 'signed';
      const each = a[which].map((ranks, example) => correlation(ranks, b[which][example] as Float64Array)).filter(Number.isFinite);
      return { methods: [a.name, b.name], correlation: orNull(mean(each)) };
    }),
  );
}
