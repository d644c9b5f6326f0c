/** What operations that work element by element share. Every input has the shape of the output. */

import { requireType } from './graph.ts';
import { type Kernel, kernel, linearWorkgroups, type ParameterValues } from './kernel.ts';
import { type Call, elements, type TensorType, type Variant } from './operation.ts';
import { requireShape } from './rows.ts';

/** The last axis of the output is divisible by 4. */
const inQuads = ({ outputs }: Call): boolean => ((outputs[0] as TensorType).shape.at(-1) ?? 1) % 4 === 0;

/** Calls that can be worked on four elements at a time are tuned apart from the others. */
export const elementwiseClass = (call: Call): string => (inQuads(call) ? 'quads' : 'elements');

/** The shape rule: float32 inputs of one shape, named as given. */
export const elementwiseInfer =
  (operation: string, names: readonly string[]) =>
  (inputs: readonly TensorType[]): TensorType => {
    const [first] = inputs as [TensorType];
    names.forEach((name, i) => {
      requireType(operation, inputs[i] as TensorType, name, 'float32');
      requireShape(operation, inputs[i] as TensorType, name, first.shape, `the shape of ${names[0]}`);
    });
    return { shape: first.shape, dtype: 'float32' };
  };

/**
 * The two ways to work element by element, of one .wgsl file: `ENTRY_vec4` (four elements an invocation, for a last axis divisible by 4)
 * and `ENTRY` (one). Both take `count` and what `more` adds.
 *
 * @param bindings names of the storage variables; in `ENTRY_vec4` each ends in 4
 */
export function elementwiseVariants<A>(
  file: string,
  source: string,
  entry: string,
  bindings: readonly string[],
  more: (attributes: A) => { constants?: Readonly<Record<string, number>>; parameters?: ParameterValues } = () => ({}),
): Variant<A>[] {
  const dispatcher =
    (of: Kernel, perInvocation: number): Variant<A>['dispatch'] =>
    ({ outputs, attributes }) => {
      const count = elements((outputs[0] as TensorType).shape);
      const { constants = {}, parameters = {} } = more(attributes);
      return { kernel: of, constants, parameters: { count, ...parameters }, workgroups: linearWorkgroups(count, perInvocation * 64) };
    };
  const quads = bindings.map((name) => `${name}4`);
  return [
    {
      name: 'vec4',
      supports: inQuads,
      dispatch: dispatcher(kernel(file, source, `${entry}_vec4`, quads), 4),
    },
    { name: 'scalar', dispatch: dispatcher(kernel(file, source, entry, bindings), 1) },
  ];
}
