/** The pictures of a network, from its tensors: the input, then each layer's weights and what comes out of it. */

import type { Messages } from '../language.ts';
import { arrange } from '../maps/arrange.ts';
import type { DiagramNode } from '../maps/network-diagram.ts';
import type { Snapshot } from './session.ts';

/** @param whole writes a whole number as the visitor's language does */
export function diagramOf(snapshot: Snapshot, say: Messages, whole: (value: number) => string): DiagramNode[] {
  const { subject: model, tensors, test } = snapshot;
  if (!model) return [];
  const shapeNote = (shape: readonly number[]): string => shape.map(whole).join(' × ');
  // The numbers of words are no picture: the words themselves stand beside the diagram.
  const input: DiagramNode = {
    name: 'input',
    kind: 'input',
    title: say.nodeInput,
    note: shapeNote(model.spec.inputShape.filter((length) => length > 1)),
    tensor: tensors.get('input'),
    signed: model.spec.inputShape.length === 1,
    names: test?.features,
  };
  const nodes: DiagramNode[] = test?.vocabulary ? [] : [input];
  // How the values that a weight meets are laid out: its pictures are laid out alike.
  let image = imageOf(model.spec.inputShape);
  const last = model.layers.at(-1)?.name;
  for (const { name, kind, outputShape } of model.layers) {
    for (const [parameter, tensor] of model.parameters) {
      if (!parameter.startsWith(`${name}/`) || tensor.shape.length < 2) continue;
      // What a text goes through has more weights than there is room for: there what comes out of them is shown, and what attends.
      if (test?.vocabulary && kind !== 'dense') continue;
      const fits = image && tensor.shape.length === 2 && tensor.shape[0] === image[0] * image[1];
      nodes.push({
        name: parameter,
        kind: 'weight',
        title: parameter,
        note: shapeNote(tensor.shape),
        tensor,
        image: fits ? image : undefined,
        signed: true,
      });
    }
    for (const [attention, tensor] of tensors) {
      const tokens = tensor.shape.at(-1) ?? 0;
      const of = attention.replace('attention/', '');
      if (!test?.vocabulary || of === attention || (of !== name && !of.startsWith(`${name}/`))) continue;
      const note = shapeNote(tensor.shape.slice(1).filter((length, axis) => axis > 0 || length > 1 || tokens === 1));
      nodes.push({ name: attention, kind: 'activation', title: attention, note, tensor, planes: true, signed: false });
    }
    const own = name === last ? [`preactivation/${name}`, `activation/${name}`] : [`activation/${name}`];
    for (const activation of own) {
      const tensor = tensors.get(activation);
      if (kind === 'flatten' || (!tensor && kind !== 'dense')) continue;
      const logits = activation.startsWith('pre');
      nodes.push({
        name: activation,
        kind: 'activation',
        title: name === last ? (logits ? say.nodeLogits : say.nodeProbabilities) : test?.vocabulary ? name : activation,
        note: shapeNote(outputShape),
        tensor,
        // After ReLU and softmax nothing is negative.
        signed: logits || (test?.vocabulary !== undefined && kind !== 'dense'),
        names: name === last ? test?.classes?.map(String) : undefined,
      });
    }
    image = imageOf(outputShape) ?? image;
  }
  return nodes;
}

function imageOf(shape: readonly number[]): readonly [height: number, width: number] | undefined {
  const count = shape.reduce((size, length) => size * length, 1);
  const { width, height } = arrange(shape.length === 1 ? shape : shape.filter((length, axis) => axis < 2 || length > 1));
  return width * height === count ? [height, width] : undefined;
}
