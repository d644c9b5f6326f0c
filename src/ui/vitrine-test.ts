import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { Follow } from './follow.ts';
import { Words } from './language.ts';
import { shared } from './shared-styles.ts';
import type { TestResult, Training } from './training.ts';

/** The accuracy on the test examples, when it is asked for. */
export class VitrineTest extends LitElement {
  static override properties: PropertyDeclarations = { training: { attribute: false } };

  declare training: Training | undefined;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.training = undefined;
    new Follow(this);
  }

  override render(): TemplateResult {
    const { training } = this;
    const words = this.#words;
    const { say } = words;
    const tests = training?.run?.tests ?? [];
    const busy = training?.phase === 'testing';
    return html`
      <h2>${say.test}</h2>
      <p class="caption">${say.testCaption(words.whole(training?.data?.test.size ?? 10_000))}</p>
      <div class="line">
        <button aria-disabled=${busy || !training?.run ? 'true' : 'false'} @click=${() => (busy ? undefined : void training?.test())}>
          ${busy ? say.testRunning : say.testRun}
        </button>
        <p class="number" aria-live="polite">${this.#latest(tests.at(-1))}</p>
      </div>
      ${
        tests.length < 2
          ? nothing
          : html`
              <details>
                <summary>${say.testTable}</summary>
                <table>
                  <thead>
                    <tr>
                      <th scope="col" class="number">${say.testStepColumn}</th>
                      <th scope="col" class="number">${say.testAccuracyColumn}</th>
                      <th scope="col" class="number">${say.testLossColumn}</th>
                    </tr>
                  </thead>
                  <tbody>
                    ${tests.map(
                      ({ step, accuracy, loss }) => html`<tr>
                        <td class="number">${words.whole(step)}</td>
                        <td class="number">${words.percent(accuracy, 2)}</td>
                        <td class="number">${words.small(loss)}</td>
                      </tr>`,
                    )}
                  </tbody>
                </table>
              </details>
            `
      }
    `;
  }

  #latest(test: TestResult | undefined): TemplateResult {
    const words = this.#words;
    const { say } = words;
    if (!test) return html`<span class="quiet">${say.noTest}</span>`;
    const errors = Math.round(test.size * (1 - test.accuracy));
    return html`
      <strong>${say.testResult(words.percent(test.accuracy, 2), words.whole(errors), words.whole(test.size))}</strong>
      <span class="quiet">${say.testAt(words.whole(test.step))}</span>
    `;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.75rem 1rem;
      }

      p {
        margin: 0;
      }

      p.caption {
        margin: 0.375rem 0 1rem;
      }

      strong {
        font-weight: 600;
      }

      .quiet {
        color: var(--quiet);
      }
    `,
  ];
}
