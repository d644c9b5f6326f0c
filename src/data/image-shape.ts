import type { Dataset } from '../engine/dataset.ts';
import { show, VitrineError } from '../engine/errors.ts';

/**
 * Height, width and channels of the images of a set.
 *
 * @throws VitrineError `invalid-option`: the examples are no images
 */
export function imageShape(dataset: Dataset, what: string): [height: number, width: number, channels: number] {
  const [height, width, channels = 1, ...more] = dataset.inputShape;
  if (height !== undefined && width !== undefined && more.length === 0) return [height, width, channels];
  throw new VitrineError(
    'invalid-option',
    `${what}: an example of ${dataset.name} is ${show(dataset.inputShape)}, which is no image.`,
    'use a set whose inputShape is [height, width, channels].',
    { name: dataset.name, inputShape: dataset.inputShape },
  );
}
