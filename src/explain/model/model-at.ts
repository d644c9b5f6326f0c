import { shapeMismatch } from '../../engine/errors.ts';
import { buildModel, copyBytes, type Model } from '../../engine/model.ts';

/**
 * A model of the same layers with other parameters, those of a snapshot; or with the same, as they are now, whatever training does to the
 * model afterwards. The caller disposes of it.
 *
 * @throws VitrineError `shape-mismatch` for another model's snapshot; those of buildModel
 */
export async function modelAt(model: Model, snapshot?: { readonly parameters: Float32Array }): Promise<Model> {
  model.requireAlive();
  const { flatParameters } = model;
  if (snapshot && snapshot.parameters.length !== flatParameters.length) {
    throw shapeMismatch(
      `modelAt: the snapshot holds ${snapshot.parameters.length} parameters; this model has ${flatParameters.length}.`,
      'give a snapshot of this model.',
      { expected: flatParameters.length, actual: snapshot.parameters.length },
    );
  }
  const copy = await buildModel(model.device, model.spec);
  if (snapshot) copy.flatParameters.write(snapshot.parameters.slice());
  else copyBytes(model.device, flatParameters, 0, copy.flatParameters, 0, flatParameters.bytes, 'explain');
  return copy;
}
