import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { saveModel } from '../engine/index.ts';
import { adapterName, isSoftware } from './adapter.ts';
import { icon } from './icons.ts';
import { Words } from './language.ts';
import type { Page } from './session/choices.ts';
import { send } from './session/commands.ts';
import { linkOf } from './session/link.ts';
import type { Snapshot } from './session/session.ts';
import { isOwnData } from './settings.ts';
import { shared } from './shared-styles.ts';
import { shortcutsWanted, wantShortcuts } from './shortcuts.ts';

const COPIED_MILLISECONDS = 2500;

/** The head of every page: what is trained and on what, where one may go, and what one may take along. */
export class StudioHeader extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    pages: { attribute: false },
    copied: { state: true },
  };

  declare snapshot: Snapshot | undefined;
  /** Where one may go. */
  declare pages: readonly Page[];
  /** The link was copied a moment ago. */
  declare copied: boolean;
  readonly #words = new Words(this);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.snapshot = undefined;
    this.pages = [];
    this.copied = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  override render(): TemplateResult {
    const { snapshot } = this;
    const { say } = this.#words;
    const page = snapshot?.choices.page ?? 'studio';
    const device = snapshot?.device;
    return html`
      <h1>Vitrine</h1>
      <nav aria-label=${say.pages} ?hidden=${this.pages.length < 2}>
        ${this.pages.map(
          (name) => html`<button
            class="tab"
            aria-current=${name === page ? 'page' : 'false'}
            @click=${() => send(this, { do: 'choose', choices: { page: name } })}
          >
            ${say.pageNames[name]}
          </button>`,
        )}
      </nav>
      ${this.#recipe()}
      <span class="adapter" title=${device && isSoftware(device) ? say.adapterSoftware : nothing}>
        <span class="name">${device ? adapterName(device) || say.adapterUnnamed : snapshot?.recorded ? say.noGpu : ''}</span>
        ${device ? html`<span class="number memory">${this.#words.bytes(device.memory.bytes)}</span>` : nothing}
      </span>
      <div class="take">
        ${
          // No address holds what another page gave.
          snapshot?.given
            ? nothing
            : html`<button class="quiet" title=${say.shareHint} @click=${() => void this.#share()}>
                ${icon('share')}<span class="word">${this.copied ? say.copied : say.share}</span>
              </button>`
        }
        <button class="quiet" title=${say.saveHint} ?disabled=${!snapshot?.run} @click=${() => void this.#save()}>
          ${icon('save')}<span class="word">${say.save}</span>
        </button>
        <vitrine-language></vitrine-language>
        <button class="quiet help" aria-label=${say.help} title=${say.help} @click=${() => this.#help()}>?</button>
      </div>
      <p class="hidden" role="status">${this.copied ? say.linkCopied : nothing}</p>
      <dialog aria-label=${say.help} @click=${(event: Event) => (event.target as HTMLDialogElement).close?.()}>
        <div @click=${(event: Event) => event.stopPropagation()}>
          <h2>${say.help}</h2>
          <dl>
            ${(Object.keys(say.keys) as (keyof typeof say.keys)[]).map(
              (name) => html`<dt>${say.keys[name].split(' ').map((key) => html`<kbd>${key}</kbd> `)}</dt>
                <dd>${say.keysDo[name]}</dd>`,
            )}
          </dl>
          <label class="check"
            ><input
              type="checkbox"
              .checked=${shortcutsWanted()}
              @change=${(event: Event) => wantShortcuts((event.target as HTMLInputElement).checked)}
            />${say.shortcutsOn}</label
          >
          ${snapshot?.given ? nothing : html`<p class="note">${say.linkHint}</p><p class="note">${say.credit}</p>`}
          <form method="dialog"><button class="primary">${say.dismiss}</button></form>
        </div>
      </dialog>
    `;
  }

  #recipe(): TemplateResult {
    const { say } = this.#words;
    const given = this.snapshot?.given;
    const settings = this.snapshot?.shown?.settings ?? this.snapshot?.choices.recipe;
    const words = settings
      ? say.recipeInShort(
          isOwnData(settings.data) ? (this.snapshot?.test?.name ?? settings.data) : say.dataNames[settings.data],
          (given ? given.layers : settings.hidden.join('-')) || (this.snapshot?.test?.vocabulary ? say.attentionAlone : say.linear),
          given?.optimizer ?? say.optimizerNames[settings.optimizer],
          String(this.snapshot?.rate ?? settings.rate),
          this.#words.whole(settings.batch),
        )
      : '';
    return html`<button
      class="recipe"
      ?disabled=${this.snapshot?.recorded !== undefined}
      aria-haspopup="dialog"
      title=${given ? say.recipeGivenHint : say.recipeHint}
      @click=${() => this.dispatchEvent(new Event('open-recipe', { bubbles: true, composed: true }))}
    >
      <span class="said">${words}</span><span class="change">${say.change}</span>
    </button>`;
  }

  #help(): void {
    this.renderRoot.querySelector('dialog')?.showModal();
  }

  async #share(): Promise<void> {
    const link = new URL((this.snapshot && linkOf(this.snapshot)) ?? location.hash, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      // Not every page may write the clipboard: the address bar has the same link.
      window.prompt(this.#words.say.shareHint, link);
      return;
    }
    this.copied = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.copied = false;
    }, COPIED_MILLISECONDS);
  }

  async #save(): Promise<void> {
    const { run } = this.snapshot ?? {};
    if (!run) return;
    try {
      const bytes = await saveModel(run.model);
      download(
        new Blob([bytes as Uint8Array<ArrayBuffer>]),
        `vitrine-${run.settings.data.replace(':', '-')}-step-${run.trainer.step}.safetensors`,
      );
    } catch (error) {
      send(this, { do: 'report', error });
    }
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        display: flex;
        align-items: center;
        gap: 0.25rem 0.75rem;
        min-width: 0;
        padding: 0 0.75rem;
        border-bottom: 1px solid var(--line);
        background: var(--paper);
      }

      h1 {
        margin: 0 0.25rem 0 0.25rem;
        font: 400 1.375rem/1 var(--serif);
        letter-spacing: -0.01em;
      }

      nav,
      .take {
        display: flex;
        align-items: center;
      }

      .tab,
      .quiet,
      .recipe {
        min-height: 44px;
        padding: 0 0.625rem;
        border-color: transparent;
        border-radius: 8px;
        font-size: 0.8125rem;
        font-weight: 400;
      }

      .tab {
        color: var(--quiet);
      }

      .tab[aria-current='page'] {
        color: var(--ink);
        text-decoration: underline;
        text-decoration-thickness: 1.5px;
        text-underline-offset: 0.4em;
      }

      .recipe {
        flex: 0 1 auto;
        justify-content: start;
        min-width: 0;
        color: var(--quiet);
      }

      .said {
        overflow: hidden;
        color: var(--ink);
        font-variant-numeric: tabular-nums;
        line-height: 1.4;
        text-overflow: ellipsis;
      }

      .change {
        text-decoration: underline;
        text-underline-offset: 0.2em;
      }

      .adapter {
        display: flex;
        gap: 0.5rem;
        min-width: 0;
        margin-left: auto;
        color: var(--quiet);
        font-size: 0.75rem;
        white-space: nowrap;
      }

      .adapter .name {
        overflow: hidden;
        text-overflow: ellipsis;
      }

      .memory {
        flex: none;
        color: var(--ink);
      }

      .help {
        font-weight: 600;
      }

      dialog {
        max-width: min(34rem, calc(100vw - 2rem));
        padding: 0;
        border: 1px solid var(--line);
        border-radius: 14px;
        background: var(--paper);
        color: var(--ink);
      }

      dialog::backdrop {
        background: rgb(0 0 0 / 35%);
      }

      dialog > div {
        padding: 1.25rem 1.5rem;
      }

      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0.375rem 1rem;
        margin: 0.75rem 0 0.5rem;
        font-size: 0.875rem;
      }

      dd {
        margin: 0;
      }

      dialog .check {
        margin-bottom: 0.5rem;
      }

      dialog .note {
        margin-bottom: 0.75rem;
      }

      kbd {
        display: inline-block;
        min-width: 1.5rem;
        padding: 0 0.375rem;
        border: 1px solid var(--edge);
        border-radius: 5px;
        font: inherit;
        font-size: 0.75rem;
        text-align: center;
      }

      @media (max-width: 1279px) {
        .take .word {
          display: none;
        }
      }

      @media (max-width: 1023px) {
        :host {
          flex-wrap: wrap;
        }

        .adapter {
          order: 3;
        }

        .recipe {
          order: 4;
          width: 100%;
        }

        .take {
          margin-left: auto;
        }
      }

      @media (max-width: 719px) {
        .adapter {
          display: none;
        }

        h1 {
          font-size: 1.25rem;
        }
      }

      @media (max-width: 400px) {
        :host {
          padding: 0 0.25rem;
          gap: 0;
        }

        .tab,
        .quiet {
          padding: 0 0.3125rem;
        }
      }
    `,
  ];
}

/** Hands a file to the visitor. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
