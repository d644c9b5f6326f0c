import { Interrupted } from './command-error.ts';
import type { Headless } from './headless.ts';
import type { RandomisationParameters, RandomisationResult, RandomisationSummary } from './randomisation-task.ts';
import { detail, epochLine, type Progress, thousands } from './terminal.ts';
import type { TrainEvent } from './train-task.ts';

/**
 * Trains and redraws in a page of the headless browser and shows how it goes.
 * @throws Interrupted when the signal stopped it
 */
export async function randomiseHeadless(
  headless: Headless,
  parameters: RandomisationParameters,
  progress: Progress,
  signal: AbortSignal,
): Promise<RandomisationSummary> {
  const network = [784, ...parameters.hidden, 10].join('-');
  const show = (event: TrainEvent): void => {
    if (event.kind === 'stage') progress.stage(event.text);
    else if (event.kind === 'progress') progress.update(event);
    else if (event.kind === 'epoch') progress.line(epochLine(event));
    else progress.line(detail('Network', `${network}, ${thousands(event.parameters)} parameters, to be explained and drawn anew\n`));
  };
  try {
    const { summary } = await headless.runTask<RandomisationResult>({
      page: 'src/cli/page/randomisation.html',
      parameters,
      signal,
      onEvent: (event) => show(event as TrainEvent),
      onWarning: (line) => progress.line(`warning: ${line}`),
    });
    if (signal.aborted || !summary) throw new Interrupted('Stopped; nothing was written.');
    return summary;
  } catch (error) {
    // Whatever broke because the work was cut off in the middle was asked for.
    throw signal.aborted ? new Interrupted('Stopped; nothing was written.') : error;
  } finally {
    progress.end();
  }
}
