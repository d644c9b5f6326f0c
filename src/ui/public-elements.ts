/** The elements that stand in any page: `import 'vitrine/elements'` registers them. They take a tensor on the GPU, or an array. */

import { LossChart } from './loss-chart.ts';
import { AttributionMap } from './maps/attribution-map.ts';
import { NetworkDiagram } from './maps/network-diagram.ts';
import { TensorView } from './maps/tensor-view.ts';

export { CurveHistory, type EpochRow, type RateMark } from './curve-history.ts';
export type { Metric } from './loss-chart.ts';
export type { Ends } from './maps/map-painter.ts';
export type { DiagramNode } from './maps/network-diagram.ts';
export type { CellDetail, Values } from './maps/tensor-view.ts';
export { AttributionMap, LossChart, NetworkDiagram, TensorView };

declare global {
  interface HTMLElementTagNameMap {
    'attribution-map': AttributionMap;
    'loss-chart': LossChart;
    'network-diagram': NetworkDiagram;
    'tensor-view': TensorView;
  }
}

const elements = {
  'attribution-map': AttributionMap,
  'loss-chart': LossChart,
  'network-diagram': NetworkDiagram,
  'tensor-view': TensorView,
};

for (const [name, element] of Object.entries(elements)) {
  if (!customElements.get(name)) customElements.define(name, element);
}
