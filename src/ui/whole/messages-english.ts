import type { Finding } from '../../explain/evaluate/verdict.ts';

/** The words of the views of the whole network. Every other catalogue has the same keys. */
export const wholeEnglish = {
  fromStep: (step: string): string => `From step ${step}`,
  refresh: (step: string): string => `From step ${step}, refresh`,
  computing: 'Computing …',
  waiting: 'There is no network yet.',

  weightsTitle: 'Weights',
  weightsNote: 'Shows whether layers train at all, blow up or collapse to few directions. Does not show what a weight is for.',
  tensor: 'Tensor',
  shape: 'Shape',
  norm: 'Norm',
  mean: 'Mean',
  deviation: 'Deviation',
  range: 'Range',
  zeros: 'Zeros',
  notFinite: 'Not finite',
  stableRank: 'Stable rank',
  histogram: 'Histogram',
  histogramText: (from: string, to: string, most: string): string =>
    `Histogram from ${from} to ${to}; the fullest bin holds ${most} values`,

  treeTitle: 'A small tree that answers as the network does',
  treeNote: (examples: string): string =>
    `Grown on the network’s answers to the first ${examples} test examples; a fifth of them is held out to try it on. Does not show how the network computes: a tree of the same answers may ask for something else.`,
  treeGrow: 'Grow the tree',
  treeOutline: 'Questions of the tree',
  treeImage: 'Pixels are written [row, column].',
  treeLeaf: (name: string, count: string, all: string): string => `→ ${name} (${count} of ${all})`,
  treeHere: 'the example',
  treePath: 'The chosen example',
  fidelityTitle: 'How often the tree, cut off at a depth, says what the network says',
  depth: 'Depth',
  leaves: 'Leaves',
  fidelityTraining: 'Where it grew',
  fidelityHeldOut: 'Held out',
  interval: '95 % interval',
  majority: (share: string): string => `Always saying the network’s commonest class would be right for ${share} of the held-out examples.`,

  evaluationTitle: 'Which of these maps to believe',
  evaluationNote: (examples: string): string =>
    `Scores the methods on the cards on the first ${examples} test examples, beside maps that explain nothing. Tells which maps fit this network on these inputs; cannot tell whether the network is right.`,
  evaluationBegin: 'Evaluate the methods',
  cancel: 'Cancel',
  progress: (done: string, total: string): string => `${done} of ${total} scores`,
  ranking: 'Best first; maps that explain nothing below',
  method: 'Method',
  meanRank: 'Mean rank',
  error: (value: string): string => `± ${value}`,
  higher: 'higher is better',
  lower: 'lower is better',
  metrics: {
    deletion: 'Deletion',
    insertion: 'Insertion',
    infidelity: 'Infidelity',
    faithfulnessCorrelation: 'Faithfulness correlation',
    modelRandomisation: 'Model randomisation',
  } as Readonly<Record<string, string>>,
  controls: {
    randomMap: 'Random map',
    inputMap: 'The input itself',
    inputXRandom: 'Input × random',
    sobelMap: 'Edges of the input',
    constantMap: 'Constant map',
  } as Readonly<Record<string, string>>,
  /** A finding of the evaluation; `name` writes a method, control or metric. */
  finding: (finding: Finding, name: (code: string) => string, number: (value: number) => string): string => {
    const names = (codes: readonly string[]): string => {
      const all = codes.map(name);
      return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
    };
    switch (finding.code) {
      case 'believe': {
        const { methods, examples, randomised } = finding.parameters;
        return `On ${examples} examples, believe ${names(methods)}: better than every control on most measures${
          randomised ? ', and dependent on what the network has learned.' : '. Dependence on what the network has learned was not measured.'
        }`;
      }
      case 'believe-none':
        return `On ${finding.parameters.examples} examples, believe none of these maps: none does better than the controls on most measures while depending on the network.`;
      case 'nothing-measured':
        return 'Nothing was measured that tells which map to believe.';
      case 'no-controls':
        return 'No control was scored, so no map can be said to be better than one that explains nothing.';
      case 'tied':
        return `By these measures ${names(finding.parameters.methods)} cannot be told apart.`;
      case 'no-better-than-control': {
        const { method, control, metrics, of } = finding.parameters;
        return `${name(method)} does no better than “${name(control)}”, which explains nothing, on ${names(metrics)} (${metrics.length} of ${of} measures).`;
      }
      case 'blind-to-network':
        return `${name(finding.parameters.method)} hardly changes when the network’s layers are drawn anew (rank correlation ${number(finding.parameters.correlation)}): it shows the input more than what was learned.`;
      case 'agree':
        return `The maps of ${names(finding.parameters.methods)} agree (mean rank correlation ${number(finding.parameters.correlation)}).`;
      case 'disagree':
        return `The maps of ${names(finding.parameters.methods)} disagree (mean rank correlation ${number(finding.parameters.correlation)}): they answer different questions, and no one of them is the whole explanation.`;
      case 'few-examples':
        return `With so few examples (${finding.parameters.examples}) the standard errors say little.`;
    }
  },
};

export type WholeMessages = typeof wholeEnglish;
