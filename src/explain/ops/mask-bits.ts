/**
 * Coalitions written out as numbers: y[s] = (1, bit 0, bit 1, …, zeros), of the width that `maskWidth` gives.
 *
 * **Shapes** bits uint32 [samples, ⌈groups / 32⌉] → y [samples, 4⌈(1 + groups) / 4⌉]. The leading 1 meets the baseline's row in group-products.
 * **Gradient** none. **Error** exact.
 * **Source** Lundberg, Lee 2017, "A unified approach to interpreting model predictions", section 2 (coalitions z′ ∈ {0, 1}^M).
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/mask-bits.wgsl?raw';

/** Columns of masks: one for the baseline, one a group, and zeros to a multiple of 4. */
export const maskWidth = (groups: number): number => 4 * Math.ceil((1 + groups) / 4);

/** uint32 of one coalition. */
export const maskWords = (groups: number): number => Math.ceil(groups / 32);

export interface MaskBitsAttributes {
  readonly groups: number;
}

export const maskBitsOperation: Operation<MaskBitsAttributes> = {
  name: 'maskBits',
  infer: (inputs, { groups }) => {
    const [bits] = inputs as [TensorType];
    requireType('maskBits', bits, 'bits', 'uint32');
    const samples = bits.shape[0] ?? 1;
    requireShape('maskBits', bits, 'bits', [samples, maskWords(groups)], 'a bit for each group');
    return { shape: [samples, maskWidth(groups)], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ outputs: [y], attributes: { groups } }) => {
        const count = elements((y as TensorType).shape);
        return {
          kernel: kernel('mask-bits', source, 'forward', ['bits', 'y']),
          parameters: { count, width: maskWidth(groups), groups, words: maskWords(groups) },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** Masks of coalitions, [samples, maskWidth(groups)]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const maskBits = (bits: Node, groups: number): Node => apply(maskBitsOperation, [bits], { groups });
