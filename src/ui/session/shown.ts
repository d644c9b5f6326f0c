/** What is shown of a network and its run: the live ones, or recorded ones. The regions know no difference but that one has a GPU. */

import type { Model, Tensor, Trainer } from '../../engine/index.ts';
import type { Values } from '../maps/tensor-view.ts';
import type { Run } from '../training.ts';

/** A tensor of the run, or its values as they were recorded. */
export type Shown = Tensor | Values;

/** What is shown of a network: of the one that is looked at, or of a recorded one. */
export interface ShownModel extends Pick<Model, 'classes' | 'layers' | 'parameterCount' | 'spec'> {
  readonly parameters: ReadonlyMap<string, Shown>;
}

/** What is shown of a run: of the one in training, or of a recorded one. */
export interface ShownRun extends Pick<Run, 'history' | 'journal' | 'settings' | 'tests'> {
  readonly model: ShownModel;
  readonly trainer: Pick<Trainer, 'optimizer'>;
  readonly data: Pick<Run['data'], 'scaling'>;
}

/** float32, row-major. @throws VitrineError `device-lost`, `tensor-disposed` */
export async function valuesOf(shown: Shown): Promise<Float32Array> {
  return 'values' in shown ? shown.values : shown.read();
}
