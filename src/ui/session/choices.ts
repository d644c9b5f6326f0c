/** What a visitor has chosen. All of it lives in the address: Back undoes a choice, a reload restores it, a link hands it on. */

import { DEFAULT_SETTINGS, parametersOf, type Settings, settingsOf } from '../settings.ts';
import { isMethodName, METHOD_NAMES, type MethodName } from './methods.ts';
import { readSeen, type Seen, writeSeen } from './seen.ts';
import { readStrokes, type Strokes, writeStrokes } from './strokes.ts';
import { readWhatIf, type WhatIf, writeWhatIf } from './what-if.ts';

export type Page = 'studio' | 'engine' | 'bench' | 'self-test';

/** The example that is looked at. */
export type ExampleChoice =
  | { readonly kind: 'test'; readonly index: number }
  /** An image of the visitor's own, by its hash; `index` is the test example to go back to. */
  | { readonly kind: 'own'; readonly image: string; readonly index: number }
  | { readonly kind: 'drawn'; readonly strokes: Strokes; readonly centred: boolean }
  /** A row with some of its values changed. */
  | { readonly kind: 'edited'; readonly index: number; readonly values: readonly (readonly [column: number, value: number])[] };

/** A change made in training, by the steps done before it. */
export interface RateChange {
  readonly step: number;
  readonly rate: number;
}

/** One value of a tensor, row-major. */
export interface Cell {
  readonly tensor: string;
  readonly index: number;
}

export interface Choices {
  readonly recipe: Settings;
  readonly journal: readonly RateChange[];
  /** The step that is looked at: the live one, or one that a link asks to go to. */
  readonly step: number | undefined;
  readonly page: Page;
  readonly example: ExampleChoice;
  /** The class that is asked about; the predicted one where undefined. */
  readonly target: number | undefined;
  /** Class that the target is held against: the maps explain the difference of the two logits. */
  readonly against: number | undefined;
  /** The tensor in the inspector, by name. */
  readonly tensor: string | undefined;
  /** A value of that tensor that is locked. */
  readonly cell: Cell | undefined;
  /** A value of the input that is locked: the same cell is outlined in every map. */
  readonly pixel: number | undefined;
  readonly methods: readonly MethodName[];
  /** Looks follow training; otherwise they wait until it rests, and training has the machine to itself. */
  readonly follow: boolean;
  /** What is looked at is a changed copy. */
  readonly whatIf: WhatIf | undefined;
  /** An example that the chosen one is compared with. */
  readonly pinned: ExampleChoice | undefined;
  /** What a shared link was seen with. */
  readonly seen: Seen | undefined;
  /** Results of a benchmark that came with the address, as the benchmark's page wrote them. */
  readonly results: string | undefined;
}

export const DEFAULT_METHODS: readonly MethodName[] = ['saliency', 'inputXGradient', 'integratedGradients', 'guidedBackprop'];

export const DEFAULT_CHOICES: Choices = Object.freeze<Choices>({
  recipe: DEFAULT_SETTINGS,
  journal: [],
  step: undefined,
  page: 'studio',
  example: { kind: 'test', index: 0 },
  target: undefined,
  against: undefined,
  tensor: undefined,
  cell: undefined,
  pixel: undefined,
  methods: DEFAULT_METHODS,
  follow: true,
  whatIf: undefined,
  pinned: undefined,
  seen: undefined,
  results: undefined,
});

const PAGES: readonly Page[] = ['studio', 'engine', 'bench', 'self-test'];

