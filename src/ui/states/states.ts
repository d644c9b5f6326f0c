/**
 * A page for whoever works on the studio: every region and every exported picture, in every state. `npm start`, then `/states/states.html`;
 * `#region=why` shows one. It is no part of the built app.
 */

import { html, render, type TemplateResult } from 'lit';
import { CurveHistory } from '../curve-history.ts';
import { LANGUAGE_NAMES, type Language, languageChoice } from '../language.ts';
import type { DiagramNode } from '../maps/network-diagram.ts';
import type { Values } from '../maps/tensor-view.ts';
import { openRecording } from '../recorded/index.ts';
import type { Snapshot } from '../session/session.ts';
import { TensorInspector } from '../tensor-inspector.ts';
import { defineWorkspace } from '../workspace.ts';
import { ABOUT, ADDRESS, SITUATIONS, type Situation, snapshotsOf } from './situations.ts';

type Regions = Readonly<Record<string, (snapshot: Snapshot | undefined) => TemplateResult>>;

const REGIONS: Regions = {
  header: (snapshot) => html`<studio-header .snapshot=${snapshot} .pages=${['studio', 'engine', 'bench', 'self-test']}></studio-header>`,
  notices: (snapshot) => html`<vitrine-notices .snapshot=${snapshot}></vitrine-notices>`,
  example: (snapshot) => html`<studio-example style="max-width: 18.5rem" .snapshot=${snapshot}></studio-example>`,
  network: (snapshot) => html`<studio-network .snapshot=${snapshot}></studio-network>`,
  why: (snapshot) => html`<studio-why .snapshot=${snapshot}></studio-why>`,
  inspector: (snapshot) => html`<tensor-inspector style="max-width: 22rem" .snapshot=${snapshot}></tensor-inspector>`,
  whole: (snapshot) => html`<studio-whole .snapshot=${snapshot}></studio-whole>`,
  time: (snapshot) => html`<studio-time style="position: static" .snapshot=${snapshot}></studio-time>`,
};

const values: Values = { shape: [12, 12], values: Float32Array.from({ length: 144 }, (_, i) => Math.sin(i / 5) * (i % 12)), step: 600 };
const history = new CurveHistory(50);
for (let step = 0; step < 200; step++) {
  history.add({ step, rows: 32, loss: 2.3 * Math.exp(-step / 60) + 0.1, accuracy: 1 - 0.9 * Math.exp(-step / 50) });
  if (step % 50 === 49) history.endEpoch((step + 1) / 50, { loss: 2 * Math.exp(-step / 60), accuracy: 1 - Math.exp(-step / 50) });
}
history.mark(history.steps, 0.01);

/** Of a network whose tensors all look alike. */
function nodesOf(tensor: Values | undefined): readonly DiagramNode[] {
  const row = tensor && { ...tensor, shape: [1, 12], values: tensor.values.subarray(0, 12) };
  return [
    { name: 'input', kind: 'input', title: 'input', note: '12 × 12', tensor, signed: false },
    { name: 'dense_1/weight', kind: 'weight', title: 'dense_1/weight', note: '12 × 12', tensor, signed: true },
    { name: 'activation/dense_1', kind: 'activation', title: 'activation/dense_1', note: '12', tensor: row, signed: false },
  ];
}

