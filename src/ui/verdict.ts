/** Whether the maps that share the logit among the inputs say the same, and what not to rely on. */

import { type CSSResult, css, html, nothing, type TemplateResult } from 'lit';
import { spearman } from '../explain/evaluate/ranks.ts';
import type { Words } from './language.ts';
import { METHODS } from './session/methods.ts';
import type { Snapshot } from './session/session.ts';

/** Rank correlation from which maps are said to agree. */
const ENOUGH_AGREEMENT = 0.7;

export function verdictOf(words: Words, snapshot: Snapshot | undefined): TemplateResult | typeof nothing {
  const { say } = words;
  const { cards = [], example, test } = snapshot ?? {};
  const shares = cards.filter(({ method, map }) => METHODS[method].reading === 'share' && map?.values && map.example === example?.key);
  // Without a hidden layer it is the gradient.
  const isDeep = snapshot?.shown?.settings.hidden.length !== 0;
  const doubtful = isDeep && cards.some(({ method, map }) => method === 'guidedBackprop' && map);
  const least = example
    ? leastAgreement(
        example.values,
        shares.map(({ map }) => map!.values!),
        test?.vocabulary?.length ?? 0,
      )
    : undefined;
  if (least === undefined && !doubtful) return nothing;
  const [agree, disagree] = test?.vocabulary ? [say.verdictAgreeWords, say.verdictDisagreeWords] : [say.verdictAgree, say.verdictDisagree];
  return html`<p class="verdict">
    <strong>${say.verdictTitle}</strong>
    ${least === undefined ? nothing : (least >= ENOUGH_AGREEMENT ? agree : disagree)(words.significant(least, 2))}
    ${doubtful ? say.verdictDoubtful(say.methodNames.guidedBackprop) : nothing}
  </p>`;
}

/**
 * The least rank correlation of any two maps, over the inputs that are there: where the input is 0, or padding, such maps are 0 too, and those ties would
 * make all of them alike. Undefined for fewer than two maps.
 */
function leastAgreement(input: Float32Array, maps: readonly Float32Array[], absent: number): number | undefined {
  if (maps.length < 2) return undefined;
  const known = agreements.get(maps[0]!);
  if (known && known.maps.length === maps.length && known.maps.every((map, i) => map === maps[i])) return known.least;
  const shown = [...input.keys()].filter((i) => input[i] !== absent);
  const parts = maps.map((map) => shown.map((i) => map[i]!));
  const all = parts.flatMap((a, i) => parts.slice(i + 1).map((b) => spearman(a, b)));
  // A map that is 0 everywhere has no ranks.
  const least = all.every(Number.isFinite) ? Math.min(...all) : undefined;
  agreements.set(maps[0]!, { maps: [...maps], least });
  return least;
}

const agreements = new WeakMap<Float32Array, { readonly maps: readonly Float32Array[]; readonly least: number | undefined }>();

export const verdictStyles: CSSResult = css`
  .verdict {
    margin: 0 0 0.25rem;
    font-size: 0.75rem;
    line-height: 1.35;
  }
`;
