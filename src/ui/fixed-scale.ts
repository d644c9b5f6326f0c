import { html, type TemplateResult } from 'lit';
import type { Words } from './language.ts';

/** The switch between a scale that stays over time and one that fits what is drawn now. */
export function fixedScale({ say }: Words, perFrame: boolean, choose: (perFrame: boolean) => void): TemplateResult {
  return html`<label class="check" title=${say.scaleFixedHint}
    ><input
      type="checkbox"
      .checked=${!perFrame}
      @change=${(event: Event) => choose(!(event.target as HTMLInputElement).checked)}
    />${say.scaleFixed}</label
  >`;
}
