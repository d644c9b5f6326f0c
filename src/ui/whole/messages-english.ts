import { type StrResult, str } from '@lit/localize';

/** The words of the views of the whole network. Every other catalogue has the same keys. */
export const wholeEnglish = {
  fromStep: (step: string): StrResult => str`From step ${step}`,
  refresh: (step: string): StrResult => str`From step ${step}, refresh`,
  computing: 'Computing …',
  waiting: 'There is no network yet.',
  needsGpu: 'What is shown here is computed on the GPU when it is asked for; a recorded session has none of it.',
  rows: (done: string, total: string): StrResult => str`${done} of ${total} rows`,
  notApplicable: 'Not applicable here:',
  notForTexts: 'a text’s values are the numbers of its words, which cannot be compared, and its places are no columns.',
  noLabels: 'the examples have no classes to be compared with.',
  lockPixel: 'no pixel is locked. Click one in any map of the input.',
  showExample: (index: string): StrResult => str`Show test example ${index}`,
  column: 'Column',
  layer: 'Layer',
  examples: 'Examples',
  predictedClass: 'Predicted class',

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
  treeDiagram: 'The tree, from its first question on the left to its answers on the right',
  treeOutline: 'The tree as text',
  yes: 'yes',
  no: 'no',
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

  attentionTitle: 'Attention',
  attentionFind: 'Look at the attention',
  attentionNote:
    'How much each token (a row) takes from each other one (a column), of the chosen example; the bars beside the rows are their entropy. Shows where values are taken from; not what they do to the answer: set a word beside its share in the maps above, and strike it out.',
  temperature: 'Temperature',
  ownTemperature: 'As the network has it',
  headOf: (head: string, heads: string): StrResult => str`Head ${head} of ${heads}`,
  weightsOf: (head: string): StrResult => str`Attention weights of head ${head}`,
  padding: 'padding',
  paddings: (count: string): StrResult => str`padding × ${count}`,
  entropyRange: (least: string, most: string, limit: string, keys: string): StrResult =>
    str`Entropy of the rows: ${least} to ${most} nats, of at most ln ${keys} = ${limit}.`,
  entropyOf: (value: string): StrResult => str`entropy ${value} nats`,
  query: 'Row (query)',
  headLabel: 'Head',
  key: 'Key',
  share: 'Share',
  onGpu: 'on the GPU',
  stepsTitle: 'One row, step by step:',
  stepsNote: 'θ is q · k / √d of the network’s own query and key, worked out here; the last column is what the GPU made of them.',

  rolloutTitle: 'Attention rollout',
  rolloutNote:
    'How much of each word attention has carried to where the network decides, through all layers; the shares of words and padding sum to 1. The same for every class, and not what was made of it.',
  relevanceTitle: (label: string): StrResult => str`Attention relevance for ${label}`,
  relevanceNote:
    'Which words spoke for the class by way of attention: gradient × attention, where it is positive, through all layers. Not what speaks against it.',

  prototypesTitle: 'Prototypes',
  prototypesFind: 'Find the prototypes',
  prototypesNote: (examples: string): StrResult =>
    str`Of the first ${examples} test examples, those nearest to the middle of what the network takes for a class, as a layer sees them; under each, its distance. Shows what is typical for the network; not that a class has several kinds, nor whether the network is right.`,
  nearest: 'Nearest to the middle',
  farthest: 'Farthest',
  distance: (value: string): StrResult => str`distance ${value}`,

  importanceTitle: 'Permutation importance',
  importanceFind: 'Measure the importance',
  importanceNote: (examples: string, repeats: string): StrResult =>
    str`How much the cross-entropy of the first ${examples} test examples grows when a column, a category or a square of pixels is dealt out anew among them: mean of ${repeats} deals and its 95 % interval. Shows what the network relies on; not what it would fall back on, and of two columns that say the same neither may seem to count.`,
  importanceBase: (value: string): StrResult => str`Cross-entropy of the examples as they are: ${value} nats`,
  increase: 'Increase',
  nats: 'nats',
  squareColumn: 'Pixels',
  square: (fromRow: string, toRow: string, fromColumn: string, toColumn: string): StrResult =>
    str`rows ${fromRow}–${toRow}, columns ${fromColumn}–${toColumn}`,

  dependenceTitle: 'Partial dependence',
  dependenceFind: 'Draw the curves',
  dependenceNote: (examples: string): StrResult =>
    str`The logit of the class asked about as one value goes from its least to its greatest and all others stay: for each of ${examples} test examples and on the mean. Curves that are not parallel are interactions. Does not show what happens where columns go together: it tries rows that may never occur.`,
  dependenceOf: (name: string, label: string): StrResult => str`${name} → logit of ${label}.`,
  dependenceText: (name: string, label: string, from: string, to: string, first: string, last: string): StrResult =>
    str`Partial dependence: as ${name} goes from ${from} to ${to}, the mean logit of ${label} goes from ${first} to ${last}`,
  meanCurve: 'mean',
  singleCurves: 'single test examples',

  similarityTitle: 'How alike the layers are (linear CKA)',
  similarityFind: 'Compare the layers',
  similarityNote: (examples: string): StrResult =>
    str`Of ${examples} test examples: 1 where two layers say the same up to a rotation and a scale, 0 where they have nothing in common. Does not show what they say; few examples beside many units make everything look alike.`,

  evaluationNotForTexts: 'the measures cover parts of an input by degrees, and a word is there or it is not.',
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
