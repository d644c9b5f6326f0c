import { compile } from '../../engine/compile.ts';
import { VitrineError } from '../../engine/errors.ts';
import { Graph, type Node, substitution } from '../../engine/graph.ts';
import { copyBytes, type Examples, type Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { add, multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { constant } from '../../engine/ops/fill.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { mean } from '../../engine/ops/reduce.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { disposeAll, type ExplainOptions, unsupportedModel } from '../attribution.ts';
import { explainerOf, type Scene } from '../explainer.ts';
import { recordOptions } from '../local/gradient.ts';
import { repeatRows } from '../ops/repeat-rows.ts';
import { type AttentionLayer, type AttentionMap, attentionMapOf, requireHead, requireLayer } from './attention-layers.ts';

export interface AblateHeadOptions extends ExplainOptions {
  /** Name of the layer; the last one that attends, by default. */
  readonly layer?: string;
  /** The head to ablate, or several to ablate together; by default each head in turn. */
  readonly head?: number | readonly number[];
  /** What stands in place of a head's output: nothing, or its mean over `background` at each token; 'zero' by default. */
  readonly replacement?: 'zero' | 'mean';
  /** The examples that 'mean' is taken over; x by default. */
  readonly background?: Examples;
}

const HEADS = 'heads/';

/** Sets of heads to ablate, one a column of the result. @throws VitrineError `invalid-option` */
function ablationsOf(method: string, layer: AttentionLayer, head: AblateHeadOptions['head']): number[][] {
  if (head === undefined) return Array.from({ length: layer.heads }, (_, each) => [each]);
  const together = typeof head === 'number' ? [head] : [...head];
  for (const each of together) requireHead(method, layer, each);
  if (together.length === 0) {
    throw new VitrineError(
      'invalid-option',
      `${method}: there is no head to ablate.`,
      'name a head, or leave `head` out for each in turn.',
      {
        method,
      },
    );
  }
  return [together];
}

/** What each head of a layer gives on average over some examples, [heads, queries · width]: taken once, whatever the runs. The caller disposes of it. */
async function meanHeadOutputs(model: Model, layer: AttentionLayer, x: Examples, options: ExplainOptions): Promise<Tensor> {
  const { device } = model;
  const { tensors } = await explainerOf(model).run(
    {
      method: 'ablateHead/mean',
      key: layer.name,
      tokens: true,
      classless: true,
      build: ({ forward, rows }) => {
        const heads = forward.activations.get(HEADS + layer.name) as Node;
        return { outputs: { values: reshape(heads, [rows, layer.heads, elements(heads.shape.slice(2))]) } };
      },
    },
    x,
    { ...(options.signal ? { signal: options.signal } : {}), ...(options.budget ? { budget: options.budget } : {}) },
  );
  try {
    const outputs = tensors.get('values') as Tensor;
    const all = new Graph().placeholder('heads', outputs.shape);
    const average = mean(all, [0]);
    const plan = await compile(device, [average], { name: 'ablateHead/mean', owner: 'explain', tensors: new Map([[all, outputs]]) });
    try {
      const result = await device.guarded('ablateHead', () =>
        device.empty(average.shape, 'float32', 'ablateHead/mean', { owner: 'explain' }),
      );
      plan.run();
      copyBytes(device, plan.tensor(average), 0, result, 0, result.bytes, 'explain');
      return result;
    } finally {
      plan.dispose();
    }
  } finally {
    disposeAll(tensors.values());
  }
}

/**
 * Head ablation: f_c(x) − f_c(x, a head's output replaced), what the output loses with the head. Which head is data: one plan serves them all.
 *
 * **Shapes** x [rows, ...inputShape] → values [rows, ablations]: a column for each head of the layer, or one for the heads named.
 * **Cost** one forward row an example and ablation, and one more.
 * **Shows** what the network does without a head, which its attention weights do not. **Does not show** what heads do together: two that stand in
 * for one another both look useless; name both. With 'zero' the layers after it see what they never saw in training; 'mean' is closer to it.
 * **Source** Michel, Levy, Neubig 2019, "Are Sixteen Heads Really Better than One?", section 3; the mean: Wang et al. 2023, "Interpretability in the Wild", section 2.
 *
 * @throws VitrineError `unsupported-model`, `unknown-name`, `invalid-option`, `label-out-of-range`, `shape-mismatch`, `dtype-mismatch`, `empty-dataset`,
 * `non-finite-data`, `aborted`
 */
export async function ablateHead(model: Model, x: Examples, options: AblateHeadOptions = {}): Promise<AttentionMap> {
  const method = 'ablateHead';
  const { replacement = 'zero', head } = options;
  const layer = requireLayer(method, model, options.layer);
  const ablations = ablationsOf(method, layer, head);
  if (replacement !== 'zero' && replacement !== 'mean') {
    throw new VitrineError('invalid-option', `${method}: there is no replacement '${String(replacement)}'.`, "use 'zero' or 'mean'.", {
      replacement,
    });
  }
  const background = replacement === 'mean' ? (options.background ?? x) : undefined;
  const instead = background && (await meanHeadOutputs(model, layer, background, options));
  const build = (scene: Scene) => {
    const { rows, samples, graph } = scene;
    const own = scene.forwardOf(repeatRows(scene.x, samples));
    const heads = own.activations.get(HEADS + layer.name);
    if (!heads) {
      throw unsupportedModel(
        method,
        `${layer.name} does not show what its heads give.`,
        `let it name that node ${HEADS}${layer.name}, or use gradientAttention.`,
      );
    }
    // 1 where a sample ablates a head.
    const ablated = reshape(scene.input('ablated', [samples, layer.heads]), [samples, layer.heads, 1]);
    const each = reshape(heads, [rows, samples, layer.heads, elements(heads.shape.slice(2))]);
    const kept = multiply(each, subtract(constant(graph, 1), ablated));
    const left = instead ? add(kept, multiply(ablated, scene.shared('instead'))) : kept;
    const { logits } = own;
    const without = scene.output(substitution(graph, new Map([[heads, reshape(left, heads.shape)]]))(logits));
    const output = scene.output(scene.forward.logits);
    const effects = subtract(reshape(output, [rows, 1]), reshape(without, [rows, samples]));
    // Each sample's effect goes to the column of its ablation; samples that do not count have none.
    const column = scene.input('column', [samples, ablations.length]);
    const values = add(scene.carried('values', [rows, ablations.length]), matmul(effects, column));
    return { outputs: { values, output }, carry: { values } };
  };
  try {
    const explained = await explainerOf(model).run(
      {
        method,
        key: `${layer.name} ${ablations.length} ${replacement}`,
        tokens: true,
        samples: ablations.length,
        ...(instead ? { shared: { instead } } : {}),
        slice: (first, count, width) => {
          const ablated = new Float32Array(width * layer.heads);
          const column = new Float32Array(width * ablations.length);
          for (let sample = 0; sample < count; sample++) {
            for (const each of ablations[first + sample] ?? []) ablated[sample * layer.heads + each] = 1;
            column[sample * ablations.length + first + sample] = 1;
          }
          return { ablated, column };
        },
        build,
      },
      x,
      options,
    );
    // Without `head` each is ablated in turn; a list would have them ablated together.
    const heads = head === undefined ? {} : { head: typeof head === 'number' ? head : [...head] };
    const record = { layer: layer.name, ...heads, replacement, ...(background ? { background: model.rowsOf(background) } : {}) };
    return attentionMapOf(method, [layer], recordOptions(options, record), explained);
  } finally {
    disposeAll([instead]);
  }
}
