import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Plan, PlanStep } from '../engine/index.ts';
import { Words } from './language.ts';
import type { Snapshot } from './session/session.ts';
import { shared } from './shared-styles.ts';

/** The plan of a training step: every dispatch in order, each with its kernel to read. */
export class VitrinePlan extends LitElement {
  static override properties: PropertyDeclarations = { snapshot: { attribute: false }, opened: { state: true } };

  declare snapshot: Snapshot | undefined;
  /** Steps whose kernel is shown. */
  declare opened: ReadonlySet<string>;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.snapshot = undefined;
    this.opened = new Set();
  }

  override render(): TemplateResult {
    const { say, language } = this.#words;
    const { trainer } = this.snapshot?.run ?? {};
    const parts: [string, Plan | undefined][] = [
      [say.planPhaseGather, trainer?.gatherPlan],
      [say.planPhaseStep, trainer?.plan],
    ];
    const count = parts.reduce((sum, [, plan]) => sum + (plan?.steps.length ?? 0), 0);
    let number = 0;
    return html`
      <h2>${say.plan}</h2>
      <p class="caption">${trainer ? say.planCaption(this.#words.whole(count)) : say.planWaiting}</p>
      ${
        trainer
          ? html`
              <div class="columns" aria-hidden="true">
                <span></span><span>${say.planKernel}</span><span>${say.planOperations}</span><span>${say.planVariant}</span
                ><span>${say.planWorkgroups}</span>
              </div>
              ${parts.map(
                ([title, plan]) => html`
                  <h3>${title}</h3>
                  <ol lang=${language === 'en' ? nothing : 'en'}>
                    ${plan?.steps.map((step) => this.#step(`${plan.name} ${step.index}`, ++number, step))}
                  </ol>
                `,
              )}
            `
          : nothing
      }
    `;
  }

  #step(key: string, number: number, step: PlanStep): TemplateResult {
    const { say } = this.#words;
    const open = this.opened.has(key);
    return html`
      <li>
        <details ?open=${open} @toggle=${(event: Event) => this.#toggle(key, (event.target as HTMLDetailsElement).open)}>
          <summary>
            <span class="grid">
              <span class="index number">${number}</span>
              <code class="kernel">${step.kernel.name}</code>
              <span class="operations">${step.operations.join(' + ')}</span>
              <span class="variant"><span class="inline">${say.planVariant}: </span>${step.variant}</span>
              <span class="workgroups number"><span class="inline">${say.planWorkgroups}: </span>${workgroups(step)}</span>
            </span>
          </summary>
          ${open ? html`<vitrine-kernel .step=${step}></vitrine-kernel>` : nothing}
        </details>
      </li>
    `;
  }

  #toggle(key: string, open: boolean): void {
    const opened = new Set(this.opened);
    if (open) opened.add(key);
    else opened.delete(key);
    this.opened = opened;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      h3 {
        margin-top: 1.25rem;
        padding-bottom: 0.375rem;
        border-bottom: 1px solid var(--line);
        color: var(--quiet);
        font-weight: 500;
        font-size: 0.8125rem;
      }

      ol {
        margin: 0;
        padding: 0;
        list-style: none;
      }

      li {
        border-bottom: 1px solid var(--line);
      }

      .columns,
      .grid {
        display: grid;
        flex: 1;
        grid-template-columns: 1.5rem minmax(14rem, 2fr) minmax(14rem, 3fr) minmax(7rem, 1fr) 7rem;
        gap: 0 1rem;
        align-items: baseline;
        font-size: 0.875rem;
      }

      .columns {
        padding-left: 1.5rem;
        color: var(--quiet);
        font-size: 0.8125rem;
      }

      .columns > :last-child,
      .workgroups {
        text-align: end;
      }

      .index {
        color: var(--quiet);
        text-align: end;
      }

      code {
        font-family: var(--mono);
        font-size: 0.8125rem;
      }

      .operations,
      .variant {
        overflow-wrap: anywhere;
      }

      .variant,
      .workgroups {
        color: var(--quiet);
      }

      summary:hover .kernel {
        text-decoration: underline;
        text-underline-offset: 0.25em;
      }

      .inline {
        display: none;
      }

      vitrine-kernel {
        padding-left: 1.5rem;
      }

      @media (max-width: 859px) {
        .columns {
          display: none;
        }

        summary {
          padding: 0.5rem 0;
        }

        .grid {
          grid-template-columns: 1.5rem max-content minmax(0, 1fr);
        }

        .grid > :nth-child(-n + 3):not(:first-child) {
          grid-column: 2 / -1;
        }

        .variant {
          grid-column: 2;
        }

        .workgroups {
          text-align: start;
        }

        .inline {
          display: inline;
        }

        vitrine-kernel {
          padding-left: 0;
        }
      }
    `,
  ];
}

/** 4 × 32; trailing ones say nothing. */
function workgroups({ workgroups: [x, y, z] }: PlanStep): string {
  return [x, ...(y > 1 || z > 1 ? [y] : []), ...(z > 1 ? [z] : [])].join(' × ');
}
