/** Flat buffers as optimisers see them: blocks of 64 floats, each of one group, the last of them ending in padding. */

import { normal } from '../random.ts';

export const BLOCK = 64;
/** Zeros at the end of the last block. */
export const PADDING = 20;

export interface Group {
  readonly factor: number;
  readonly decay: number;
  readonly frozen: boolean;
}

export const groups: readonly Group[] = [
  { factor: 1, decay: 0.25, frozen: false },
  { factor: 0.125, decay: 0, frozen: false },
  { factor: 1, decay: 0.25, frozen: true },
  { factor: 2, decay: 0.5, frozen: false },
];

export const groupTable = (of: readonly Group[] = groups): readonly [readonly number[], Float32Array] => [
  [of.length, 4],
  Float32Array.from(of.flatMap(({ factor, decay, frozen }) => [factor, decay, frozen ? 1 : 0, 0])),
];

/** The group of each block, in turn. */
export const blockGroups = (blocks: number): Uint32Array => Uint32Array.from({ length: blocks }, (_, block) => block % groups.length);

export const groupOf = (element: number): Group => groups[Math.floor(element / BLOCK) % groups.length] as Group;

/** Normal numbers, zero in the padding. */
export const randomBlocks = (blocks: number, stream: number): Float32Array =>
  Float32Array.from({ length: blocks * BLOCK }, (_, i) => (i < blocks * BLOCK - PADDING ? normal(3, stream, 0, i) : 0));
