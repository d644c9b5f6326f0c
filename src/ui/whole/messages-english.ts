import { type StrResult, str } from '@lit/localize';

/** The words of the views of the whole network. Every other catalogue has the same keys. */
export const wholeEnglish = {
  fromStep: (step: string): StrResult => str`From step ${step}`,
  refresh: (step: string): StrResult => str`From step ${step}, refresh`,
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
  histogramText: (from: string, to: string, most: string): StrResult =>
    str`Histogram from ${from} to ${to}; the fullest bin holds ${most} values`,

  treeTitle: 'A small tree that answers as the network does',
  treeNote: (examples: string): StrResult =>
    str`Grown on the network’s answers to the first ${examples} test examples; a fifth of them is held out to try it on. Does not show how the network computes: a tree of the same answers may ask for something else.`,
  treeGrow: 'Grow the tree',
  treeOutline: 'Questions of the tree',
  treeImage: 'Pixels are written [row, column].',
  treeLeaf: (name: string, count: string, all: string): StrResult => str`→ ${name} (${count} of ${all})`,
  treeHere: 'the example',
  treePath: 'The chosen example',
  fidelityTitle: 'How often the tree, cut off at a depth, says what the network says',
  depth: 'Depth',
  leaves: 'Leaves',
  fidelityTraining: 'Where it grew',
  fidelityHeldOut: 'Held out',
  interval: '95 % interval',
  majority: (share: string): StrResult =>
    str`Always saying the network’s commonest class would be right for ${share} of the held-out examples.`,

  evaluationTitle: 'Which of these maps to believe',
  evaluationNote: (examples: string): StrResult =>
    str`Scores the methods on the cards on the first ${examples} test examples, beside maps that explain nothing. Tells which maps fit this network on these inputs; cannot tell whether the network is right.`,
  evaluationBegin: 'Evaluate the methods',
  cancel: 'Cancel',
  progress: (done: string, total: string): StrResult => str`${done} of ${total} scores`,
  ranking: 'Best first; maps that explain nothing below',
  method: 'Method',
  meanRank: 'Mean rank',
  error: (value: string): StrResult => str`± ${value}`,
  higher: 'higher is better',
  lower: 'lower is better',
  metrics: {
    deletion: 'Deletion',
    insertion: 'Insertion',
    infidelity: 'Infidelity',
    faithfulnessCorrelation: 'Faithfulness correlation',
    modelRandomisation: 'Model randomisation',
  },
  controls: {
    randomMap: 'Random map',
    inputMap: 'The input itself',
    inputXRandom: 'Input × random',
    sobelMap: 'Edges of the input',
    constantMap: 'Constant map',
  },
  /** What an evaluation finds; a list of names is written by `Words.list`. */
  findings: {
    believe: (examples: string, methods: string): StrResult =>
      str`On ${examples} examples, believe ${methods}: better than every control on most measures, and dependent on what the network has learned.`,
    believeUntried: (examples: string, methods: string): StrResult =>
      str`On ${examples} examples, believe ${methods}: better than every control on most measures. Dependence on what the network has learned was not measured.`,
    'believe-none': (examples: string): StrResult =>
      str`On ${examples} examples, believe none of these maps: none does better than the controls on most measures while depending on the network.`,
    'nothing-measured': 'Nothing was measured that tells which map to believe.',
    'no-controls': 'No control was scored, so no map can be said to be better than one that explains nothing.',
    tied: (methods: string): StrResult => str`By these measures ${methods} cannot be told apart.`,
    'no-better-than-control': (method: string, control: string, metrics: string, count: string, of: string): StrResult =>
      str`${method} does no better than “${control}”, which explains nothing, on ${metrics} (${count} of ${of} measures).`,
    'blind-to-network': (method: string, correlation: string): StrResult =>
      str`${method} hardly changes when the network’s layers are drawn anew (rank correlation ${correlation}): it shows the input more than what was learned.`,
    agree: (methods: string, correlation: string): StrResult => str`The maps of ${methods} agree (mean rank correlation ${correlation}).`,
    disagree: (methods: string, correlation: string): StrResult =>
      str`The maps of ${methods} disagree (mean rank correlation ${correlation}): they answer different questions, and no one of them is the whole explanation.`,
    'few-examples': (examples: string): StrResult => str`With so few examples (${examples}) the standard errors say little.`,
  },
};
