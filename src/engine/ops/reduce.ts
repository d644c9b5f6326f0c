// placeholder: the reductions are being written
import type { Node } from '../graph.ts';
export declare const sumTo: (x: Node, shape: readonly number[]) => Node;
