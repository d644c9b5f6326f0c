/** The studio in a page of your own: `await mountStudio(element, { trainer, dataset })`. */

import { type CSSResult, css } from 'lit';
import type { Dataset, Trainer } from '../engine/index.ts';
import { givenOf } from './given.ts';
import { type Language, languageChoice } from './language.ts';
import { tokens } from './tokens.ts';
import { defineWorkspace } from './workspace.ts';

export type { Language } from './language.ts';

export interface StudioOptions {
  /** Trains and is looked into. It stays yours: the studio drives it while it is mounted, and disposes neither it, its model nor its device. */
  readonly trainer: Trainer;
  /**
   * The examples that are looked at, asked about and tested; the trainer has its own to train on. Where that holds nothing out for validation,
   * these are validated on.
   */
  readonly dataset: Dataset;
  /** Passes over the trainer's data that Run makes, counted from its step 0; 10 by default. The visitor may change it. */
  readonly epochs?: number;
  /** 'en' or 'zh'; what the visitor chose before, or what the browser asks for, by default. All studios of a page speak the same. */
  readonly language?: Language;
}

export interface MountedStudio {
  /** What was put into the page. */
  readonly element: HTMLElement;
  /** Takes it out, stops training where it is, and frees what the studio had made on the GPU. Resolves when training stands still. */
  unmount(): Promise<void>;
}

/** What the page around hands down does not change how the studio looks. */
const inPage: CSSResult = css`
  :host {
    min-height: 0;
    background: var(--paper);
    color: var(--ink);
    font: 400 1rem / 1.55 var(--sans);
    letter-spacing: normal;
    text-align: start;
    text-indent: 0;
    text-shadow: none;
    text-transform: none;
    white-space: normal;
    word-break: normal;
    word-spacing: normal;
    cursor: auto;
  }

  :host(:focus) {
    outline: none;
  }
`;

/**
 * Opens the studio's workspace on a trainer of yours, as the last child of an element. It stands paused at the step that the trainer is at.
 * Layers, data, optimiser, seed and batch size are shown as fixed; learning rate and epochs may be changed. The address of the page is left
 * alone, and shortcuts act only while the focus is inside. Give it the width of the page: it is laid out for the window, and is as tall as that.
 *
 * @throws VitrineError `unsupported-model` where the trainer's model is no classifier of numbers; `empty-dataset` where the trainer has no
 * data; `shape-mismatch`, `label-out-of-range`, `non-finite-data` where the data set is none that the model takes
 */
export async function mountStudio(element: Element, options: StudioOptions): Promise<MountedStudio> {
  const { trainer, dataset, epochs = 10, language = languageChoice.preferred } = options;
  const given = givenOf(trainer, dataset, epochs);
  const { device } = trainer.model;
  await languageChoice.choose(language, false);
  defineWorkspace();
  const studio = document.createElement('vitrine-page');
  studio.embedded = true;
  // So that a click on what is no control brings the shortcuts here.
  studio.tabIndex = -1;
  studio.sources = { openDevice: async () => device, ownsDevice: false, given };
  element.append(studio);
  studio.shadowRoot?.adoptedStyleSheets.push(...[tokens, inPage].flatMap(({ styleSheet }) => styleSheet ?? []));
  const { session } = studio;
  await studio.opened;
  return {
    element: studio,
    unmount: async () => {
      studio.remove();
      await session?.close();
    },
  };
}