/** `#data=mnist&hidden=128&…&example=12&class=3`: the recipe in full, the rest where it is not as at the start. */
export function hashOf(choices: Choices): string {
  const parameters = new URLSearchParams(parametersOf(choices.recipe));
  const say = (name: string, value: string | number | undefined): void => {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  };
  say('journal', choices.journal.map(({ step, rate }) => `${step}:${rate}`).join(','));
  say('step', choices.step);
  say('page', choices.page === 'studio' ? undefined : choices.page);
  say('example', isFirst(choices.example) ? undefined : writeExample(choices.example));
  say('class', choices.target);
  say('against', choices.against);
  say('tensor', choices.tensor);
  say('cell', choices.cell && `${choices.cell.index}@${choices.cell.tensor}`);
  say('pixel', choices.pixel);
  if (choices.methods.join() !== DEFAULT_METHODS.join()) parameters.set('methods', choices.methods.join());
  say('follow', choices.follow ? undefined : 'no');
  say('whatif', choices.whatIf && writeWhatIf(choices.whatIf));
  say('pinned', choices.pinned && writeExample(choices.pinned));
  say('seen', choices.seen && writeSeen(choices.seen));
  say('results', choices.results);
  return `#${parameters.toString().replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%40', '@')}`;
}

/** The choices that an address says; what it says wrongly is as at the start. */
export function choicesOf(hash: string): Choices {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const results = parameters.get('results') ?? undefined;
  const whole = (name: string): number | undefined => wholeNumber(parameters.get(name));
  const said = (name: string): string | undefined => parameters.get(name) ?? undefined;
  const methods = said('methods');
  return {
    recipe: settingsOf(parameters),
    journal: readJournal(said('journal')),
    step: whole('step'),
    // Results lead to the page that shows them.
    page: PAGES.find((page) => page === said('page')) ?? (results === undefined ? 'studio' : 'bench'),
    example: readExample(said('example')) ?? DEFAULT_CHOICES.example,
    target: whole('class'),
    against: whole('against'),
    tensor: said('tensor'),
    cell: readCell(said('cell')),
    pixel: whole('pixel'),
    methods:
      methods === undefined ? DEFAULT_METHODS : METHOD_NAMES.filter((name) => methods.split(',').filter(isMethodName).includes(name)),
    follow: said('follow') !== 'no',
    whatIf: readWhatIf(said('whatif')),
    pinned: readExample(said('pinned')),
    seen: readSeen(said('seen')),
    results,
  };
}

const isFirst = (example: ExampleChoice): boolean => example.kind === 'test' && example.index === 0;

export function writeExample(example: ExampleChoice): string {
  if (example.kind === 'test') return String(example.index);
  if (example.kind === 'own') return `own.${example.image}`;
  if (example.kind === 'edited') return `${example.index}~${example.values.map(([column, value]) => `${column}:${value}`).join(',')}`;
  return `${example.centred ? 'drawn' : 'drawn-as-is'}.${writeStrokes(example.strokes)}`;
}

function readExample(text: string | undefined): ExampleChoice | undefined {
  if (text === undefined) return undefined;
  const drawing = /^drawn(-as-is)?\.(.+)$/.exec(text);
  if (drawing) {
    const strokes = readStrokes(drawing[2] as string);
    return strokes && { kind: 'drawn', strokes, centred: drawing[1] === undefined };
  }
  const [, image] = /^own\.([0-9a-f]{8})$/.exec(text) ?? [];
  if (image !== undefined) return { kind: 'own', image, index: 0 };
  const [number, edits] = text.split('~');
  const index = wholeNumber(number);
  if (index === undefined || edits === undefined) return index === undefined ? undefined : { kind: 'test', index };
  const values = edits.split(',').map((edit) => edit.split(':').map(Number) as [number, number]);
  const sound = values.every(([column, value]) => Number.isInteger(column) && column >= 0 && Number.isFinite(value));
  return sound ? { kind: 'edited', index, values } : { kind: 'test', index };
}

function readCell(text: string | undefined): Cell | undefined {
  const [, number, tensor] = /^(\d+)@(.+)$/.exec(text ?? '') ?? [];
  const index = wholeNumber(number);
  return index === undefined || tensor === undefined ? undefined : { tensor, index };
}

function readJournal(text: string | undefined): readonly RateChange[] {
  const changes = (text ?? '').split(',').map((change) => change.split(':').map(Number));
  return changes
    .filter(([step, rate]) => Number.isInteger(step) && step! >= 0 && rate! > 0 && Number.isFinite(rate))
    .map(([step, rate]) => ({ step: step!, rate: rate! }));
}

function wholeNumber(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
