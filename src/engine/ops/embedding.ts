/**
 * Embedding: y[i] = table[indices[i]], a row of the table for each index.
 *
 * **Shapes** table [rows, width], indices uint32 [...] → y [..., width]. An index that names no row (≥ rows) gives zeros and no gradient.
 * **Gradient** dtable[v] = Σ dy[i] over the i with indices[i] = v, by embeddingBackward, whose gradient is embedding again. In gather form:
 * an invocation owns an element of dtable and visits the indices in order, so equal indices are added in the same order every time.
 * **Error** exact; the gradient that of a sum in float32.
 * **Source** Bengio, Ducharme, Vincent, Jauvin 2003, "A Neural Probabilistic Language Model".
 */

import source from '../../shaders/embedding.wgsl?raw';
import { shapeMismatch, show } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { kernel, linearWorkgroups } from '../kernel.ts';
import { elements, type Operation, type TensorType, type Variant } from '../operation.ts';
import { requireShape } from '../rows.ts';

/** Both variants of an entry; `sizes` reads a call, `total` counts the elements that invocations own. */
function embeddingVariants<A>(
  entry: string,
  [from, to]: readonly [string, string],
  sizes: (inputs: readonly TensorType[], output: TensorType) => { table_rows: number; width: number; indices: number },
): Variant<A>[] {
  const scalar = kernel('embedding', source, entry, [from, 'indices', to]);
  const vec4 = kernel('embedding', source, `${entry}_vec4`, [`${from}4`, 'indices', `${to}4`]);
  return [
    {
      name: 'vec4',
      supports: ({ outputs: [y] }) => ((y as TensorType).shape.at(-1) as number) % 4 === 0,
      dispatch: ({ inputs, outputs: [y] }) => ({
        kernel: vec4,
        parameters: sizes(inputs, y as TensorType),
        workgroups: linearWorkgroups(elements((y as TensorType).shape) / 4, 64),
      }),
    },
    {
      name: 'scalar',
      dispatch: ({ inputs, outputs: [y] }) => ({
        kernel: scalar,
        parameters: sizes(inputs, y as TensorType),
        workgroups: linearWorkgroups(elements((y as TensorType).shape), 64),
      }),
    },
  ];
}

const sizesOf = (table: TensorType, indices: TensorType) => {
  const [rows, width] = table.shape as [number, number];
  return { table_rows: rows, width, indices: elements(indices.shape) };
};

export const embeddingOperation: Operation<object> = {
  name: 'embedding',
  infer: ([table, indices]) => {
    const { shape } = table as TensorType;
    requireType('embedding', table as TensorType, 'table', 'float32');
    requireType('embedding', indices as TensorType, 'indices', 'uint32');
    if (shape.length !== 2) {
      throw shapeMismatch(`embedding: the table is ${show(shape)}; it must be [rows, width].`, 'reshape the table to two axes.', {
        actual: shape,
      });
    }
    return { shape: [...(indices as TensorType).shape, shape[1] as number], dtype: 'float32' };
  },
  variants: embeddingVariants('forward', ['table', 'y'], ([table, indices]) => sizesOf(table as TensorType, indices as TensorType)),
  gradient: ({ inputs }, dy) => {
    const [table, indices] = inputs as [Node, Node];
    return [embeddingBackward(dy, indices, table.shape[0] as number), undefined];
  },
};

export interface EmbeddingBackwardAttributes {
  /** Rows of the table. */
  readonly rows: number;
}

/** dtable [rows, width] from dy [..., width] and indices uint32 [...]. */
export const embeddingBackwardOperation: Operation<EmbeddingBackwardAttributes> = {
  name: 'embeddingBackward',
  infer: ([dy, indices], { rows }) => {
    const width = (dy as TensorType).shape.at(-1) ?? 1;
    requireType('embeddingBackward', indices as TensorType, 'indices', 'uint32');
    requireShape('embeddingBackward', dy as TensorType, 'dy', [...(indices as TensorType).shape, width], 'a row for each index');
    return { shape: [rows, width], dtype: 'float32' };
  },
  variants: embeddingVariants('backward_table', ['dy', 'd_table'], ([, indices], table) => sizesOf(table, indices as TensorType)),
  gradient: ({ inputs }, dTable) => [embedding(dTable, inputs[1] as Node), undefined],
};

/** The rows of a table [rows, width] that indices uint32 [...] name; zeros for one that names none. @throws VitrineError `shape-mismatch` */
export const embedding = (table: Node, indices: Node): Node => apply(embeddingOperation, [table, indices], {});

/** The gradient of embedding with respect to its table of `rows` rows: for each row, the sum of dy where it was read. */
export const embeddingBackward = (dy: Node, indices: Node, rows: number): Node =>
  apply(embeddingBackwardOperation, [dy, indices], { rows });
