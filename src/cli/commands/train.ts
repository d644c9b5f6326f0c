import { openHeadless, untilInterrupted } from '../headless.ts';
import { type Options, readOptions } from '../options.ts';
import { openOutputFolder } from '../output-folder.ts';
import { createProgress, tunedLines } from '../terminal.ts';
import { trainHeadless, writeTrained } from '../train-headless.ts';
import { printHelp, TRAIN_OPTIONS, trainParameters } from '../train-options.ts';

const OPTIONS: Options = {
  ...TRAIN_OPTIONS,
  out: { kind: 'text', help: 'a folder for the model (safetensors) and a picture of its activations' },
  tune: { kind: 'flag', help: 'time the variants of every kernel after the first step and train with the fastest: other bits, maybe' },
  json: { kind: 'flag', help: 'print the result as one line of JSON' },
};

/** Trains once and prints the result on stdout, as its last line. How it goes is told on stderr. */
export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help) return printHelp('train', 'Trains a network in a headless browser.', OPTIONS);
  const out = values.text('out');
  const parameters = { ...trainParameters(values, out !== undefined), tune: values.flag('tune') };
  if (out !== undefined) openOutputFolder(out);
  const progress = createProgress(process.stderr);
  return untilInterrupted(async (signal) => {
    const headless = await openHeadless();
    try {
      progress.line(headless.description);
      const trained = await trainHeadless(headless, parameters, progress, signal);
      if (out !== undefined) {
        for (const path of Object.values(writeTrained(out, trained))) progress.line(`Wrote ${path}`);
      }
      const { summary } = trained;
      if (summary.tuning) progress.line(tunedLines(summary.tuning));
      process.stdout.write(values.flag('json') ? `${JSON.stringify(summary)}\n` : `Test accuracy: ${summary.testAccuracy.toFixed(4)}\n`);
      return 0;
    } finally {
      await headless.close();
    }
  });
}
