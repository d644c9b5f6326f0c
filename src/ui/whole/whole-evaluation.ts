import { type CSSResultGroup, css, html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Evaluation } from '../../explain/evaluate/evaluate.ts';
import type { MetricName } from '../../explain/evaluate/metrics.ts';
import type { Finding } from '../../explain/evaluate/verdict.ts';
import type { ExplainProgress } from '../../explain/index.ts';
import { shared } from '../shared-styles.ts';
import { firstOf, WholeView, wholeStyles } from './whole-view.ts';

/** Enough for the sign test to tell a method from a control. */
const MOST_EXAMPLES = 8;
const METRICS: readonly MetricName[] = ['deletion', 'insertion', 'infidelity', 'faithfulnessCorrelation', 'modelRandomisation'];

/** Scores the methods that are on cards beside maps that explain nothing, when it is asked for. */
export class WholeEvaluation extends WholeView<Evaluation> {
  static override properties: PropertyDeclarations = { ...WholeView.properties, progress: { state: true } };

  declare progress: ExplainProgress | undefined;

  constructor() {
    super();
    this.progress = undefined;
  }

  async #evaluate(): Promise<void> {
    const { test, cards = [] } = this.snapshot ?? {};
    if (!test) return;
    this.progress = undefined;
    await this.compute(async (copy, signal) => {
      const { evaluate } = await import('./whole-library.ts');
      const methods = cards.flatMap(({ method, map }) => {
        if (!map) return [];
        // As on the card, but for the class: of each example, the predicted one.
        const { target: _target, against: _against, ...options } = map.attribution.options;
        return [{ method, options }];
      });
      return evaluate(copy, firstOf(test, MOST_EXAMPLES), methods, METRICS, {
        signal,
        onProgress: (progress) => {
          this.progress = progress;
        },
      });
    });
    this.progress = undefined;
  }

  override render(): TemplateResult {
    const { words, found, snapshot, progress } = this;
    const { views } = words;
    if (this.isText) return this.notApplicable(views.evaluationTitle, views.evaluationNotForTexts);
    const size = Math.min(MOST_EXAMPLES, snapshot?.test?.size ?? 0);
    const asked = (snapshot?.cards ?? []).flatMap(({ method, map }) => (map ? [method] : []));
    const scored = new Set(found?.result.ranking.map(({ method }) => method));
    const same = asked.length === scored.size && asked.every((method) => scored.has(method));
    const current = found && same && found.step === snapshot?.step;
    return html`
      <div class="head">
        <h3>${views.evaluationTitle}</h3>
        ${
          this.busy
            ? html`<progress max=${progress?.total ?? 1} value=${progress?.done ?? 0} aria-label=${views.evaluationTitle}></progress>
                <span class="note number">${progress ? views.progress(words.whole(progress.done), words.whole(progress.total)) : views.computing}</span>
                <button @click=${() => this.ending?.abort()}>${views.cancel}</button>`
            : current
              ? html`<span class="note">${views.fromStep(words.whole(found.step))}</span>`
              : html`<button ?disabled=${!snapshot?.run || asked.length === 0} @click=${() => void this.#evaluate()}>
                  ${found ? views.refresh(words.whole(found.step)) : views.evaluationBegin}
                </button>`
        }
      </div>
      <p class="note">${views.evaluationNote(words.whole(size))}</p>
      ${found ? this.#found(found.result) : nothing}
    `;
  }

  /** A method, control or metric as the page calls it. */
  readonly #name = (code: string): string => {
    const { say, views } = this.words;
    const names: Readonly<Record<string, string>>[] = [say.methodNames, views.controls, views.metrics];
    return names.find((each) => code in each)?.[code] ?? code;
  };

  #finding(finding: Finding): string {
    const { words } = this;
    const { findings } = words.views;
    const names = (codes: readonly string[]): string => words.list(codes.map(this.#name));
    switch (finding.code) {
      case 'believe': {
        const { methods, examples, randomised } = finding.parameters;
        return (randomised ? findings.believe : findings.believeUntried)(words.whole(examples), names(methods));
      }
      case 'nothing-measured':
      case 'no-controls':
        return findings[finding.code];
      case 'tied':
        return findings.tied(names(finding.parameters.methods));
      case 'no-better-than-control': {
        const { method, control, metrics, of } = finding.parameters;
        const [count, all] = [words.whole(metrics.length), words.whole(of)];
        return findings['no-better-than-control'](this.#name(method), this.#name(control), names(metrics), count, all);
      }
      case 'blind-to-network':
        return findings['blind-to-network'](this.#name(finding.parameters.method), words.significant(finding.parameters.correlation, 2));
      case 'agree':
      case 'disagree':
        return findings[finding.code](names(finding.parameters.methods), words.significant(finding.parameters.correlation, 2));
      default:
        return findings[finding.code](words.whole(finding.parameters.examples));
    }
  }

  #found({ rows, metrics, ranking, verdict }: Evaluation): TemplateResult {
    const { words } = this;
    const { views } = words;
    const number = (value: number | null): string => (value === null ? '–' : words.significant(value, 2));
    const scoreOf = (method: string, metric: MetricName): number | null =>
      rows.find((row) => row.method === method && row.metric === metric)?.mean ?? null;
    const controls = [...new Set(rows.filter(({ control }) => control).map(({ method }) => method))];
    const better = (metric: MetricName): string =>
      rows.find((row) => row.metric === metric)?.better === 'lower' ? views.lower : views.higher;
    const scores = (method: string): TemplateResult[] =>
      metrics.map((metric) => html`<td class="number">${number(scoreOf(method, metric))}</td>`);
    return html`
      <ul class="verdict">
        ${verdict.map((finding) => html`<li data-code=${finding.code}>${this.#finding(finding)}</li>`)}
      </ul>
      <div class="table" tabindex="0" role="region" aria-label=${views.ranking}>
        <table>
          <caption>
            ${views.ranking}
          </caption>
          <thead>
            <tr>
              <th scope="col">${views.method}</th>
              <th scope="col" class="number">${views.meanRank}</th>
              ${metrics.map(
                (metric) =>
                  html`<th scope="col" class="number">${this.#name(metric)}<br /><span class="better">${better(metric)}</span></th>`,
              )}
            </tr>
          </thead>
          <tbody>
            ${ranking.map(
              ({ method, meanRank, standardError }) => html`<tr data-method=${method}>
                <th scope="row">${this.#name(method)}</th>
                <td class="number">
                  ${number(meanRank)} ${standardError === null ? nothing : views.error(number(standardError))}
                </td>
                ${scores(method)}
              </tr>`,
            )}
            ${controls.map(
              (control) => html`<tr class="control" data-method=${control}>
                <th scope="row">${this.#name(control)}</th>
                <td class="number">–</td>
                ${scores(control)}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }

  static override styles: CSSResultGroup = [
    shared,
    wholeStyles,
    css`
      .verdict {
        max-width: 80ch;
        margin: 0.5rem 0;
        padding-left: 1.125rem;
        font-size: 0.8125rem;
      }

      .better {
        font-weight: 400;
        font-size: 0.6875rem;
      }

      .control th,
      .control td {
        color: var(--quiet);
      }
    `,
  ];
}
