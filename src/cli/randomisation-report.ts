import type { Agreement, RandomisationParameters, RandomisationRow, RandomisationSummary } from './randomisation-task.ts';

/** What `npm run verify` trains and draws anew: about a third as wide as the published network, for one epoch at a tenfold rate. */
export const RANDOMISATION: RandomisationParameters = {
  hidden: [800, 500, 300],
  epochs: 1,
  batch: 50,
  learningRate: 1e-3,
  seed: 0,
  images: 10,
  draws: 5,
};

/** The promise, of absolute maps after the top layer is drawn anew. */
export const MOST_GRADIENT = 0.3;
export const LEAST_GUIDED = 0.8;

/** Mean and deviation over 10 images, absolute maps, after logits, hidden3, hidden2 and hidden1: 784-2500-1500-500-10, 50 epochs. */
const PUBLISHED: Readonly<Record<string, readonly string[]>> = {
  gradient: ['0.234 (0.194)', '0.099 (0.062)', '0.015 (0.038)', '0.020 (0.036)'],
  SmoothGrad: ['0.255 (0.174)', '0.124 (0.059)', '0.007 (0.049)', '0.025 (0.037)'],
  'guided backpropagation': ['0.903 (0.054)', '0.823 (0.085)', '0.439 (0.051)', '0.044 (0.025)'],
  'integrated gradients': ['0.994 (0.004)', '0.993 (0.005)', '0.992 (0.005)', '0.993 (0.004)'],
  'gradient × input': ['0.994 (0.004)', '0.993 (0.005)', '0.992 (0.005)', '0.993 (0.004)'],
};

/** The promises that do not hold, in words; none when all do. */
export function judgeRandomisation({ rows }: Pick<RandomisationSummary, 'rows'>): readonly string[] {
  const top = (method: string): number => rows.find((row) => row.method === method)?.absolute[0]?.mean ?? Number.NaN;
  const [gradient, guided] = [top('gradient'), top('guided backpropagation')];
  return [
    // Not `>`: a NaN must break the promise too.
    ...(gradient <= MOST_GRADIENT ? [] : [`the gradient's absolute maps still agree ${gradient.toFixed(3)}, above ${MOST_GRADIENT}`]),
    ...(guided >= LEAST_GUIDED
      ? []
      : [
          `guided backpropagation's absolute maps agree only ${guided.toFixed(3)}, below ${LEAST_GUIDED}, so the published failure is not reproduced`,
        ]),
  ];
}

const cell = ({ mean, deviation }: Agreement): string => `${mean.toFixed(3)} (${deviation.toFixed(3)})`;
const markdownRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** One method's scores as text columns, for the terminal and the report. */
export const randomisationRow = (row: RandomisationRow, of: 'absolute' | 'signed'): string[] => [row.method, ...row[of].map(cell)];

function table(summary: RandomisationSummary, of: 'absolute' | 'signed'): string {
  const rows = summary.rows.flatMap((row) => [
    randomisationRow(row, of),
    ...(of === 'absolute' && PUBLISHED[row.method] ? [['published', ...(PUBLISHED[row.method] as readonly string[])]] : []),
  ]);
  return [['maps', ...summary.stages], ['--', ...summary.stages.map(() => '--:')], ...rows].map(markdownRow).join('\n');
}

/** The section of VERIFY.md on model randomisation. */
export function randomisationSection(summary: RandomisationSummary, versions: Readonly<Record<string, string>>, date: Date): string {
  const broken = judgeRandomisation(summary);
  const { images, draws, epochs, batch, learningRate, correct } = summary;
  const network = [784, ...summary.hidden, 10].join('-');
  const withWhat = [
    date.toISOString().slice(0, 10),
    summary.adapter,
    ...Object.entries(versions).map(([what, which]) => `${what} ${which}`),
  ];
  return `How much of an explanation is left when the network's layers are drawn anew, one more at each column, from the output down (Adebayo et al. 2018)?
The network is ${network}, ReLU, ${summary.parameters.toLocaleString('en-US')} parameters, on MNIST: the published one is 784-2500-1500-500-10. Normal weights of deviation 1.76/√fan_in, zero biases,
Adam ${learningRate}, batches of ${batch}, ${epochs} epoch${epochs === 1 ? '' : 's'} (published: 1e-4, 50 epochs), 55,000 training images in [0, 1], no regularisation; test accuracy ${(100 * summary.testAccuracy).toFixed(2)} %.
Each map explains the class that its own network predicts. Scores are Spearman's rank correlation with the trained network's map, equal values sharing their ranks:
mean (deviation) over the first ${images} test images, ${correct} of which the network reads rightly, and ${draws} draws of the layers.

**The promise.** After the top layer is drawn anew, absolute maps of the gradient agree at most ${MOST_GRADIENT} with the originals, and those of guided backpropagation at
least ${LEAST_GUIDED}: the first shows what the network has learned, the second hardly does.
**${broken.length === 0 ? 'It holds.' : `It does not hold: ${broken.join('; ')}.`}**

Absolute maps, as published:

${table(summary, 'absolute')}

Signed maps:

${table(summary, 'signed')}

Absolute maps of whatever is multiplied by the input agree however random the network is: so does the control *input × noise*, which knows nothing of it. |x| is in both
maps, and most of an image is 0 in both. Signed maps do not fall for it.

With ${withWhat.join('; ')}. Training ${summary.trainSeconds.toFixed(0)} s, drawing and explaining ${summary.seconds.toFixed(0)} s.
`;
}
