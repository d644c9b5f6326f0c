import type { Contender } from '../contender.ts';
import { jax } from './jax.ts';

export const contender: Contender = jax('wasm');
