/** Registers `<cell-cards>` and what it is made of: `void import('./point/index.ts')`. Twice is once. */

import { CellCard } from './cell-card.ts';
import { CellCards } from './cell-cards.ts';

declare global {
  interface HTMLElementTagNameMap {
    'cell-card': CellCard;
    'cell-cards': CellCards;
  }
}

const elements: Readonly<Record<string, CustomElementConstructor>> = { 'cell-card': CellCard, 'cell-cards': CellCards };

for (const [name, element] of Object.entries(elements)) if (!customElements.get(name)) customElements.define(name, element);
