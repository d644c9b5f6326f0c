import { Interrupted } from './command-error.ts';
import type { Headless } from './headless.ts';
import { writeOutputs } from './output-folder.ts';
import { detail, epochLine, type Progress, thousands } from './terminal.ts';
import type { ReadyEvent, TrainEvent, TrainParameters, TrainResult, TrainSummary } from './train-task.ts';

/** A run that reached its end. */
export interface Trained extends TrainResult {
  readonly summary: TrainSummary;
}

/** What is about to be trained, on what. */
function readyLines({ data, model, seed, batch }: TrainParameters, event: ReadyEvent): string {
  const examples = `${thousands(event.trainingExamples)} to learn from, ${thousands(event.validationExamples)} to validate`;
  return [
    detail('Network', `${model}, ${thousands(event.parameters)} parameters, seed ${seed}, batches of ${batch}`),
    detail('Data', `${data}: ${examples}, ${thousands(event.testExamples)} to test`),
    '',
  ].join('\n');
}

/**
 * Trains in a page of the headless browser and shows how it goes.
 * @throws Interrupted when the signal stopped it
 */
export async function trainHeadless(
  headless: Headless,
  parameters: TrainParameters,
  progress: Progress,
  signal: AbortSignal,
): Promise<Trained> {
  const show = (event: TrainEvent): void => {
    if (event.kind === 'stage') progress.stage(event.text);
    else if (event.kind === 'progress') progress.update(event);
    else if (event.kind === 'epoch') progress.line(epochLine(event));
    else progress.line(readyLines(parameters, event));
  };
  try {
    const result = await headless.runTask<TrainResult>({
      page: 'src/cli/page/train.html',
      parameters,
      signal,
      onEvent: (event) => show(event as TrainEvent),
      onWarning: (line) => progress.line(`warning: ${line}`),
    });
    if (signal.aborted || !result.summary) throw new Interrupted('Stopped; nothing was written.');
    return { ...result, summary: result.summary };
  } catch (error) {
    // Whatever broke because the work was cut off in the middle was asked for.
    throw signal.aborted ? new Interrupted('Stopped; nothing was written.') : error;
  } finally {
    progress.end();
  }
}

/** Writes the model and the picture that a run kept. Returns the paths as a person would type them. */
export function writeTrained(folder: string, { summary, model, picture }: Trained): { model?: string; picture?: string } {
  const write = (name: string, content: Uint8Array): string => writeOutputs(folder, { [name]: content })[0] as string;
  return {
    ...(model ? { model: write(`${summary.data}-${summary.model}.safetensors`, model) } : {}),
    ...(picture ? { picture: write('activations.png', picture) } : {}),
  };
}
