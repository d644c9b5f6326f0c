import { loadModel, openDevice } from '../../engine/index.ts';
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
async function inspect({ model: file, bins, seed }: InspectParameters): Promise<InspectResult> {
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
    layers: summary.layers.map(({ name, kind, inputShape, outputShape, parameterCount }) => ({
      name,
      kind,
      inputShape,
      outputShape,
      parameters: parameterCount,
    })),
    tensors,
    adapter: adapterName(device),
  };
  device.destroy();
  return { inspection, table: summary.table(), mermaid: summary.mermaid() };
}

await hostTask(inspect);
