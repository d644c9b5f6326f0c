/** What the maps promised when the input was changed, and what the network did: in a word on each card, and as a list that is kept. */

import { type CSSResult, css, html, nothing, type TemplateResult } from 'lit';
import type { Words } from './language.ts';
import { inOwnUnits } from './own-units.ts';
import type { MethodName } from './session/methods.ts';
import type { ChallengeRow, MapCard, Snapshot } from './session/session.ts';

/** Columns or words that are named; the others are counted. */
const MOST_NAMED = 3;

/** What a map was asked of the change that is on screen. */
export function answerOf(
  snapshot: Snapshot | undefined,
  method: MethodName,
  { target }: NonNullable<MapCard['map']>,
): ChallengeRow | undefined {
  const { challenges = [], example, painted = [] } = snapshot ?? {};
  const row = challenges.find((each) => each.method === method && each.shown === example?.key && each.target === target);
  // The example that was painted over is on screen without the paint, too.
  return row && row.shown === row.asked && painted.length === 0 ? undefined : row;
}

/** What was taken away or altered, in words. */
export function whatChanged(words: Words, snapshot: Snapshot | undefined, { cells, asked, altered }: ChallengeRow): string {
  const { test, example } = snapshot ?? {};
  const text =
    test?.vocabulary && example?.key === asked ? Array.from(example.values, (token) => test.vocabulary![token] ?? '') : undefined;
  const named = test?.features ?? text;
  if (!named) return words.say.challengeCells(words.whole(cells.length));
  const scaling = snapshot?.shown?.data.scaling;
  const own = (value: number, column: number): string => words.significant(inOwnUnits(value, column, scaling), 4);
  const names = cells.slice(0, MOST_NAMED).map((cell, i) => {
    const name = named[cell] ?? '';
    const values = altered?.[i];
    return values ? `${name} ${own(values[0], cell)} → ${own(values[1], cell)}` : name;
  });
  return cells.length > MOST_NAMED ? words.say.challengeMore(words.list(names), words.whole(cells.length - MOST_NAMED)) : words.list(names);
}

/** Which example was asked about. */
function whichExample(words: Words, snapshot: Snapshot | undefined, { example }: ChallengeRow): string {
  if (example.kind === 'drawn') return words.say.challengeDrawn;
  if (example.kind === 'own') return snapshot?.ownImages?.find(({ hash }) => hash === example.image)?.name ?? '';
  const index = words.whole(example.index);
  return example.kind === 'edited' ? words.say.challengeEdited(index) : index;
}

export function challengeList(words: Words, snapshot: Snapshot | undefined): TemplateResult | typeof nothing {
  const { say } = words;
  const rows = snapshot?.challenges ?? [];
  if (rows.length === 0) return nothing;
  const name = (k: number): string => snapshot?.test?.classes?.[k] ?? String(k);
  return html`
    <div class="kept" role="region" tabindex="0" aria-label=${say.challengeTitle}>
    <table class="challenges">
      <caption>
        ${say.challengeTitle}
      </caption>
      <thead>
        <tr>
          <th scope="col">${say.challengeMap}</th>
          <th scope="col">${say.example}</th>
          <th scope="col">${say.challengeOf}</th>
          <th scope="col" class="number">${say.challengePromised}</th>
          <th scope="col" class="number">${say.challengeActual}</th>
          <th scope="col">${say.challengeChanged}</th>
          <th scope="col">${say.challengeClass}</th>
          <th scope="col" class="number">${say.stepLabel}</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`<tr data-method=${row.method} data-promised=${row.promised} data-actual=${row.actual}>
            <th scope="row">${say.methodNames[row.method]}</th>
            <td>${whichExample(words, snapshot, row)}</td>
            <td>${row.against === undefined ? name(row.target) : `${name(row.target)} − ${name(row.against)}`}</td>
            <td class="number">${words.significant(row.promised, 4)}</td>
            <td class="number">${words.significant(row.actual, 4)}</td>
            <td>${whatChanged(words, snapshot, row)}</td>
            <td>${row.classes[0] === row.classes[1] ? name(row.classes[0]) : `${name(row.classes[0])} → ${name(row.classes[1])}`}</td>
            <td class="number">${words.whole(row.step)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    </div>
  `;
}

export const challengeStyles: CSSResult = css`
  /* Where there is no room for it, the list scrolls, not the page. */
  .kept {
    max-width: 100%;
    margin-top: 0.75rem;
    overflow-x: auto;
  }

  .challenges {
    font-size: 0.75rem;
  }

  .challenges caption {
    padding-bottom: 0.25rem;
    color: var(--quiet);
    font-size: 0.75rem;
    text-align: start;
  }

  .challenges th,
  .challenges td {
    padding-block: 0.125rem;
    font-size: 0.75rem;
  }
`;
