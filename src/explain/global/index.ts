/** Methods about the whole network and its data. */

export type { Interval } from './statistics.ts';
export {
  type Fidelity,
  type Impurity,
  type PathStep,
  type SurrogateTree,
  type SurrogateTreeOptions,
  surrogateTree,
  type TreeNode,
} from './surrogate-tree.ts';
