/** Registers `<vitrine-bench>` and what it is made of: `void import('./bench/index.ts')`. Twice is once. */

import { BenchProfile } from './bench-profile.ts';
import { BenchResults } from './bench-results.ts';
import { RooflineChart } from './roofline-chart.ts';
import { VitrineBench } from './vitrine-bench.ts';

declare global {
  interface HTMLElementTagNameMap {
    'bench-profile': BenchProfile;
    'bench-results': BenchResults;
    'roofline-chart': RooflineChart;
    'vitrine-bench': VitrineBench;
  }
}

const elements: Readonly<Record<string, CustomElementConstructor>> = {
  'bench-profile': BenchProfile,
  'bench-results': BenchResults,
  'roofline-chart': RooflineChart,
  'vitrine-bench': VitrineBench,
};

for (const [name, element] of Object.entries(elements)) if (!customElements.get(name)) customElements.define(name, element);
