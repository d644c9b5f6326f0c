import { describe, expect, test } from 'vitest';
import { briefOf, explainParameters, OPTIONS } from '../../src/cli/commands/explain.ts';
import { explainReport } from '../../src/cli/explain-report.ts';
import type { ExplainSummary } from '../../src/cli/explain-task.ts';
import { readOptions } from '../../src/cli/options.ts';
import { requireFit } from '../../src/cli/page/training.ts';
import type { Dataset } from '../../src/engine/dataset.ts';
import { methods } from '../../src/explain/methods.ts';
import { refusal } from '../data/refusal.ts';

const parameters = (...args: string[]) => explainParameters(readOptions(OPTIONS, args));

describe('the arguments of explain', () => {
  test('name an example, methods and what is explained', () => {
    const asked = parameters(
      '--index',
      '7',
      '--methods',
      'saliency, integratedGradients',
      '--target',
      '3',
      '--against',
      '5',
      '--output',
      'logOdds',
    );
    expect(asked).toMatchObject({
      index: 7,
      methods: ['saliency', 'integratedGradients'],
      target: 3,
      against: 5,
      output: 'logOdds',
      keep: true,
    });
    expect(asked.model).toBeUndefined();
    expect(asked.train).toMatchObject({ data: 'mnist', model: 'mlp', epochs: 10, seed: 0 });
  });

  test('may ask for all methods, each once', () => {
    expect(parameters('--methods', 'all').methods).toEqual(methods.map(({ name }) => name));
    expect(parameters('--methods', 'saliency,saliency').methods).toEqual(['saliency']);
  });

  test.each([
    [['--methods', 'saliencey'], "--methods: there is no method 'saliencey'.\nTo mend: use some of saliency,"],
    [
      ['--model', 'nowhere.safetensors'],
      '--model is nowhere.safetensors, which is neither a network nor a file.\nTo mend: use mlp or linear,',
    ],
    [['--model', 'src'], '--model is src, which is neither a network nor a file.'],
    [['--output', 'loss'], '--output is loss; it must be logit or probability or logOdds.'],
    [['--index', '-1'], '--index is -1; it must be a whole number of at least 0.\nTo mend: pass for example --index 0.'],
    [['--target', '3', '--against', '3'], '--target and --against are both 3;'],
  ])('%j are refused with what to do', (args, message) => {
    expect(() => parameters(...args)).toThrow(message);
  });
});

const summary: ExplainSummary = {
  data: 'mnist',
  index: 7,
  inputShape: [28, 28, 1],
  label: 9,
  prediction: 4,
  probabilities: [0, 0, 0, 0, 0.75, 0, 0, 0, 0, 0.25],
  classes: ['0', '1', '2', '3', '<4>', '5', '6', '7', '8', '9'],
  step: 1500,
  seed: 0,
  adapter: 'a & b',
  maps: [
    {
      method: 'integratedGradients',
      title: 'Integrated gradients',
      options: { steps: 50 },
      target: 4,
      output: 3.5,
      delta: -0.0012,
      sum: 3.25,
      least: -1,
      greatest: 2,
      top: [
        { at: [12, 16], value: 2 },
        { at: [3, 4], value: -1 },
      ],
      milliseconds: 12.5,
      question: 'How?',
      caveat: 'Not why.',
    },
  ],
  notApplicable: [],
};

describe('a model from a file', () => {
  const data: Dataset = {
    name: 'breast cancer',
    size: 1,
    inputShape: [30],
    inputs: new Float32Array(30),
    classes: ['benign', 'malignant'],
  };
  const model = (inputShape: number[], classes?: number, inputType: 'float32' | 'uint32' = 'float32') => ({
    spec: { inputShape, inputType, layers: [] },
    classes,
  });

  test('is taken where an example fits it', () => {
    requireFit(model([30], 2), data);
    requireFit(model([5, 6]), data);
  });

  test.each([
    [model([28, 28, 1], 10), '--model takes examples of [28, 28, 1], but an example of breast cancer is [30].'],
    // Ten examples of 3 would be as long.
    [model([3], 2), '--model takes examples of [3], but an example of breast cancer is [30].'],
    [model([30], 2, 'uint32'), '--model takes token indices of [30], but an example of breast cancer is [30].'],
    [model([30], 3), '--model has 3 outputs, but breast cancer has 2 classes.'],
  ])('is refused where it was made for other data (%#)', async (asked, message) => {
    expect(await refusal(() => requireFit(asked, data))).toEqual([
      'shape-mismatch',
      message,
      'To mend: pass the --data that the model was trained on, or a model that was trained on this --data.',
    ]);
  });
});

