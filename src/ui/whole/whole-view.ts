/** What the views of the whole network have in common: words, and work on a copy of the network. */

import { type CSSResult, css, LitElement, type PropertyDeclarations } from 'lit';
import { type Dataset, type Model, VitrineError } from '../../engine/index.ts';
import { bringChinese, Words } from '../language.ts';
import { type Spoken, spoken } from '../messages/spoken.ts';
import type { Command } from '../session/commands.ts';
import type { Snapshot } from '../session/session.ts';
import { wholeChinese } from './messages-chinese.ts';
import { wholeEnglish } from './messages-english.ts';

bringChinese(wholeChinese, 'whole.');
const views: Spoken<typeof wholeEnglish> = spoken(wholeEnglish, 'whole.');

export class WholeWords extends Words {
  readonly views: Spoken<typeof wholeEnglish> = views;
}

/** What was found, and of which network and step. */
interface Found<Result> {
  readonly of: Model;
  readonly step: number;
  readonly result: Result;
}

export abstract class WholeView<Result> extends LitElement {
  static override properties: PropertyDeclarations = { snapshot: { attribute: false }, found: { state: true }, busy: { state: true } };

  declare snapshot: Snapshot | undefined;
  declare found: Found<Result> | undefined;
  declare busy: boolean;
  protected readonly words: WholeWords = new WholeWords(this);
  /** Ends what is being computed. */
  protected ending: AbortController | undefined;

  constructor() {
    super();
    this.snapshot = undefined;
    this.found = undefined;
    this.busy = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.ending?.abort();
  }

  override willUpdate(): void {
    const model = this.snapshot?.run?.model;
    // What was found of another network says nothing of this one; neither does an earlier life of it, before a reset.
    if (this.found && (this.found.of !== model || this.found.step > (this.snapshot?.step ?? 0))) this.found = undefined;
  }

  /** Computes on a copy of the network as it is now: training may go on meanwhile, and the step stays true. */
  protected async compute(work: (copy: Model, signal: AbortSignal) => Promise<Result>): Promise<void> {
    const model = this.snapshot?.run?.model;
    if (!model || this.busy) return;
    this.busy = true;
    const ending = new AbortController();
    this.ending = ending;
    let copy: Model | undefined;
    try {
      const { buildModel } = await import('./whole-library.ts');
      copy = await buildModel(model.device, model.spec);
      copyWeights(copy, model);
      const step = copy.parameters.values().next().value?.step ?? 0;
      const result = await work(copy, ending.signal);
      this.found = { of: model, step, result };
    } catch (error) {
      // Ended by the visitor; or the network was replaced, or the GPU is being, which the page says by itself.
      const code = error instanceof VitrineError ? error.code : undefined;
      if (code !== 'aborted' && code !== 'device-lost' && code !== 'tensor-disposed') {
        const detail: Command = { do: 'report', error };
        this.dispatchEvent(new CustomEvent('command', { detail, bubbles: true, composed: true }));
      }
    } finally {
      copy?.dispose();
      this.busy = false;
      this.ending = undefined;
    }
  }
}

/** In one turn, so that all of them belong to one step. */
function copyWeights(copy: Model, model: Model): void {
  const { device } = model;
  const [from, to] = [model.flatParameters, copy.flatParameters];
  device.submit('ui', 'copy of the network', (encoder) => {
    encoder.copyBufferToBuffer(from.buffer, from.byteOffset, to.buffer, to.byteOffset, from.bytes);
    device.count('ui', 'copyBuffer');
  });
  for (const [name, tensor] of copy.parameters) tensor.step = model.parameters.get(name)?.step;
}

/** The first so many examples, as the network gets them. */
export function firstOf({ inputs, size, divisor = 255 }: Dataset, most: number): Float32Array {
  const by = inputs instanceof Uint8Array ? divisor : 1;
  return Float32Array.from(inputs.subarray(0, Math.min(size, most) * (inputs.length / size)), (value) => value / by);
}

export const wholeStyles: CSSResult = css`
  .head {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 0.75rem;
    align-items: center;
    min-height: 2.25rem;
  }

  .head h3 {
    margin-right: auto;
  }

  button {
    min-height: 2.25rem;
    padding: 0 0.625rem;
    font-size: 0.8125rem;
    font-weight: 400;
  }

  /* A wide table scrolls by itself, never the page. */
  .table {
    overflow-x: auto;
  }

  table,
  th,
  td {
    font-size: 0.75rem;
  }

  th,
  td {
    padding-block: 0.125rem;
    white-space: nowrap;
  }

  tbody th {
    color: var(--ink);
    font-weight: 400;
  }

  caption {
    padding-bottom: 0.25rem;
    color: var(--quiet);
    font-size: 0.75rem;
    text-align: start;
  }

  p.note {
    max-width: 80ch;
    margin: 0.125rem 0;
    font-size: 0.75rem;
  }

  .head .note {
    font-size: 0.75rem;
  }

  @media (max-width: 719px), (pointer: coarse) {
    button {
      min-height: 44px;
    }
  }
`;
