/** What an evaluation comes to, in words. */

import type { EvaluationRow, PairAgreement, RankedMethod } from './evaluate.ts';
import { mean } from './ranks.ts';

/** A finding: a code with parameters says it in any language, `text` in English. */
export type Message = Finding & { readonly text: string };

/** All that a verdict can say. */
export type Finding =
  /**
   * These do better than every control on more than half of the measures of truth and, where `randomised` says that it was measured, depend on the network. Best
   * first.
   */
  | {
      readonly code: 'believe';
      readonly parameters: { readonly methods: readonly string[]; readonly examples: number; readonly randomised: boolean };
    }
  | { readonly code: 'believe-none'; readonly parameters: { readonly examples: number } }
  /** Nothing that was measured tells which to believe. */
  | { readonly code: 'nothing-measured'; readonly parameters: Readonly<Record<string, never>> }
  /** No negative control was scored, so nothing can be better than one. */
  | { readonly code: 'no-controls'; readonly parameters: Readonly<Record<string, never>> }
  /** The best ranks differ by less than two standard errors. */
  | { readonly code: 'tied'; readonly parameters: { readonly methods: readonly string[] } }
  | {
      readonly code: 'no-better-than-control';
      readonly parameters: { readonly method: string; readonly control: string; readonly metrics: readonly string[]; readonly of: number };
    }
  | { readonly code: 'blind-to-network'; readonly parameters: { readonly method: string; readonly correlation: number } }
  | { readonly code: 'agree'; readonly parameters: { readonly methods: readonly string[]; readonly correlation: number } }
  | { readonly code: 'disagree'; readonly parameters: { readonly methods: readonly string[]; readonly correlation: number } }
  | { readonly code: 'few-examples'; readonly parameters: { readonly examples: number } };

export type MessageCode = Finding['code'];

/**
 * Maps whose rank correlation, without its sign and in the mean over the stages, is more of the way from chance to 1 than this do not depend on the network.
 * Chance is what the random map scores: near 0 of hundreds of elements, 1 of two.
 */
export const MOST_ALIKE = 0.5;
/** Mean rank correlation from which methods agree. */
export const LEAST_AGREEMENT = 0.5;
/** Fewer examples say little. */
const FEW_EXAMPLES = 5;
/** Deviations, or standard errors, by which a difference counts. */
const STANDARD_ERRORS = 2;

export function verdictOf(found: {
  readonly examples: number;
  readonly rows: readonly EvaluationRow[];
  readonly ranking: readonly RankedMethod[];
  readonly agreement: readonly PairAgreement[];
}): readonly Message[] {
  const { examples, rows, ranking } = found;
  const truth = [...new Set(rows.filter(({ about }) => about === 'truth').map(({ metric }) => metric))];
  const findings: Finding[] = [];
  const methods = ranking.map(({ method }) => method);
  const failures = methods.flatMap((method) => comparedWithControls(method, truth, rows));
  const chance = rows.find((row) => row.method === 'randomMap' && row.metric === 'modelRandomisation')?.mean ?? 0;
  const blind = methods.flatMap((method): Extract<Finding, { code: 'blind-to-network' }>[] => {
    const alike = rows.find((row) => row.method === method && row.metric === 'modelRandomisation')?.mean ?? 0;
    return alike > chance + MOST_ALIKE * (1 - chance) ? [{ code: 'blind-to-network', parameters: { method, correlation: alike } }] : [];
  });
  const believed = methods.filter(
    (method) =>
      !blind.some(({ parameters }) => parameters.method === method) &&
      2 * new Set(failures.filter(({ parameters }) => parameters.method === method).flatMap(({ parameters }) => parameters.metrics)).size <
        truth.length,
  );
  const randomised = chance < 1 && rows.some(({ metric }) => metric === 'modelRandomisation');
  if (truth.length === 0) findings.push({ code: 'nothing-measured', parameters: {} });
  else if (!rows.some(({ control }) => control)) findings.push({ code: 'no-controls', parameters: {} });
  else if (believed.length === 0) findings.push({ code: 'believe-none', parameters: { examples } });
  else findings.push({ code: 'believe', parameters: { methods: believed, examples, randomised } });
  const tied = tiedWithBest(ranking.filter(({ method }) => believed.includes(method)));
  if (tied.length > 1) findings.push({ code: 'tied', parameters: { methods: tied } });
  const compared = believed.length > 1 ? believed : rows.filter(({ control }) => !control).map(({ method }) => method);
  const pairs = found.agreement.filter(({ methods: pair }) => pair.every((method) => compared.includes(method)));
  const correlations = pairs.flatMap((pair) => (pair.correlation === null ? [] : [pair.correlation]));
  if (correlations.length > 0) {
    const together = mean(correlations);
    const parameters = { methods: [...new Set(compared)], correlation: together };
    findings.push({ code: together >= LEAST_AGREEMENT ? 'agree' : 'disagree', parameters });
  }
  findings.push(...blind, ...failures);
  if (examples < FEW_EXAMPLES) findings.push({ code: 'few-examples', parameters: { examples } });
  return findings.map((finding) => ({ ...finding, text: sentence(finding) }));
}

