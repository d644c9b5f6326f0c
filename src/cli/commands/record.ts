import { basename, dirname } from 'node:path';
import { openHeadless, untilInterrupted } from '../headless.ts';
import { type Options, readOptions } from '../options.ts';
import { openOutputFolder, requireWritable, writeOutputs } from '../output-folder.ts';
import { createProgress } from '../terminal.ts';
import { printHelp } from '../train-options.ts';

/** Few enough for a file that a page may load, and most of them early, where most is learned. */
const STEPS = [100, 1000, 15_000];

const OPTIONS: Options = {
  out: { kind: 'text', value: 'src/ui/recorded/session.bin', help: 'the file to write' },
};

/** Records the session that the studio shows where there is no WebGPU. */
export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help) return printHelp('record', 'Records the session that the studio shows in browsers without WebGPU.', OPTIONS);
  const out = values.text('out') as string;
  openOutputFolder(dirname(out));
  requireWritable(out);
  const progress = createProgress(process.stderr);
  return untilInterrupted(async (signal) => {
    const headless = await openHeadless();
    try {
      progress.line(headless.description);
      const bytes = await headless.runTask<Uint8Array>({
        page: 'src/ui/recorded/record.html',
        parameters: { steps: STEPS },
        signal,
        onEvent: (event) => progress.stage((event as { text: string }).text),
        onWarning: (line) => progress.line(`warning: ${line}`),
        silenceMinutes: 30,
      });
      writeOutputs(dirname(out), { [basename(out)]: bytes });
      progress.line(`Wrote ${out}, ${bytes.length} bytes`);
      return 0;
    } finally {
      progress.end();
      await headless.close();
    }
  });
}
