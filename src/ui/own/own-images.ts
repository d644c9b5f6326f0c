import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { paintInk } from '../ink.ts';
import { bringChinese, Words } from '../language.ts';
import { type Spoken, spoken } from '../messages/spoken.ts';
import { whenSchemeChanges } from '../scheme.ts';
import { send } from '../session/commands.ts';
import type { OwnImage } from '../session/own-images.ts';
import type { Snapshot } from '../session/session.ts';
import { shared } from '../shared-styles.ts';
import { ownChinese } from './messages-chinese.ts';
import { ownEnglish } from './messages-english.ts';

bringChinese(ownChinese, 'own.');
const own: Spoken<typeof ownEnglish> = spoken(ownEnglish, 'own.');

/** The images that a visitor dropped, and what was done to them. */
export class OwnImages extends LitElement {
  static override properties: PropertyDeclarations = { snapshot: { attribute: false } };

  declare snapshot: Snapshot | undefined;
  readonly #words = new Words(this);

  constructor() {
    super();
    whenSchemeChanges(this);
    this.snapshot = undefined;
  }

  override render(): TemplateResult {
    const { ownImages = [], choices } = this.snapshot ?? {};
    const { example } = choices ?? {};
    const chosen = example?.kind === 'own' ? example.image : undefined;
    const shown = ownImages.find(({ hash }) => hash === chosen);
    const index = example && example.kind !== 'drawn' ? example.index : 0;
    return html`
      <h3>${own.title}</h3>
      ${this.#taken()}
      ${
        ownImages.length > 0
          ? html`<div class="strip" role="group" aria-label=${own.title}>
              ${ownImages.map(
                ({ hash, name }) => html`<button
                  aria-label=${own.choose(name)}
                  title=${own.choose(name)}
                  aria-pressed=${hash === chosen ? 'true' : 'false'}
                  @click=${() => send(this, { do: 'choose', choices: { example: { kind: 'own', image: hash, index } } })}
                >
                  <canvas data-image=${hash} aria-hidden="true"></canvas>
                </button>`,
              )}
            </div>`
          : nothing
      }
      ${shown ? html`<p class="note" data-done>${shown.name}. ${this.#done(shown)}</p>` : nothing}
      <p class="note">${own.private}</p>
    `;
  }

  #done({ inverted }: OwnImage): string {
    const [rows = 0, columns = 0] = this.snapshot?.test?.inputShape ?? [];
    const size = rows === 28 && columns === 28 ? own.asMnist : own.fitted(this.#words.whole(rows), this.#words.whole(columns));
    return `${size} ${inverted ? own.inverted : own.plain}`;
  }

  #taken(): TemplateResult | typeof nothing {
    const words = this.#words;
    const { taken } = this.snapshot ?? {};
    if (!taken) return nothing;
    const [rows, columns] = [words.whole(taken.size[0]), words.whole(taken.size[1])];
    return html`<p class="note" data-taken>
      ${own.taken(words.whole(taken.count), words.whole(taken.classes.length), words.list(taken.classes))}
      ${taken.resized ? own.takenResized(rows, columns) : own.takenSize(rows, columns)} ${taken.inverted ? own.takenInverted : nothing}
    </p>`;
  }

  protected override updated(): void {
    for (const canvas of this.renderRoot.querySelectorAll<HTMLCanvasElement>('canvas')) {
      const image = this.snapshot?.ownImages?.find(({ hash }) => hash === canvas.dataset.image);
      if (image) paintInk(canvas, [image.height, image.width], (pixel) => image.ink[pixel]!, image);
    }
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        margin-top: 0.5rem;
      }

      h3 {
        font-size: 0.75rem;
      }

      .strip {
        display: grid;
        grid-template-columns: repeat(5, 1fr);
        gap: 2px;
        max-height: 12rem;
        overflow: auto;
      }

      button {
        min-width: 0;
        min-height: 44px;
        padding: 2px;
        border-color: transparent;
      }

      button[aria-pressed='true'] {
        border-color: var(--ink);
      }

      canvas {
        width: 2.25rem;
        height: 2.25rem;
        object-fit: contain;
      }

      .note {
        margin-top: 0.25rem;
        font-size: 0.75rem;
        line-height: 1.35;
        overflow-wrap: anywhere;
      }
    `,
  ];
}
