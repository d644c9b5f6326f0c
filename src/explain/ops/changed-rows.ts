/**
 * Rows of a data set in which one group of columns holds what another row holds there: changedRows, and changedProducts for what a first
 * affine map makes of them.
 *
 *     changedRows      y[r, c] = donors[donor_r, c] for c in group_r, else x[example_r, c]
 *     changedProducts  y[r] = z[example_r] + Σ_{c in group_r} (donors[donor_r, c] − x[example_r, c]) · weight[c],  z = x · weight + b
 *
 * **Shapes** x [examples, columns], donors [donors, columns], query uint32 [rows, 3] (example, group, donor); groups as tables of columns;
 * products [examples, units], weight [columns, units] → y [rows, columns] or [rows, units]. A group without columns changes nothing.
 * **Gradient** none. **Error** changedRows is exact; changedProducts that of a sum over the group's columns, and exact where their weights are 0.
 * **Source** Breiman 2001, Friedman 2001, Apley, Zhu 2020: what permutation importance, partial dependence and ALE ask of a network.
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/changed-rows.wgsl?raw';

function checkRows(name: string, x: TensorType, donors: TensorType, query: TensorType): { rows: number; columns: number } {
  requireType(name, x, 'x', 'float32');
  requireType(name, donors, 'donors', 'float32');
  requireType(name, query, 'query', 'uint32');
  const columns = x.shape[1] ?? 1;
  requireShape(name, donors, 'donors', [donors.shape[0] ?? 1, columns], 'rows of as many columns as x');
  const rows = query.shape[0] ?? 1;
  requireShape(name, query, 'query', [rows, 3], 'example, group and donor of each row');
  return { rows, columns };
}

export const changedRowsOperation: Operation<object> = {
  name: 'changedRows',
  infer: (inputs) => {
    const [x, donors, query, groupOf] = inputs as [TensorType, TensorType, TensorType, TensorType];
    const { rows, columns } = checkRows('changedRows', x, donors, query);
    requireType('changedRows', groupOf, 'groupOf', 'uint32');
    requireShape('changedRows', groupOf, 'groupOf', [columns], 'a group for each column');
    return { shape: [rows, columns], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [x], outputs: [y] }) => {
        const count = elements((y as TensorType).shape);
        const columns = (x as TensorType).shape[1] as number;
        return {
          kernel: kernel('changed-rows', source, 'changed_rows', ['x', 'donors', 'query', 'group_of', 'y']),
          parameters: { count, width: columns, columns },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

export const changedProductsOperation: Operation<object> = {
  name: 'changedProducts',
  infer: (inputs) => {
    const [x, donors, query, firstOf, members, products, weight] = inputs as TensorType[] as [
      TensorType,
      TensorType,
      TensorType,
      TensorType,
      TensorType,
      TensorType,
      TensorType,
    ];
    const { rows, columns } = checkRows('changedProducts', x, donors, query);
    requireType('changedProducts', firstOf, 'firstOf', 'uint32');
    requireType('changedProducts', members, 'members', 'uint32');
    const units = weight.shape[1] ?? 1;
    requireShape('changedProducts', weight, 'weight', [columns, units], 'a row for each column of x');
    requireShape('changedProducts', products, 'products', [x.shape[0] ?? 1, units], 'x · weight');
    return { shape: [rows, units], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [x], outputs: [y] }) => {
        const count = elements((y as TensorType).shape);
        const bindings = ['x', 'donors', 'query', 'first_of', 'members', 'products', 'weight', 'y'];
        return {
          kernel: kernel('changed-rows', source, 'changed_products', bindings),
          parameters: { count, width: (y as TensorType).shape[1] as number, columns: (x as TensorType).shape[1] as number },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** Rows with columns of other rows. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const changedRows = (x: Node, donors: Node, query: Node, groupOf: Node): Node =>
  apply(changedRowsOperation, [x, donors, query, groupOf], {});

export interface ProductNodes {
  readonly x: Node;
  readonly donors: Node;
  readonly query: Node;
  readonly firstOf: Node;
  readonly members: Node;
  readonly products: Node;
  readonly weight: Node;
}

/** What a first affine map makes of such rows. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const changedProducts = ({ x, donors, query, firstOf, members, products, weight }: ProductNodes): Node =>
  apply(changedProductsOperation, [x, donors, query, firstOf, members, products, weight], {});