describe('what explain tells', () => {
  test('in the terminal is a line a method', () => {
    expect(briefOf(summary)).toBe(
      'Predicted <4> (75.0 %), wrong: it is 9\nIntegrated gradients  class <4>: [12, 16] 2.00, [3, 4] -1.00  gap -1.2e-3',
    );
  });

  test('in the report stands by itself, with nothing to fetch and nothing unescaped', () => {
    const report = explainReport(summary, Uint8Array.of(1, 2, 3));
    expect(report).toContain('<h1>Why &lt;4&gt;?</h1>');
    expect(report).toContain('which is wrong: it is <b>9</b>');
    expect(report).toContain('Training step 1500, seed 0, adapter a &amp; b');
    expect(report).toContain('src="data:image/png;base64,AQID"');
    expect(report).toContain('alt="The input and 1 maps. Strongest elements: Integrated gradients: [12, 16] 2.00, [3, 4] −1.00"');
    expect(report).not.toMatch(/https?:/);
    expect(report).not.toContain('<4>');
  });

  test('of an evaluation is its findings in words, then every score with the controls below', () => {
    const row = {
      metric: 'deletion',
      better: 'lower',
      about: 'truth',
      standardError: 0.25,
      values: [1],
      controls: { randomMap: 3 },
    } as const;
    const evaluation = {
      examples: 8,
      metrics: ['deletion'],
      rows: [
        { ...row, method: 'integratedGradients', control: false, mean: -1.5 },
        { ...row, method: 'randomMap', control: true, mean: null },
      ],
      ranking: [{ method: 'integratedGradients', meanRank: 1, standardError: null }],
      agreement: [],
      verdict: [
        { code: 'believe', parameters: { methods: ['integratedGradients'], examples: 8, randomised: true }, text: 'Believe it & me.' },
      ],
    } as const;
    expect(briefOf({ ...summary, evaluation })).toMatch(/gap -1.2e-3\n\nBelieve it & me\.$/);
    const report = explainReport({ ...summary, evaluation }, new Uint8Array());
    expect(report).toContain('<li>Believe it &amp; me.</li>');
    expect(report).toContain('deletion <span class="quiet">↓ lower is better</span>');
    expect(report).toMatch(
      /<td class="number">1\.0<\/td><th>Integrated gradients<\/th><td class="number">−1\.50<br><span class="quiet">± 0\.25/,
    );
    expect(report).toMatch(/class="controls">\s*<tr><td class="number"><\/td><th>randomMap<\/th><td class="number quiet">–/);
  });

  test('of a method that the network does not allow is that it is left out, and why', () => {
    const left = { ...summary, notApplicable: [{ method: 'lrp', title: 'LRP', why: 'the model has a <b>.' }] };
    expect(briefOf(left)).toMatch(/gap -1.2e-3\nLRP is left out: the model has a <b>\.$/);
    expect(explainReport(left, new Uint8Array())).toContain('<ul><li><b>LRP</b>: the model has a &lt;b&gt;.</li></ul>');
    expect(explainReport(summary, new Uint8Array())).not.toContain('What does not apply');
  });

  test('in the report can be read back as JSON', () => {
    const text = /<pre>(.*?)<\/pre>/s.exec(explainReport(summary, new Uint8Array()))?.[1] as string;
    const json = text
      .replace(/&quot;/g, '"')
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&amp;/g, '&');
    expect(JSON.parse(json)).toEqual(summary);
  });
});
