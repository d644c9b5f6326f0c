/**
 * A graph is symbolic: nodes are operations with static shapes, in the order in which they were made, which is the order in which they
 * run. No GPU in sight.
 */

import { internal, show, VitrineError } from './errors.ts';
import type { DataType, Operation, TensorType } from './operation.ts';

// biome-ignore lint/suspicious/noExplicitAny: an operation's attributes are known to its own file only.
export interface Node<A = any> extends TensorType {
  readonly id: number;
  readonly graph: Graph;
  /** Absent for a placeholder, whose value comes from outside. */
  readonly operation?: Operation<A>;
  readonly inputs: readonly Node[];
  readonly attributes: A;
  /** Name of its tensor, such as `activation/dense_1`. */
  name?: string;
}

/**
 * What is to be computed, as nodes: each an operation on other nodes, with its shape and type known at once. It holds no values and touches no GPU;
 * `differentiate` adds to it, `compile` makes a plan of it.
 */
export class Graph {
  readonly nodes: Node[] = [];

  /** A value that comes from outside: a parameter, the batch, a seed. */
  placeholder(name: string, shape: readonly number[], dtype: DataType = 'float32'): Node {
    return this.#add({ id: this.nodes.length, graph: this, inputs: [], attributes: {}, shape: [...shape], dtype, name });
  }

  /** The operation's output for these inputs. @throws VitrineError `shape-mismatch`, `dtype-mismatch` by its shape rule */
  apply<A>(operation: Operation<A>, inputs: readonly Node[], attributes: A): Node<A> {
    for (const input of inputs) {
      if (input.graph !== this) throw internal('graph.ts', `${operation.name}: an input belongs to another graph`);
    }
    const { shape, dtype } = operation.infer(inputs, attributes);
    return this.#add({ id: this.nodes.length, graph: this, operation, inputs, attributes, shape, dtype });
  }

  #add<A>(node: Node<A>): Node<A> {
    this.nodes.push(node);
    return node;
  }
}

/** Applies an operation in its inputs' graph. */
export function apply<A>(operation: Operation<A>, inputs: readonly Node[], attributes: A): Node<A> {
  const graph = inputs[0]?.graph;
  if (!graph) throw internal('graph.ts', `${operation.name} needs an input`);
  return graph.apply(operation, inputs, attributes);
}

/** What a node is called in lists and errors: its name, or its operation and number. */
export const nodeLabel = (node: Node): string => node.name ?? `${node.operation?.name ?? 'placeholder'}#${node.id}`;

/** Every node that the given ones need, themselves included, in the order in which they run. */
export function ancestors(of: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  const stack = [...of];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/**
 * Reads a graph as if some of its nodes were others: what does not depend on them is itself, what does is applied again, on demand.
 *
 * @param replacements for each node to be replaced, the node that stands in its place
 */
export function substitution(graph: Graph, replacements: ReadonlyMap<Node, Node>): (node: Node) => Node {
  const replaced = new Map<Node, Node>(replacements);
  const read = (node: Node): Node => {
    const known = replaced.get(node);
    if (known) return known;
    const inputs = node.inputs.map(read);
    const changed = inputs.some((input, i) => input !== node.inputs[i]);
    const result = changed && node.operation ? graph.apply(node.operation, inputs, node.attributes) : node;
    replaced.set(node, result);
    return result;
  };
  return read;
}

/** Refuses an input of the wrong element type. */
export function requireType(operation: string, input: TensorType, name: string, dtype: DataType): void {
  if (input.dtype !== dtype) {
    throw new VitrineError(
      'dtype-mismatch',
      `${operation}: ${name} is ${input.dtype} ${show(input.shape)}; it must be ${dtype}.`,
      `pass ${name} as ${dtype}.`,
      { operation, input: name, expected: dtype, actual: input.dtype },
    );
  }
}
