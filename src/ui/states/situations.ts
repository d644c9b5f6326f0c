/**
 * What a visitor can find the studio in, as frozen snapshots made of the recorded session: nothing is computed, so every state can be looked
 * at, on any machine, for as long as one likes.
 */

import { VitrineError } from '../../engine/index.ts';
import type { RecordedSession } from '../recorded/recorded-session.ts';
import type { MapCard, Snapshot } from '../session/session.ts';

export const SITUATIONS = [
  'empty',
  'loading',
  'ready',
  'running',
  'stale',
  'error',
  'lost',
  'recovered',
  'diverged',
  'fixed',
  'recorded',
] as const;
export type Situation = (typeof SITUATIONS)[number];

/** What each is, for whoever looks at the page. */
export const ABOUT: Readonly<Record<Situation, string>> = {
  empty: 'Empty: the page has just been opened',
  loading: 'Loading: data is on its way, no network yet',
  ready: 'Ready: paused at a step',
  running: 'Running: maps are being computed',
  stale: 'Stale: what is shown is of an earlier step',
  error: 'Error: a file that cannot be read, maps that failed',
  lost: 'Lost device: the GPU went away and could not be opened again',
  recovered: 'Recovered: the GPU was replaced; what was before a reset can be brought back',
  diverged: 'Not applicable: the network has diverged and has no answer to explain',
  fixed: 'Not applicable: a trainer that the page around the studio gave',
  recorded: 'Not applicable: a recorded session, without WebGPU',
};

/** The step that the recording is looked at. */
const STEP = 600;

/** Where the recording is opened for these. */
export const ADDRESS: string = `#step=${STEP}&example=7&tensor=dense_1/weight&cell=406@dense_1/weight&pixel=406`;

const lost = new VitrineError(
  'device-lost',
  'The GPU was lost (unknown), and none could be opened in its place.',
  'try again; if it stays, close other pages that use the GPU, or restart the browser.',
);
const ragged = new VitrineError('bad-file', 'measures.csv, row 12: 29 cells, the header has 31.', 'mend that row, or leave it out.', {
  name: 'measures.csv',
  row: 12,
  cells: 29,
  columns: 31,
});
const unsupported = new VitrineError(
  'unsupported-model',
  'guidedBackprop: the model has no ReLU, whose gradient the method changes.',
  "use 'saliency', which asks the same of any network.",
  { method: 'guidedBackprop' },
);
const tooLarge = new VitrineError(
  'limit-exceeded',
  'The maps need a buffer of 3221225472 bytes; this adapter allows 2147483648.',
  'ask for fewer steps, or a smaller batch.',
  { label: 'integratedGradients', bytes: 3221225472, limit: 2147483648 },
);

/** The recorded session as a live one would show it. */
function live(recorded: Snapshot): Snapshot {
  const { recorded: _recorded, ...rest } = recorded;
  return { ...rest, looks: 1, totalSteps: 3750, finished: false };
}

const without = (cards: readonly MapCard[], change: (card: MapCard, index: number) => Partial<MapCard>): readonly MapCard[] =>
  cards.map(({ method }, index) => ({ method, computing: false, ...change({ method, computing: false }, index) }));

/** A snapshot of each situation; none where the studio has none yet. */
export function snapshotsOf(session: RecordedSession): Readonly<Record<Situation, Snapshot | undefined>> {
  const ready = live(session.snapshot);
  const { run: _run, shown: _shown, test: _test, example: _example, prediction: _prediction, subject: _subject, ...bare } = ready;
  const nothing: Snapshot = {
    ...bare,
    run: undefined,
    shown: undefined,
    test: undefined,
    example: undefined,
    prediction: undefined,
    subject: undefined,
    target: undefined,
    tensors: new Map(),
    cards: [],
    cell: undefined,
    step: 0,
    stepsPerEpoch: 0,
    totalSteps: 0,
  };
  const { prediction } = ready;
  const states: Record<Situation, Snapshot | undefined> = {
    empty: undefined,
    loading: {
      ...nothing,
      phase: 'loading',
      loading: { loadedBytes: 21_000_000, totalBytes: 54_950_048 },
    },
    ready,
    running: {
      ...ready,
      phase: 'running',
      running: true,
      watching: 0.037,
      reading: { samplesPerSecond: 15_420, callsPerStep: {}, readerPerSecond: {} } as unknown as NonNullable<Snapshot['reading']>,
      cards: ready.cards.map((card, i) => (i === 2 ? { method: card.method, computing: true } : card)),
    },
    stale: {
      ...ready,
      phase: 'running',
      running: true,
      step: STEP + 240,
      prediction: prediction && { ...prediction, step: STEP + 240 },
      // A costly method keeps the step that it was computed at.
      cards: ready.cards.map((card, i) =>
        i === 2 ? { ...card, method: 'occlusion' } : i === 3 ? { method: 'smoothGrad', computing: true } : card,
      ),
    },
    error: {
      ...ready,
      fault: ragged,
      cards: without(ready.cards, (_card, i) => (i === 0 ? { ...ready.cards[0] } : { fault: i % 2 ? unsupported : tooLarge })),
    },
    lost: { ...ready, phase: 'closed', fault: lost, keptStep: STEP - 4, cards: without(ready.cards, () => ({})) },
    recovered: { ...ready, recoveredAt: STEP, undoStep: 240 },
    diverged: {
      ...ready,
      prediction: prediction && {
        ...prediction,
        predicted: -1,
        logits: prediction.logits.map(() => Number.NaN),
        probabilities: prediction.probabilities.map(() => Number.NaN),
      },
      target: undefined,
      cards: without(ready.cards, () => ({})),
    },
    fixed: {
      ...ready,
      given: {
        trainer: undefined as never,
        dataset: ready.test as never,
        settings: ready.choices.recipe,
        layers: '128-64',
        optimizer: 'AdamW',
      },
    },
    recorded: session.snapshot,
  };
  for (const state of Object.values(states)) if (state) Object.freeze(state);
  return Object.freeze(states);
}
