/**
 * Matrix product: y = a b, batched over leading axes, either operand transposed.
 *
 * **Shapes** a [..., rows, inner] (transposeA: [..., inner, rows]), b [..., inner, cols] (transposeB: [..., cols, inner]) → y [..., rows, cols].
 * Leading axes agree, or one operand has none and serves every matrix of the other.
 * **Gradient** da = dy bᵀ, db = aᵀ dy.
 * **Error** of a sum of `inner` products in float32, inner · 2⁻²⁴ · Σ|a||b| at most. The order of the sum depends on the variant, never on rows.
 * **Source** Goodfellow, Bengio, Courville 2016, "Deep Learning", ch. 2 and 6.5; register tiles: Volkov, Demmel 2008.
 *
 * The quads are the built-in choice; the other variants, and what serves where there are no subgroups, are in matmul-more.ts.
 */

import quads from '../../shaders/matmul-quads.wgsl?raw';
import quadsScalar from '../../shaders/matmul-quads-scalar.wgsl?raw';
import { shapeMismatch, show } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { kernel, type ParameterValues, type Workgroups } from '../kernel.ts';
import {
  type Call,
  type Dispatch,
  elements,
  type KernelFamily,
  type Operation,
  sameShape,
  type TensorType,
  type Variant,
} from '../operation.ts';
import { sumTo } from './reduce.ts';

export interface MatmulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** One product as kernels see it. */
export interface Product {
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
  /** Number of matrices. */
  readonly batch: number;
  /** Elements from one matrix of a to the next, 0 where one serves all. */
  readonly aBatch: number;
  readonly bBatch: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** What is done with a product before it is stored; `Entry` names the entry points of the matmul-*.wgsl files. */
export type Entry = 'product' | 'affine' | 'masked' | 'weight_gradient';

/** Bindings of each entry: inputs, then outputs. */
const bindingsOf: Record<Entry, readonly string[]> = {
  product: ['a', 'b', 'y'],
  affine: ['a', 'b', 'bias', 'y'],
  masked: ['a', 'b', 'gate', 'y'],
  weight_gradient: ['a', 'b', 'y', 'sums'],
};

/** Layouts that each entry meets. */
const layoutsOf: Record<Entry, readonly ('nn' | 'nt' | 'tn')[]> = {
  product: ['nn', 'nt', 'tn'],
  affine: ['nn'],
  masked: ['nt'],
  weight_gradient: ['tn'],
};

const matrix = (shape: readonly number[], transposed: boolean): [number, number] => {
  const [p, q] = [shape.at(-2) as number, shape.at(-1) as number];
  return transposed ? [q, p] : [p, q];
};

/** @throws VitrineError `shape-mismatch` */
export function productOf(a: TensorType, b: TensorType, { transposeA, transposeB }: MatmulAttributes): Product {
  requireType('matmul', a, 'a', 'float32');
  requireType('matmul', b, 'b', 'float32');
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw shapeMismatch(
      `matmul: a is ${show(a.shape)} and b is ${show(b.shape)}; both need two axes.`,
      'reshape a vector to [1, n] or [n, 1].',
      {
        a: a.shape,
        b: b.shape,
      },
    );
  }
  const [rows, inner] = matrix(a.shape, transposeA);
  const [innerB, cols] = matrix(b.shape, transposeB);
  if (inner !== innerB) {
    throw shapeMismatch(
      `matmul: a is ${show(a.shape)} but b is ${show(b.shape)}; the inner axes (${inner} and ${innerB}) differ.`,
      'make b have as many rows as a has columns, or transpose one of them.',
      { a: a.shape, b: b.shape, transposeA, transposeB },
    );
  }
  const leadA = a.shape.slice(0, -2);
  const leadB = b.shape.slice(0, -2);
  if (leadA.length > 0 && leadB.length > 0 && !sameShape(leadA, leadB)) {
    throw shapeMismatch(
      `matmul: a is ${show(a.shape)} but b is ${show(b.shape)}; the leading axes differ.`,
      'make them equal, or leave them out of one operand.',
      {
        a: a.shape,
        b: b.shape,
      },
    );
  }
  const batch = elements(leadA.length > 0 ? leadA : leadB);
  return {
    rows,
    inner,
    cols,
    batch,
    aBatch: leadA.length > 0 ? rows * inner : 0,
    bBatch: leadB.length > 0 ? inner * cols : 0,
    transposeA,
    transposeB,
  };
}

/** How a family sees one of its calls. */
export type Describe<A> = (call: Call<A>) => Product & { readonly relu?: boolean };

/** One way to tile a product: its kernels, and the rows and columns of y that a workgroup computes. */
export interface Tile {
  /** Of its variants. */
  readonly name: string;
  readonly file: string;
  /** A kernel that serves any layout by its strides, or those that load vec4: for neither operand transposed, for b, for a; or one for all. */
  readonly source: string | { readonly nn?: string; readonly nt?: string; readonly tn?: string };
  readonly unmeasured?: true;
  cut(p: Product): Pick<Dispatch, 'workgroups' | 'constants'>;
}

/** Workgroups for tiles of so many rows and columns. */
const cutInto = (p: Product, rows: number, cols: number): Workgroups => [Math.ceil(p.cols / cols), Math.ceil(p.rows / rows), p.batch];

const four = (n: number): boolean => n % 4 === 0;

