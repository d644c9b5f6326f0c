/** The address that a visitor hands on: it leads to what is looked at, and says what it was seen with. */

import { adapterName } from '../adapter.ts';
import { hashOf } from './choices.ts';
import type { Snapshot } from './session.ts';

/** To the step that is looked at, which training may have left behind. @returns undefined before anything was seen */
export function linkOf({ run, device, prediction, choices }: Snapshot): string | undefined {
  if (!run || !device || !prediction) return undefined;
  return hashOf({
    ...choices,
    recipe: { ...run.settings, epochs: choices.recipe.epochs },
    step: prediction.step > 0 ? prediction.step : undefined,
    seen: { adapter: adapterName(device), logits: prediction.logits },
  });
}
