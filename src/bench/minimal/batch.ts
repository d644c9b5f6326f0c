/** A batch of 32 examples made on the spot, so that a cold-start page loads nothing but its engine. */

export const ROWS = 32;
export const PIXELS = 784;
export const CLASSES = 10;

/** float32 [32, 784] in [0, 1): the fractional parts of multiples of the golden ratio. */
export const x: Float32Array<ArrayBuffer> = Float32Array.from({ length: ROWS * PIXELS }, (_, i) => (i * 0.6180339887498949) % 1);

/** [32], the classes in turn. */
export const labels: Int32Array<ArrayBuffer> = Int32Array.from({ length: ROWS }, (_, i) => i % CLASSES);
