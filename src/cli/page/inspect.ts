import { type PicturedWeights, weightPictures } from '../../data/weight-picture.ts';
import { loadModel, type Model, openDevice } from '../../engine/index.ts';
import { networkSummary, type TensorReductions, weightReductions } from '../../explain/index.ts';
import type { InspectedTensor, InspectParameters, InspectResult } from '../inspect-task.ts';
import { hostTask } from './host.ts';
import { adapterName } from './training.ts';

/** JSON knows no NaN. */
const known = (value: number): number | null => (Number.isFinite(value) ? value : null);

function inspected(name: string, { histogram, importance, ...found }: TensorReductions): InspectedTensor {
  return {
    name,
    ...found,
    norm: known(found.norm),
    absoluteSum: known(found.absoluteSum),
    least: known(found.least),
    greatest: known(found.greatest),
    largest: known(found.largest),
    mean: known(found.mean),
    deviation: known(found.deviation),
    ...(histogram ? { histogram: { from: known(histogram.from), to: known(histogram.to), counts: Array.from(histogram.counts) } } : {}),
    ...(importance ? { importance: Array.from(importance) } : {}),
  };
}

/** Loads a model and reads what the command prints of it. */
async function inspect({ model: file, bins, seed, keep }: InspectParameters): Promise<InspectResult> {
  const device = await openDevice();
  const model = await loadModel(
    device,
    Uint8Array.from(atob(file), (character) => character.charCodeAt(0)),
  );
  const summary = networkSummary(model);
  const tensors = [...(await weightReductions(model, { bins, seed }))].map(([name, found]) => inspected(name, found));
  const inspection = {
    inputShape: summary.inputShape,
    parameters: summary.parameterCount,
    bytes: summary.bytes,
    layers: summary.layers.map(({ name, kind, options, inputShape, outputShape, parameterCount }) => ({
      name,
      kind,
      ...(typeof options.activation === 'string' ? { activation: options.activation } : {}),
      inputShape,
      outputShape,
      parameters: parameterCount,
    })),
    tensors,
    adapter: adapterName(device),
  };
  const pictures = keep ? await picturesOf(model, tensors) : {};
  device.destroy();
  return { inspection, table: summary.table(), mermaid: summary.mermaid(), pictures };
}

async function picturesOf(model: Model, tensors: readonly InspectedTensor[]): Promise<Record<string, Uint8Array>> {
  const weights: PicturedWeights[] = [];
  for (const { name, shape, histogram } of tensors) {
    const values = (await model.parameters.get(name)?.read()) ?? new Float32Array();
    const drawn = histogram && histogram.from !== null && histogram.to !== null;
    weights.push({ name, shape, values, ...(drawn ? { histogram: histogram as NonNullable<PicturedWeights['histogram']> } : {}) });
  }
  const count = model.parameterCount.toLocaleString('en');
  const first = model.layers.find(({ parameters }) => parameters > 0);
  return weightPictures(weights, {
    inputShape: model.spec.inputShape,
    ...(first?.kind === 'dense' ? { readsInput: `${first.name}/weight` } : {}),
    title: `The weights of a network with ${count} parameters`,
  });
}

await hostTask(inspect);
