import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import { imageShape } from '../masked.ts';

/**
 * Images blurred by a Gaussian of a bounded width, each channel by itself; beyond the border there is 0. What insertion starts from.
 *
 * **Shapes** images [rows · height · width · channels] → the same.
 * **Source** Petsiuk, Das, Saenko 2018, "RISE": 11 pixels, σ 5.
 *
 * @throws VitrineError `shape-mismatch` for what is no image, `invalid-option` for an even size
 */
export function gaussianBlur(
  inputShape: readonly number[],
  images: Float32Array,
  { size = 11, deviation = 5 }: { readonly size?: number; readonly deviation?: number } = {},
): Float32Array {
  const [height, width, channels] = imageShape('gaussianBlur', inputShape);
  checkWhole('gaussianBlur: size', size, 1);
  if (size % 2 === 0) {
    throw new VitrineError(
      'invalid-option',
      `gaussianBlur: size is ${size}; a blur needs a middle pixel.`,
      'pass an odd number, such as 11.',
      { size },
    );
  }
  checkNumber('gaussianBlur: deviation', deviation, 1e-6);
  const reach = Math.floor(size / 2);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)));
  const total = weights.reduce((a, b) => a + b, 0);
  const along = (values: Float32Array, stride: number, length: number): Float32Array =>
    values.map((_, at) => {
      const place = Math.floor(at / stride) % length;
      let sum = 0;
      for (let shift = -reach; shift <= reach; shift++) {
        if (place + shift < 0 || place + shift >= length) continue;
        sum += (weights[shift + reach] as number) * (values[at + shift * stride] as number);
      }
      return sum / total;
    });
  return along(along(images, channels, width), channels * width, height);
}
