import { show } from '../../engine/errors.ts';
import type { Model } from '../../engine/model.ts';

export interface LayerDescription {
  readonly name: string;
  readonly kind: string;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** What the layer was given, without its defaults. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Each with its shape. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly parameterCount: number;
}

export interface NetworkSummary {
  readonly inputShape: readonly number[];
  readonly layers: readonly LayerDescription[];
  readonly parameterCount: number;
  /** Of the parameters, as float32. */
  readonly bytes: number;
  /** A table, a line a layer. */
  table(): string;
  /** A Mermaid flowchart from the input to the output, with the shapes on the arrows. */
  mermaid(): string;
}

/**
 * A readable summary of a network: its layers in order, what goes in and comes out of each, and what it learns. JSON, a table, or a Mermaid flowchart.
 *
 * **Cost** none: nothing runs. **Shows** the architecture. **Does not show** what is inside a layer that has layers of its own but their parameters.
 */
export function networkSummary(model: Model): NetworkSummary {
  model.requireAlive();
  const { inputShape } = model.spec;
  const layers = model.layers.map(({ name, kind, outputShape, parameters: parameterCount }, i): LayerDescription => {
    const parameters = [...model.parameters]
      .filter(([each]) => each.startsWith(`${name}/`))
      .map(([each, { shape }]) => ({ name: each, shape }));
    const { options } = model.spec.layers[i] ?? { options: {} };
    const before = model.layers[i - 1]?.outputShape ?? inputShape;
    return { name, kind, inputShape: before, outputShape, options: { ...(options as object) }, parameters, parameterCount };
  });
  const { parameterCount } = model;
  const activation = ({ options }: LayerDescription): string => (typeof options.activation === 'string' ? ` ${options.activation}` : '');
  return {
    inputShape,
    layers,
    parameterCount,
    bytes: 4 * parameterCount,
    table: () => model.summary(),
    mermaid: () => {
      const arrow = (i: number): string => `-->|"${show(layers[i]?.inputShape ?? layers.at(-1)?.outputShape ?? inputShape)}"|`;
      const lines = layers.map((layer, i) => {
        const learns = layer.parameterCount > 0 ? `<br/>${layer.parameterCount.toLocaleString('en')} parameters` : '';
        return `  ${i === 0 ? 'input(["input"])' : `l${i - 1}`} ${arrow(i)} l${i}["${layer.name}${activation(layer)}${learns}"]`;
      });
      const last = `  l${layers.length - 1} ${arrow(layers.length)} output(["output"])`;
      return ['flowchart TD', ...lines, last].join('\n');
    },
  };
}