/** For each control that a method does not do better than, the metrics by which it does not. */
function comparedWithControls(
  method: string,
  metrics: readonly string[],
  rows: readonly EvaluationRow[],
): readonly Extract<Finding, { code: 'no-better-than-control' }>[] {
  const byControl = new Map<string, string[]>();
  for (const metric of metrics) {
    const own = rows.find((row) => row.method === method && row.metric === metric) as EvaluationRow;
    // The control that goes farthest ahead stands for all.
    let worst: { control: string; margin: number } | undefined;
    for (const other of rows.filter((row) => row.control && row.metric === metric)) {
      const { ahead, margin } = isAhead(own, other);
      if (!ahead && margin < (worst?.margin ?? Number.POSITIVE_INFINITY)) worst = { control: other.method, margin };
    }
    if (worst) byControl.set(worst.control, [...(byControl.get(worst.control) ?? []), metric]);
  }
  return [...byControl].map(([control, failed]) => ({
    code: 'no-better-than-control',
    parameters: { method, control, metrics: failed, of: metrics.length },
  }));
}

/**
 * Whether one is better than another, by the sign test over examples: how many more it wins than it loses, against what chance would allow. Scores of some
 * metrics differ by orders of magnitude between examples, so that a mean would be one example's.
 */
function isAhead(own: EvaluationRow, other: EvaluationRow): { ahead: boolean; margin: number } {
  const sign = own.better === 'higher' ? 1 : -1;
  let [wins, losses] = [0, 0];
  own.values.forEach((value, i) => {
    const against = other.values[i] ?? null;
    // A control without a score has said nothing; a method without one has not done better.
    if (against === null) return;
    if (value === null || sign * (value - against) < 0) losses += 1;
    else if (value !== against) wins += 1;
  });
  if (other.values.every((value) => value === null)) return { ahead: true, margin: 1 };
  const decided = wins + losses;
  const margin = decided === 0 ? 0 : (wins - losses) / decided;
  // Where there are too few examples for two deviations, all of them must be won.
  return { ahead: decided > 0 && wins - losses >= Math.min(STANDARD_ERRORS * Math.sqrt(decided), decided), margin };
}

/** The best, and those whose ranks are within two standard errors of it. */
function tiedWithBest(ranking: readonly RankedMethod[]): readonly string[] {
  const [best] = ranking;
  if (!best) return [];
  return ranking
    .filter((each) => {
      const error = Math.hypot(best.standardError ?? 0, each.standardError ?? 0);
      return each === best || each.meanRank - best.meanRank <= STANDARD_ERRORS * error;
    })
    .map(({ method }) => method);
}

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

const plural = (count: number, what: string): string => `${count === 1 ? 'this' : `these ${count}`} ${what}${count === 1 ? '' : 's'}`;

/** A finding in English. */
export function sentence(finding: Finding): string {
  switch (finding.code) {
    case 'believe': {
      const { methods, examples, randomised } = finding.parameters;
      const [does, depends] = methods.length === 1 ? ['it does', 'it depends'] : ['they do', 'they depend'];
      const network = randomised
        ? `and ${depends} on what the network has learned.`
        : `but whether ${depends} on what the network has learned was not measured.`;
      return `For ${plural(examples, 'example')}, believe ${list(methods)}: ${does} better than every control on most measures, ${network}`;
    }
    case 'believe-none':
      return `For ${plural(finding.parameters.examples, 'example')}, believe none of these maps: none does better than the controls on most measures while depending on the network.`;
    case 'nothing-measured':
      return 'Nothing was measured that tells which map to believe: ask for deletion, insertion, infidelity or faithfulness correlation.';
    case 'no-controls':
      return 'No negative control was scored, so no map can be said to be better than one that explains nothing.';
    case 'tied':
      return `By these measures ${list(finding.parameters.methods)} cannot be told apart.`;
    case 'no-better-than-control': {
      const { method, control, metrics, of } = finding.parameters;
      return `${method} does no better than ${control}, which explains nothing, on ${list(metrics)} (${metrics.length} of ${of} measures).`;
    }
    case 'blind-to-network': {
      const { method, correlation } = finding.parameters;
      return `${method} hardly changes when the network's layers are drawn anew (rank correlation ${correlation.toFixed(2)}, whatever its sign): it shows the input more than what was learned.`;
    }
    case 'agree':
      return `The maps of ${list(finding.parameters.methods)} agree (mean rank correlation ${finding.parameters.correlation.toFixed(2)}).`;
    case 'disagree':
      return `The maps of ${list(finding.parameters.methods)} disagree (mean rank correlation ${finding.parameters.correlation.toFixed(2)}): they answer different questions, and no one of them is the whole explanation.`;
    case 'few-examples':
      return `With so few examples (${finding.parameters.examples}) the standard errors say little; evaluate more of them before you trust this.`;
  }
}
