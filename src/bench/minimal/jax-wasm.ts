import { finished } from './finished.ts';
import { firstStep } from './jax.ts';

finished(await firstStep('wasm'));