/** The variants of an entry with a tile: one, or for vec4 one for each layout that the entry meets. */
function tiledVariants<A>(entry: Entry, describe: Describe<A>, { name, file, source, cut, unmeasured }: Tile): Variant<A>[] {
  const variant = (
    wgsl: string,
    label: string,
    parametersOf: (p: Product) => ParameterValues,
    fits: (p: Product) => boolean,
  ): Variant<A> => {
    const by = kernel(label, wgsl, entry, bindingsOf[entry]);
    const takesRelu = wgsl.includes('relu: u32');
    const takesFlags = wgsl.includes('override a_transposed');
    return {
      name,
      ...(unmeasured ? { unmeasured } : {}),
      ...(wgsl.includes('enable subgroups') ? { needs: 'subgroups' } : {}),
      supports: (call) => fits(describe(call)),
      dispatch: (call) => {
        const p = describe(call);
        const { rows, inner, cols, batch } = p;
        const relu = takesRelu ? { relu: p.relu ? 1 : 0 } : {};
        const flags = takesFlags ? { a_transposed: Number(p.transposeA), b_transposed: Number(p.transposeB) } : {};
        const { workgroups, constants } = cut(p);
        return {
          kernel: by,
          constants: { ...constants, ...flags },
          parameters: { rows, inner, cols, batch, ...relu, ...parametersOf(p) },
          workgroups,
        };
      },
    };
  };
  if (typeof source === 'string') return [variant(source, file, strides, () => true)];
  const layouts = {
    nn: (p: Product) => !p.transposeA && !p.transposeB && four(p.inner) && four(p.cols),
    nt: (p: Product) => !p.transposeA && p.transposeB && four(p.inner) && four(p.cols),
    // Here the inner axis is the batch, so its length may decide.
    tn: (p: Product) => p.transposeA && !p.transposeB && four(p.rows) && four(p.cols) && four(p.inner),
  };
  const vectors = (p: Product): ParameterValues => ({ a_batch: p.aBatch / 4, b_batch: p.bBatch / 4 });
  return layoutsOf[entry].flatMap((layout) => {
    const wgsl = source[layout];
    return wgsl ? [variant(wgsl, source.nn === source.nt ? file : `${file}-${layout}`, vectors, layouts[layout])] : [];
  });
}

/** Parameters of a kernel that walks its operands by their strides. */
const strides = (p: Product): ParameterValues => ({
  a_row: p.transposeA ? 1 : p.inner,
  a_inner: p.transposeA ? p.rows : 1,
  b_inner: p.transposeB ? 1 : p.cols,
  b_col: p.transposeB ? p.inner : 1,
  a_batch: p.aBatch,
  b_batch: p.bBatch,
});

/** A workgroup of quads is a row of lanes with four columns each: 4, 8, 16 or 32 of them, as the columns need. */
const cutIntoQuads: Tile['cut'] = (p) => {
  const lanes = [4, 8, 16].find((count) => 4 * count >= p.cols) ?? 32;
  return { constants: { lanes }, workgroups: cutInto(p, 16, 4 * lanes) };
};

const tiles: readonly Tile[] = [
  { name: 'quads', file: 'matmul-quads', source: { nn: quads, nt: quads, tn: quads }, cut: cutIntoQuads },
  { name: 'quadsScalar', file: 'matmul-quads-scalar', source: quadsScalar, cut: cutIntoQuads },
];

/** The variants of a family whose calls `describe` reads as products; the first is the built-in choice. */
export function productVariants<A>(entry: Entry, describe: Describe<A>): Pick<KernelFamily<A>, 'variants' | 'more'> {
  const variantsOf = (of: readonly Tile[]): Variant<A>[] => of.flatMap((tile) => tiledVariants(entry, describe, tile));
  return {
    variants: variantsOf(tiles),
    more: async () => variantsOf((await import('./matmul-more.ts')).moreTiles(cutInto)),
  };
}

/** `nn 784→128`: the layout and the axes that are not rows of a batch. */
export const productClass = (p: Product): string =>
  p.transposeA ? `t${p.transposeB ? 't' : 'n'} ${p.rows}×${p.cols}` : `n${p.transposeB ? 't' : 'n'} ${p.inner}→${p.cols}`;

const describe = ({ inputs: [a, b], attributes }: Call<MatmulAttributes>): Product =>
  productOf(a as TensorType, b as TensorType, attributes);

export const matmulOperation: Operation<MatmulAttributes> = {
  name: 'matmul',
  infer: ([a, b], attributes) => {
    const p = productOf(a as TensorType, b as TensorType, attributes);
    const lead = ((a as TensorType).shape.length >= (b as TensorType).shape.length ? a : b) as TensorType;
    return { shape: [...lead.shape.slice(0, -2), p.rows, p.cols], dtype: 'float32' };
  },
  shapeClass: (call) => productClass(describe(call)),
  ...productVariants('product', describe),
  gradient: ({ inputs: [a, b], attributes: { transposeA, transposeB } }, dy) => {
    const [p, q] = [a as Node, b as Node];
    const da = transposeA
      ? matmul(q, dy, { transposeA: transposeB, transposeB: true })
      : matmul(dy, q, { transposeA: false, transposeB: !transposeB });
    const db = transposeB
      ? matmul(dy, p, { transposeA: true, transposeB: transposeA })
      : matmul(p, dy, { transposeA: !transposeA, transposeB: false });
    return [sumTo(da, p.shape), sumTo(db, q.shape)];
  },
};

/** y = a b. @throws VitrineError `shape-mismatch` */
export function matmul(a: Node, b: Node, options: Partial<MatmulAttributes> = {}): Node {
  return apply(matmulOperation, [a, b], { transposeA: options.transposeA ?? false, transposeB: options.transposeB ?? false });
}

/** Fused: y = a b where gate > 0, else 0. Inputs a, b, gate; output y. */
export const maskedProductKernels: KernelFamily<MatmulAttributes> = {
  name: 'maskedMatmul',
  shapeClass: (call) => productClass(describe(call)),
  ...productVariants('masked', describe),
};
