import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError } from './command-error.ts';
import type { Headless } from './headless.ts';
import { epochLine, type Progress, thousands } from './terminal.ts';
import type { ReadyEvent, TrainEvent, TrainParameters, TrainResult, TrainSummary } from './train-task.ts';

/** A run that reached its end. */
export interface Trained extends TrainResult {
  readonly summary: TrainSummary;
}

/** What is about to be trained, on what. */
function readyLine({ data, model, seed, batch }: TrainParameters, event: ReadyEvent): string {
  return [
    `${data}, ${model} (${thousands(event.parameters)} parameters), seed ${seed}, batches of ${batch}: `,
    `${thousands(event.trainingExamples)} examples to learn from, ${thousands(event.validationExamples)} to validate, `,
    `${thousands(event.testExamples)} to test.`,
  ].join('');
}

/**
 * Trains in a page of the headless browser and shows how it goes.
 * @throws CommandError with exit status 130 when it was stopped by the signal
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
    else progress.line(readyLine(parameters, event));
  };
  try {
    const result = await headless.runTask<TrainResult>({
      page: 'src/cli/page/train.html',
      parameters,
      signal,
      onEvent: (event) => show(event as TrainEvent),
      onWarning: (line) => progress.line(`warning: ${line}`),
    });
    if (signal.aborted || !result.summary) {
      throw new CommandError('Stopped; nothing was written.', 'run the command again to start anew.', 130);
    }
    return { ...result, summary: result.summary };
  } finally {
    progress.end();
  }
}

/** Writes the model and the picture that a run kept. Returns the paths as a person would type them. */
export function writeOutputs(folder: string, result: Trained): { model?: string; picture?: string } {
  const { summary, model, picture } = result;
  mkdirSync(resolve(folder), { recursive: true });
  const paths = {
    ...(model ? { model: join(folder, `${summary.data}-${summary.model}.safetensors`) } : {}),
    ...(picture ? { picture: join(folder, 'activations.png') } : {}),
  };
  if (model && paths.model) writeFileSync(paths.model, model);
  if (picture && paths.picture) writeFileSync(paths.picture, picture);
  return paths;
}
