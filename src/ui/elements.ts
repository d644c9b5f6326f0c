/** Every element of the page by its name. `defineElements` registers them, so that importing a class has no side effect. */

import { VitrineChart } from './vitrine-chart.ts';
import { VitrineControls } from './vitrine-controls.ts';
import { VitrineCurves } from './vitrine-curves.ts';
import { VitrineDigit } from './vitrine-digit.ts';
import { VitrineKernel } from './vitrine-kernel.ts';
import { VitrineLanguage } from './vitrine-language.ts';
import { VitrineMachine } from './vitrine-machine.ts';
import { VitrineNotices } from './vitrine-notices.ts';
import { VitrinePage } from './vitrine-page.ts';
import { VitrinePlan } from './vitrine-plan.ts';
import { VitrineStatus } from './vitrine-status.ts';
import { VitrineTest } from './vitrine-test.ts';
import { VitrineWeights } from './vitrine-weights.ts';

declare global {
  interface HTMLElementTagNameMap {
    'vitrine-chart': VitrineChart;
    'vitrine-controls': VitrineControls;
    'vitrine-curves': VitrineCurves;
    'vitrine-digit': VitrineDigit;
    'vitrine-kernel': VitrineKernel;
    'vitrine-language': VitrineLanguage;
    'vitrine-machine': VitrineMachine;
    'vitrine-notices': VitrineNotices;
    'vitrine-page': VitrinePage;
    'vitrine-plan': VitrinePlan;
    'vitrine-status': VitrineStatus;
    'vitrine-test': VitrineTest;
    'vitrine-weights': VitrineWeights;
  }
}

const elements: Readonly<Record<string, CustomElementConstructor>> = {
  'vitrine-chart': VitrineChart,
  'vitrine-controls': VitrineControls,
  'vitrine-curves': VitrineCurves,
  'vitrine-digit': VitrineDigit,
  'vitrine-kernel': VitrineKernel,
  'vitrine-language': VitrineLanguage,
  'vitrine-machine': VitrineMachine,
  'vitrine-notices': VitrineNotices,
  'vitrine-page': VitrinePage,
  'vitrine-plan': VitrinePlan,
  'vitrine-status': VitrineStatus,
  'vitrine-test': VitrineTest,
  'vitrine-weights': VitrineWeights,
};

/** Twice is once. */
export function defineElements(): void {
  for (const [name, element] of Object.entries(elements)) {
    if (!customElements.get(name)) customElements.define(name, element);
  }
}
