import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/engine/compile.ts';
import { differentiate, type Rule } from '../../../src/engine/differentiate.ts';
import { Graph, type Node } from '../../../src/engine/graph.ts';
import {
  attentionPooling,
  buildModel,
  dense,
  type Layer,
  type Model,
  patches,
  positionalEmbedding,
  residual,
  selfAttention,
  transformerBlock,
} from '../../../src/engine/index.ts';
import { add, multiply, subtract } from '../../../src/engine/ops/arithmetic.ts';
import { attentionSoftmaxOperation } from '../../../src/engine/ops/attention-softmax.ts';
import { reciprocal, sqrt, square } from '../../../src/engine/ops/elementary.ts';
import { constant } from '../../../src/engine/ops/fill.ts';
import { layerNormOperation } from '../../../src/engine/ops/layer-norm.ts';
import { mean } from '../../../src/engine/ops/reduce.ts';
import { normal } from '../../../src/engine/random.ts';
import { integratedGradients } from '../../../src/explain/local/integrated-gradients.ts';
import { lrp } from '../../../src/explain/local/lrp.ts';
import { lrpZero } from '../../../src/explain/rules/lrp-rules.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesFor, rowSums, vision } from './attention-networks.ts';

failOnGpuErrors();

const CLASSES = 3;

async function network(biases: boolean): Promise<Model> {
  const blocks: Layer[] = [
    transformerBlock({ heads: 2, activation: 'relu', hidden: 12 }),
    residual([selfAttention({ heads: 2, causal: true })]),
    attentionPooling(),
  ];
  const model = await buildModel(await testDevice(), {
    inputShape: [8, 8, 1],
    layers: [patches(4), dense(8), positionalEmbedding(), ...blocks, dense(CLASSES)],
    seed: 12,
  });
  let stream = 500;
  for (const [name, tensor] of model.parameters) {
    stream += 1;
    if (!name.endsWith('/bias') && !name.endsWith('/table')) continue;
    tensor.write(Float32Array.from({ length: tensor.length }, (_, i) => (biases ? 0.2 * normal(12, stream, 0, i) : 0)));
  }
  return model;
}

/** The attention weights and the scale 1 / √(variance + ε) of layer normalisation held constant. */
const frozen: Rule = (node, dOutput) => {
  if (node.operation === attentionSoftmaxOperation) return [undefined];
  if (node.operation !== layerNormOperation) return undefined;
  const [x, scale] = node.inputs as [Node, Node];
  const rowMean = (of: Node): Node => mean(of, [x.shape.length - 1], { keepDims: true });
  const deviation = sqrt(add(rowMean(square(subtract(x, rowMean(x)))), constant(x.graph, node.attributes.epsilon)));
  const slope = multiply(dOutput, scale);
  return [multiply(subtract(slope, rowMean(slope)), reciprocal(deviation)), undefined, undefined];
};

/** x ⊙ the gradient of a logit of the network with what attention and normalisation depend on held constant. */
async function gradientTimesInput(model: Model, x: Float32Array, target: number): Promise<Float32Array> {
  const rows = x.length / 64;
  const graph = new Graph();
  const forward = model.forward(graph, rows);
  const seed = graph.placeholder('seed', forward.logits.shape);
  const [gradient] = differentiate(forward.logits, [forward.x], { seed, rules: [frozen] }) as [Node];
  const product = multiply(gradient, forward.x);
  const plan = await compile(model.device, [product], { tensors: model.bindings(forward) });
  plan.tensor(forward.x).write(x);
  plan.tensor(seed).write(Float32Array.from({ length: rows * CLASSES }, (_, i) => (i % CLASSES === target ? 1 : 0)));
  plan.run();
  const values = await plan.tensor(product).read();
  plan.dispose();
  return values;
}

describe('LRP through attention', () => {
  test('hands the whole output back to the input where nothing has a bias', async () => {
    const model = await network(false);
    const x = examplesFor(model, 6);
    const attribution = await lrp(model, x, { rule: lrpZero(), epsilon: 0, target: 1 });
    const [values, output, delta] = await Promise.all([attribution.values.read(), attribution.output.read(), attribution.delta?.read()]);
    const largest = Math.max(1, ...[...output].map(Math.abs));
    expectClose(rowSums(values, 64), output, [6], 1e-4 * largest, 'Σ relevance');
    for (const gap of delta ?? []) expect(Math.abs(gap)).toBeLessThan(1e-4 * largest);
    expect(Math.max(...[...output].map(Math.abs))).toBeGreaterThan(0.1);
    attribution.dispose();
    model.dispose();
  });

  test('by rule 0 is gradient × input of the network whose attention and normalisation are held constant, biases included', async () => {
    const model = await network(true);
    const x = examplesFor(model, 4);
    const attribution = await lrp(model, x, { rule: lrpZero(), epsilon: 0, target: 2 });
    const values = await attribution.values.read();
    attribution.dispose();
    expectClose(values, await gradientTimesInput(model, x, 2), [4, 64], 1e-4, 'relevance');
    model.dispose();
  });
});

describe('integrated gradients through attention', () => {
  test('add up to what the output gains over the baseline', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 8);
    const attribution = await integratedGradients(model, x);
    const [delta, output] = await Promise.all([attribution.delta?.read(), attribution.output.read()]);
    const black = await model.logits(new Float32Array(64));
    const [target, logits] = [await attribution.target.readUint32(), await black.read()];
    for (let i = 0; i < 8; i++) {
      const gain = (output[i] as number) - (logits[target[i] as number] as number);
      expect(Math.abs(delta?.[i] as number)).toBeLessThan(1e-4 * Math.max(1, Math.abs(gain)));
    }
    black.dispose();
    attribution.dispose();
    model.dispose();
  });
});
