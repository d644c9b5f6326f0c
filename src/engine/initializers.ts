/** Initial weights, drawn on the CPU so that step 0 is the same on every adapter. */

import { checkNumber, VitrineError } from './errors.ts';
import { normal, streamOf, uniform } from './random.ts';

/**
 * How a parameter begins.
 *
 * **Source** glorot: Glorot, Bengio 2010, eq. 16 (uniform ±√(6/(in+out)), normal of deviation √(2/(in+out)));
 * he: He et al. 2015, eq. 10 (deviation √(2/in), uniform ±√(6/in)).
 */
export type Initializer =
  | 'zeros'
  | 'ones'
  | 'glorotUniform'
  | 'glorotNormal'
  | 'heUniform'
  | 'heNormal'
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'uniform'; readonly limit: number }
  | { readonly kind: 'constant'; readonly value: number };

const named: readonly Initializer[] = ['zeros', 'ones', 'glorotUniform', 'glorotNormal', 'heUniform', 'heNormal'];

/** Refuses what a caller or a file may give in place of an initialiser. @throws VitrineError `invalid-option` */
export function checkInitializer(name: string, initializer: Initializer): void {
  const given = (Object(initializer) === initializer ? initializer : {}) as Readonly<Record<string, unknown>>;
  if (given.kind === 'normal') checkNumber(`${name}: deviation`, given.deviation as number, 0);
  else if (given.kind === 'uniform') checkNumber(`${name}: limit`, given.limit as number, 0);
  else if (!named.includes(initializer) && !(given.kind === 'constant' && Number.isFinite(given.value))) {
    throw new VitrineError(
      'invalid-option',
      `${name}: there is no initialiser ${JSON.stringify(initializer)}.`,
      `use one of ${named.join(', ')}, or a kind of normal, uniform or constant.`,
      { initializer },
    );
  }
}

/** Inputs and outputs that one unit sees: [inputs, outputs], or [height, width, in, out] for a convolution. */
export function fans(shape: readonly number[]): { fanIn: number; fanOut: number } {
  if (shape.length < 2) return { fanIn: shape[0] ?? 1, fanOut: shape[0] ?? 1 };
  const receptive = shape.slice(0, -2).reduce((a, b) => a * b, 1);
  return { fanIn: receptive * (shape.at(-2) as number), fanOut: receptive * (shape.at(-1) as number) };
}

/** Fills `into` with the initial values of the parameter called `name`; the same whatever else the model holds. */
export function initialize(into: Float32Array, name: string, shape: readonly number[], initializer: Initializer, seed: number): void {
  const { fanIn, fanOut } = fans(shape);
  const stream = streamOf(name);
  const drawUniform = (limit: number): void => {
    for (let i = 0; i < into.length; i++) into[i] = (2 * uniform(seed, stream, 0, i) - 1) * limit;
  };
  const drawNormal = (deviation: number): void => {
    for (let i = 0; i < into.length; i++) into[i] = normal(seed, stream, 0, i) * deviation;
  };
  if (typeof initializer === 'object') {
    if (initializer.kind === 'normal') drawNormal(initializer.deviation);
    else if (initializer.kind === 'uniform') drawUniform(initializer.limit);
    else into.fill(initializer.value);
    return;
  }
  switch (initializer) {
    case 'zeros':
      into.fill(0);
      break;
    case 'ones':
      into.fill(1);
      break;
    case 'glorotUniform':
      drawUniform(Math.sqrt(6 / (fanIn + fanOut)));
      break;
    case 'glorotNormal':
      drawNormal(Math.sqrt(2 / (fanIn + fanOut)));
      break;
    case 'heUniform':
      drawUniform(Math.sqrt(6 / fanIn));
      break;
    case 'heNormal':
      drawNormal(Math.sqrt(2 / fanIn));
      break;
  }
}
