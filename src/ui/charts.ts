/** Registers `<loss-chart>`, which no picture before the first step needs: `void import('./charts.ts')`. Twice is once. */

import { LossChart } from './loss-chart.ts';

if (!customElements.get('loss-chart')) customElements.define('loss-chart', LossChart);
