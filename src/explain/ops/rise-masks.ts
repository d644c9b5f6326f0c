/**
 * Random masks of groups, as RISE draws them: y[s] = (1, the mask of each group, zeros), in the layout of mask-bits.
 *
 *     independent  1 with probability p, else 0, for each group
 *     grid         cells × cells such draws, stretched over an image by bilinear interpolation and shifted by less than a cell
 *
 * **Shapes** draw uint32 [3] (seed, number of the first sample, how many count), keep [1] (p) → y [samples, maskWidth(groups)]. A mask depends on seed and
 * sample only.
 * **Gradient** none. **Error** of the interpolation, a few roundings; the mean of a mask is p everywhere, as weights sum to 1.
 * **Source** Petsiuk, Das, Saenko 2018, "RISE", section 3.2; the authors' code for the size of a cell, ⌈side / cells⌉, and of the stretched grid, one cell more.
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import random from '../../shaders/random.wgsl?raw';
import source from '../../shaders/rise-masks.wgsl?raw';
import { maskWidth } from './mask-bits.ts';

export interface RiseMasksAttributes {
  readonly samples: number;
  readonly groups: number;
  /** Which of the seed's streams is drawn from. */
  readonly stream: number;
  /** Where the groups are the pixels of an image, row by row: its size, and the cells along each side of the grid. Absent for independent masks. */
  readonly grid?: { readonly height: number; readonly width: number; readonly cells: number };
}

export const riseMasksOperation: Operation<RiseMasksAttributes> = {
  name: 'riseMasks',
  infer: (inputs, { samples, groups }) => {
    const [draw, keep] = inputs as [TensorType, TensorType];
    requireType('riseMasks', draw, 'draw', 'uint32');
    requireType('riseMasks', keep, 'keep', 'float32');
    requireShape('riseMasks', draw, 'draw', [3], 'seed, first sample and count');
    requireShape('riseMasks', keep, 'keep', [1], 'one probability');
    return { shape: [samples, maskWidth(groups)], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ outputs: [y], attributes: { groups, stream, grid } }) => {
        const count = elements((y as TensorType).shape);
        return {
          kernel: kernel('rise-masks', `${random}\n${source}`, grid ? 'grid' : 'independent', ['draw', 'keep', 'y']),
          parameters: {
            count,
            width: maskWidth(groups),
            groups,
            stream,
            rows: grid?.height ?? 0,
            columns: grid?.width ?? 0,
            cells: grid?.cells ?? 0,
          },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** Random masks, [samples, maskWidth(groups)]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const riseMasks = (draw: Node, keep: Node, attributes: RiseMasksAttributes): Node =>
  apply(riseMasksOperation, [draw, keep], attributes);
