/**
 * Further variants of the matrix product, in a module of their own: for devices without subgroups, for variant tables that name them, and
 * for the tuner. The naive one is the reference that is read first.
 */

import naiveSource from '../../shaders/matmul-naive.wgsl?raw';
import registerSource from '../../shaders/matmul-register.wgsl?raw';
import nnSource from '../../shaders/matmul-register-nn.wgsl?raw';
import ntSource from '../../shaders/matmul-register-nt.wgsl?raw';
import tnSource from '../../shaders/matmul-register-tn.wgsl?raw';
import type { Variant } from '../operation.ts';
import { cutInto, type Describe, type Entry, stridedVariant, vectorVariants } from './matmul.ts';

const register8x8 = { name: 'register8x8', file: 'matmul-register', nn: nnSource, nt: ntSource, tn: tnSource };
const register4x4 = { name: 'register4x4', file: 'matmul-register', source: registerSource };
const naive = { name: 'naive', file: 'matmul-naive', source: naiveSource };

/** The first that supports a call is the choice where there are no subgroups. */
export function moreProductVariants<A>(entry: Entry, describe: Describe<A>): Variant<A>[] {
  return [
    ...vectorVariants(entry, describe, register8x8, cutInto(32, 32)),
    stridedVariant(entry, describe, register4x4, cutInto(16, 16)),
    stridedVariant(entry, describe, naive, cutInto(8, 8)),
  ];
}