/** The exported pictures, by element and state. */
const PICTURES: Readonly<Record<string, Readonly<Record<string, TemplateResult>>>> = {
  'tensor-view': {
    empty: html`<tensor-view label="empty"></tensor-view>`,
    signed: html`<tensor-view label="signed" signed .tensor=${values}></tensor-view>`,
    magnitudes: html`<tensor-view label="magnitudes" .tensor=${{ ...values, values: values.values.map(Math.abs) }}></tensor-view>`,
    locked: html`<tensor-view label="locked" signed .tensor=${values} .locked=${30} .outlined=${66}></tensor-view>`,
    'all zero': html`<tensor-view label="zeros" signed .tensor=${{ shape: [12, 12], values: new Float32Array(144) }}></tensor-view>`,
  },
  'attribution-map': {
    empty: html`<attribution-map heading="LRP"></attribution-map>`,
    loading: html`<attribution-map heading="LRP" busy="Computing…"></attribution-map>`,
    ready: html`<attribution-map
      heading="LRP"
      .tensor=${values}
      .facts=${[['class', '7'], ['step', '600']]}
      shows="How the logit is shared among the pixels."
      hides="Not more than gradient × input where ε is small."
      removeLabel="Take LRP away"
    ></attribution-map>`,
    stale: html`<attribution-map heading="Occlusion" .tensor=${values} stale="From step 40; refresh to see it now." refreshLabel="Compute anew"></attribution-map>`,
    error: html`<attribution-map heading="Guided backpropagation" fault="The model has no ReLU." removeLabel="Take it away"></attribution-map>`,
  },
  'network-diagram': {
    empty: html`<network-diagram></network-diagram>`,
    loading: html`<network-diagram .nodes=${nodesOf(undefined)}></network-diagram>`,
    ready: html`<network-diagram .nodes=${nodesOf(values)} chosen="dense_1/weight" .pixel=${30} .locked=${{ tensor: 'dense_1/weight', index: 66 }}></network-diagram>`,
  },
  'loss-chart': {
    empty: html`<loss-chart></loss-chart>`,
    ready: html`<loss-chart .history=${history} .version=${history.version}></loss-chart>`,
    logarithmic: html`<loss-chart logarithmic .history=${history} .version=${history.version}></loss-chart>`,
    accuracy: html`<loss-chart metric="accuracy" .history=${history} .version=${history.version}></loss-chart>`,
    'from an array': html`<loss-chart .tensor=${{ shape: [144], values: values.values.map((value) => value + 12) }}></loss-chart>`,
  },
};

const styles = html`<style>
  body > nav,
  body > h1,
  section {
    padding: 0 1rem;
  }

  body > nav {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 1rem;
    padding-block: 0.75rem;
  }

  h2 {
    margin: 2rem 0 0;
    padding-top: 1rem;
    border-top: 2px solid var(--ink);
    font: 400 1.5rem / 1.3 var(--serif);
  }

  h3 {
    margin: 1.5rem 0 0.5rem;
    color: var(--quiet);
    font: 600 0.8125rem / 1.4 var(--sans);
  }

  .pictures {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(12rem, 100%), 1fr));
    gap: 1rem;
  }

  .pictures.wide {
    grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr));
  }
</style>`;

/** Draws the states into an element. @param region only this one */
export async function drawStates(into: HTMLElement, region?: string): Promise<void> {
  defineWorkspace();
  if (!customElements.get('tensor-inspector')) customElements.define('tensor-inspector', TensorInspector);
  await Promise.all([import('../charts.ts'), import('../whole/index.ts')]);
  const snapshots = snapshotsOf(await openRecording(ADDRESS));
  const shows = (name: string): boolean => region === undefined || region === name;
  const state = (name: string, situation: Situation): TemplateResult => html`
    <h3>${ABOUT[situation]}</h3>
    <div data-region=${name} data-state=${situation}>${REGIONS[name]?.(snapshots[situation])}</div>
  `;
  render(
    html`
      ${styles}
      <nav>
        <a href="#">all</a>
        ${[...Object.keys(REGIONS), ...Object.keys(PICTURES)].map((name) => html`<a href=${`#region=${name}`}>${name}</a>`)}
        ${(Object.keys(LANGUAGE_NAMES) as Language[]).map(
          (language) => html`<button @click=${() => void languageChoice.choose(language)}>${LANGUAGE_NAMES[language]}</button>`,
        )}
      </nav>
      ${Object.keys(REGIONS)
        .filter(shows)
        .map((name) => html`<section><h2>${name}</h2>${SITUATIONS.map((situation) => state(name, situation))}</section>`)}
      ${Object.entries(PICTURES)
        .filter(([name]) => shows(name))
        .map(
          ([name, states]) => html`<section>
            <h2>&lt;${name}&gt;</h2>
            <div class=${name === 'loss-chart' || name === 'network-diagram' ? 'pictures wide' : 'pictures'}>
              ${Object.entries(states).map(([about, picture]) => html`<div data-region=${name} data-state=${about}><h3>${about}</h3>${picture}</div>`)}
            </div>
          </section>`,
        )}
    `,
    into,
  );
}

/** As the only thing on a page of its own. */
if (location.pathname.endsWith('/states.html')) {
  await languageChoice.choose(languageChoice.preferred, false);
  const draw = (): Promise<void> => drawStates(document.body, /region=([\w-]+)/.exec(location.hash)?.[1]);
  window.addEventListener('hashchange', () => void draw());
  await draw();
}
