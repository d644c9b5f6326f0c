/** Where the evidence is known to be: masks over the input. */

import { checkWhole, shapeMismatch, show, VitrineError } from '../../engine/errors.ts';
import { elements } from '../../engine/operation.ts';
import type { Maps } from './maps.ts';

/** 0 where there is no evidence, anything else where there is: one mask for all examples, or one an example. */
export type EvidenceMask = ArrayLike<number>;

/**
 * The mask of a planted square patch.
 *
 * **Shapes** inputShape [height, width] or [height, width, channels] → [height · width · channels], 1 inside the patch.
 *
 * @throws VitrineError `invalid-option` for a patch outside the image, `shape-mismatch` for what is no image
 */
export function patchMask(
  inputShape: readonly number[],
  patch: { readonly row: number; readonly column: number; readonly size: number },
): Uint8Array {
  const [height, width, channels = 1] = inputShape;
  if (height === undefined || width === undefined || inputShape.length > 3) {
    throw shapeMismatch(
      `patchMask: an example is ${show(inputShape)}, which is no image.`,
      'give [height, width] or [height, width, channels].',
      { inputShape },
    );
  }
  checkWhole('size', patch.size, 1, Math.min(height, width));
  checkWhole('row', patch.row, 0, height - patch.size);
  checkWhole('column', patch.column, 0, width - patch.size);
  const mask = new Uint8Array(elements(inputShape));
  for (let row = patch.row; row < patch.row + patch.size; row++) {
    const start = (row * width + patch.column) * channels;
    mask.fill(1, start, start + patch.size * channels);
  }
  return mask;
}

/** The mask of each example. @throws VitrineError `shape-mismatch`; `invalid-option` for a mask with nothing in it */
export function masksFor(metric: string, { examples, features }: Maps, mask: EvidenceMask): (example: number) => ArrayLike<number> {
  if (mask.length !== features && mask.length !== examples * features) {
    throw shapeMismatch(
      `${metric}: the mask has ${mask.length} values, but there are ${examples} maps of ${features}.`,
      'give one mask for all examples, or one an example.',
      { metric, mask: mask.length, examples, features },
    );
  }
  const all = Uint8Array.from(mask, (value) => (value === 0 ? 0 : 1));
  const each = mask.length === features ? undefined : features;
  const of = (example: number): Uint8Array => (each === undefined ? all : all.subarray(example * each, (example + 1) * each));
  for (let example = 0; example < (each === undefined ? 1 : examples); example++) {
    if (of(example).includes(1)) continue;
    throw new VitrineError(
      'invalid-option',
      `${metric}: the mask of example ${example} has nothing in it.`,
      'score only the examples that have the evidence.',
      { metric, example },
    );
  }
  return of;
}
