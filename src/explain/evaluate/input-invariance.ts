import { checkFinite } from '../../engine/dataset.ts';
import { shapeMismatch, show } from '../../engine/errors.ts';
import { Graph } from '../../engine/graph.ts';
import { buildModel, copyBytes, type Examples, type Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { type ExplainOptions, unsupportedModel } from '../attribution.ts';
import { explainerOf, firstAffine } from '../explainer.ts';
import { type ExplanationMethod, explainOptionsOf, mapsOf, readExamples, scoreEach } from './maps.ts';
import { distance } from './perturbed-maps.ts';

export interface InputInvarianceOptions extends ExplainOptions {
  /** What is added to every example: a number for every element, or one value an element. 1 by default. */
  readonly shift?: number | ArrayLike<number>;
}

/**
 * Input invariance: how far a map moves when the input is written differently and the network reads it so, ‖φ₂(x + m) − φ₁(x)‖ / ‖φ₁(x)‖.
 *
 * The second network is the first with b₁ − mᵀW₁ for the bias of its first layer: it gives x + m the output that the first gives x, to a rounding.
 * **Shapes** x [rows, ...] → [rows]. **Cost** the method twice. **Lower is better**: the gradient gives 0; gradient × input moves by m ⊙ ∇; integrated gradients give 0 only
 * where their baseline moves too.
 * **Source** Kindermans, Hooker, Adebayo, Alber, Schütt, Dähne, Erhan, Kim 2019, "The (un)reliability of saliency methods".
 *
 * @throws VitrineError as the method; `shape-mismatch`, `unsupported-model` where the model does not begin with an affine layer, `aborted`
 */
export async function inputInvariance(
  model: Model,
  x: Examples,
  method: ExplanationMethod,
  options: InputInvarianceOptions = {},
): Promise<Float64Array> {
  const features = elements(model.spec.inputShape);
  const { shift = 1 } = options;
  const by = typeof shift === 'number' ? new Float32Array(features).fill(shift) : Float32Array.from(shift);
  if (by.length !== features) {
    throw shapeMismatch(
      `inputInvariance: the shift has ${by.length} values, but an example is ${show(model.spec.inputShape)} (${features} values).`,
      'give a number, or one value an element.',
      { shift: by.length, features },
    );
  }
  checkFinite('inputInvariance', 'shift', by, features);
  model.rowsOf(x);
  const forward = model.forward(new Graph(), 1);
  const bias = firstAffine(forward)?.inputs[2];
  const name = [...forward.parameters].find(([, node]) => node === bias)?.[0];
  if (!name) {
    throw unsupportedModel(
      'inputInvariance',
      'the model does not begin with an affine layer, whose bias could take the shift.',
      'use maxSensitivity for how maps bear small changes of the input.',
    );
  }
  const explain = explainOptionsOf(options);
  const shifted = await buildModel(model.device, model.spec);
  try {
    copyBytes(model.device, model.flatParameters, 0, shifted.flatParameters, 0, shifted.flatParameters.bytes, 'explain');
    // What the first layer makes of −m is its bias less mᵀW.
    const { tensors } = await explainerOf(shifted).run(
      {
        method: 'inputInvariance',
        classless: true,
        build: (scene) => ({ outputs: { bias: firstAffine(scene.forward) as typeof scene.x } }),
      },
      by.map((value) => -value),
      {},
    );
    const moved = tensors.get('bias') as NonNullable<ReturnType<typeof tensors.get>>;
    const into = shifted.parameters.get(name) as typeof moved;
    copyBytes(model.device, moved, 0, into, 0, into.bytes, 'explain');
    moved.dispose();
    const { maps: own, target } = await mapsOf(method, model, x, explain);
    const rows = (await readExamples(x)).map((value, i) => value + (by[i % features] as number));
    const { maps } = await mapsOf(method, shifted, rows, { ...explain, target });
    return scoreEach(own, (map, example) => {
      const change = distance(map, maps.of(example));
      return change === 0 ? 0 : change / distance(map);
    });
  } finally {
    shifted.dispose();
  }
}
