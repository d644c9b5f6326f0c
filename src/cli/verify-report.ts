import type { TrainSummary } from './train-task.ts';

/** What `npm run verify` promises of five seeds of ten epochs. */
export const LEAST_EACH = 0.973;
export const LEAST_MEAN = 0.975;

export interface Verdict {
  readonly mean: number;
  readonly smallest: number;
  /** The promises that do not hold, in words; none when all do. */
  readonly broken: readonly string[];
}

const percent = (accuracy: number): string => `${(100 * accuracy).toFixed(2)} %`;

/** Whether the accuracies keep the promises. */
export function judge(accuracies: readonly number[]): Verdict {
  const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
  const smallest = Math.min(...accuracies);
  const broken = [
    // Not `<`: a NaN must break the promise too.
    ...(smallest >= LEAST_EACH ? [] : [`the smallest test accuracy is ${percent(smallest)}, below ${percent(LEAST_EACH)}`]),
    ...(mean >= LEAST_MEAN ? [] : [`the mean test accuracy is ${percent(mean)}, below ${percent(LEAST_MEAN)}`]),
  ];
  return { mean, smallest, broken };
}

/** One row a seed, as text columns: for the terminal and, with bars, for the report. */
export function seedRow(summary: TrainSummary): string[] {
  return [
    String(summary.seed),
    summary.trainLoss.toFixed(4),
    summary.validationAccuracy === null ? '–' : percent(summary.validationAccuracy),
    summary.testLoss.toFixed(4),
    percent(summary.testAccuracy),
    `${summary.seconds.toFixed(0)} s`,
  ];
}

export const SEED_COLUMNS = ['seed', 'training loss', 'validation accuracy', 'test loss', 'test accuracy', 'time'] as const;

const markdownRow = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** The section of VERIFY.md on the accuracy of five seeds: the promise, what was measured, and with what. */
export function accuracySection(summaries: readonly TrainSummary[], versions: Readonly<Record<string, string>>, date: Date): string {
  const { mean, smallest, broken } = judge(summaries.map(({ testAccuracy }) => testAccuracy));
  const first = summaries[0];
  if (!first) throw new Error('internal: verify-report.ts: no run to report');
  const variants = Object.entries(first.variants);
  return `Five trainings of the network of the introduction (784 → 128 ReLU → 10 softmax, ${first.parameters.toLocaleString('en-US')} parameters)
on MNIST, ${first.epochs} epochs each, batches of ${first.batch}, Adam, cross-entropy, the last fifth of the training examples kept for validation.

**The promise.** Each of the five reaches a test accuracy of at least ${percent(LEAST_EACH)}, and their mean at least ${percent(LEAST_MEAN)}.
**${broken.length === 0 ? 'It holds.' : `It does not hold: ${broken.join('; ')}.`}**

${markdownRow(SEED_COLUMNS)}
${markdownRow(SEED_COLUMNS.map(() => '--:'))}
${summaries.map((summary) => markdownRow(seedRow(summary))).join('\n')}

Mean test accuracy ${percent(mean)}, smallest ${percent(smallest)}, of 10,000 images each. Losses are means in nats; time is that of training alone.

${markdownRow(['with what', 'which'])}
${markdownRow(['--', '--'])}
${[['date', date.toISOString().slice(0, 10)], ['adapter', first.adapter], ...Object.entries(versions), ...variants.map(([operation, variant]) => [`variant of ${operation}`, variant])].map(markdownRow).join('\n')}

The same seed, adapter and variants give the same bits.
`;
}

/** The sections of VERIFY.md in their order, by the name that `--only` takes. */
export const SECTIONS = { accuracy: 'Accuracy', randomisation: 'Model randomisation' } as const;
export type SectionName = keyof typeof SECTIONS;

const TITLE = `# What was verified

Written by \`npm run verify\`; one section alone by \`npm run verify -- --only NAME\`.
`;

/** VERIFY.md with one of its sections written anew; the others stay as they are. */
export function withSection(document: string, name: SectionName, body: string): string {
  const kept = new Map(
    document
      .split(/^## /m)
      .slice(1)
      .map((section) => {
        const end = section.indexOf('\n');
        return [section.slice(0, end).trim(), section.slice(end).trim()] as const;
      }),
  );
  kept.set(SECTIONS[name], body.trim());
  const sections = Object.values(SECTIONS).flatMap((title) => (kept.has(title) ? [`## ${title}\n\n${kept.get(title)}\n`] : []));
  return [TITLE, ...sections].join('\n');
}
