/**
 * Further tiles of the matrix product, in a module of their own: for devices without subgroups, for variant tables that name them, and
 * for the tuner. The naive one is the reference that is read first.
 */

import block64x64 from '../../shaders/matmul-block-64x64.wgsl?raw';
import block128x64 from '../../shaders/matmul-block-128x64.wgsl?raw';
import blockSplit from '../../shaders/matmul-block-split-tn.wgsl?raw';
import naive from '../../shaders/matmul-naive.wgsl?raw';
import register from '../../shaders/matmul-register.wgsl?raw';
import nn from '../../shaders/matmul-register-nn.wgsl?raw';
import nt from '../../shaders/matmul-register-nt.wgsl?raw';
import tn from '../../shaders/matmul-register-tn.wgsl?raw';
import type { Workgroups } from '../kernel.ts';
import type { Product, Tile } from './matmul.ts';

/** The first that supports a call is the choice where there are no subgroups. */
export function moreTiles(cutInto: (p: Product, rows: number, cols: number) => Workgroups): Tile[] {
  const tile = (name: string, file: string, rows: number, cols: number, source: Tile['source']): Tile => ({
    name,
    file,
    source,
    cut: (p) => ({ workgroups: cutInto(p, rows, cols) }),
  });
  /** A tile in workgroup memory. */
  const block = (name: string, file: string, rows: number, source: Tile['source']): Tile => ({
    ...tile(name, file, rows, 64, source),
    unmeasured: true,
  });
  const anyLayout = (source: string): Tile['source'] => ({ nn: source, nt: source, tn: source });
  return [
    tile('register8x8', 'matmul-register', 32, 32, { nn, nt, tn }),
    tile('register4x4', 'matmul-register', 16, 16, register),
    block('block64x64', 'matmul-block-64x64', 64, anyLayout(block64x64)),
    block('block128x64', 'matmul-block-128x64', 128, anyLayout(block128x64)),
    block('blockSplit', 'matmul-block-split-tn', 64, { tn: blockSplit }),
    tile('naive', 'matmul-naive', 8, 8, naive),
  ];
}
