/** Every element of the studio by its name. `defineWorkspace` registers them, so that importing a class has no side effect. */

import { DrawingPad } from './drawing-pad.ts';
import { AttributionMap } from './maps/attribution-map.ts';
import { NetworkDiagram } from './maps/network-diagram.ts';
import { TensorView } from './maps/tensor-view.ts';
import { StudioExample } from './studio-example.ts';
import { StudioHeader } from './studio-header.ts';
import { StudioNetwork } from './studio-network.ts';
import type { StudioRecipe } from './studio-recipe.ts';
import { StudioTime } from './studio-time.ts';
import { StudioWhy } from './studio-why.ts';
import type { TensorInspector } from './tensor-inspector.ts';
import { VitrineLanguage } from './vitrine-language.ts';
import { VitrineNotices } from './vitrine-notices.ts';
import { VitrinePage } from './vitrine-page.ts';

declare global {
  interface HTMLElementTagNameMap {
    'drawing-pad': DrawingPad;
    'studio-example': StudioExample;
    'studio-header': StudioHeader;
    'studio-network': StudioNetwork;
    'studio-recipe': StudioRecipe;
    'studio-time': StudioTime;
    'studio-why': StudioWhy;
    'tensor-inspector': TensorInspector;
    'vitrine-language': VitrineLanguage;
    'vitrine-notices': VitrineNotices;
    'vitrine-page': VitrinePage;
  }
}

const elements: Readonly<Record<string, CustomElementConstructor>> = {
  'attribution-map': AttributionMap,
  'drawing-pad': DrawingPad,
  'network-diagram': NetworkDiagram,
  'studio-example': StudioExample,
  'studio-header': StudioHeader,
  'studio-network': StudioNetwork,
  'studio-time': StudioTime,
  'studio-why': StudioWhy,
  'tensor-view': TensorView,
  'vitrine-language': VitrineLanguage,
  'vitrine-notices': VitrineNotices,
  'vitrine-page': VitrinePage,
};

/** Twice is once. */
export function defineWorkspace(): void {
  for (const [name, element] of Object.entries(elements)) {
    if (!customElements.get(name)) customElements.define(name, element);
  }
}
