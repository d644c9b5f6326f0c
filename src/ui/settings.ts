/** The recipe of a run: what a visitor chooses before or while it trains. It lives in the address, so that a link reproduces the run. */

export type KnownData = 'mnist' | 'breast-cancer' | 'german-credit' | 'clauses';
/** A data set of the page, or one that a visitor brought, by its hash. */
export type DataName = KnownData | `own:${string}`;
export type OptimizerName = 'adam' | 'sgd';

export interface Settings {
  readonly data: DataName;
  /** Units of each hidden layer, from the input on; none makes the model linear. */
  readonly hidden: readonly number[];
  readonly optimizer: OptimizerName;
  /** Of the initial weights and the order of the examples. */
  readonly seed: number;
  /** Examples a step. */
  readonly batch: number;
  /** Learning rate at the start; later changes are in the journal of the run. */
  readonly rate: number;
  readonly epochs: number;
}

export type SettingName = 'seed' | 'batch' | 'rate' | 'epochs';

export const DEFAULT_SETTINGS: Settings = {
  data: 'mnist',
  hidden: [128],
  optimizer: 'adam',
  seed: 0,
  batch: 32,
  rate: 0.001,
  epochs: 10,
};

interface Range {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

export const RANGES: Readonly<Record<SettingName, Range>> = {
  seed: { least: 0, most: 0xffffffff, whole: true },
  batch: { least: 1, most: 4096, whole: true },
  rate: { least: 1e-9, most: 1e30, whole: false },
  epochs: { least: 1, most: 1000, whole: true },
};

export const DATA_NAMES: readonly KnownData[] = ['mnist', 'breast-cancer', 'german-credit', 'clauses'];
export const OPTIMIZER_NAMES: readonly OptimizerName[] = ['adam', 'sgd'];
/** Of a network that reads texts. */
export const EMBEDDING_WIDTH = 16;
export const ATTENTION_HEADS = 2;
export const MOST_LAYERS = 4;
export const MOST_UNITS = 1024;

const NUMBERS = Object.keys(RANGES) as SettingName[];

/** A number as it is typed, with the marks that the page itself writes (`,` and `，` group digits); NaN where it is none. */
export function readNumber(text: string): number {
  const plain = text.replace(/[,，\s]/g, '').replace('−', '-');
  return plain === '' ? Number.NaN : Number(plain);
}

/** The number that a text says, where the setting can take it. */
export function readSetting(name: SettingName, text: string): number | undefined {
  const value = readNumber(text);
  const { least, most, whole } = RANGES[name];
  return value >= least && value <= most && (!whole || Number.isInteger(value)) ? value : undefined;
}

/** `128`, `128-64`; `none` and nothing are a linear model. Undefined where it says no such thing. */
export function readLayers(text: string): readonly number[] | undefined {
  const plain = text.trim().toLowerCase();
  if (plain === '' || plain === 'none') return [];
  const units = plain.split(/[\s,，、\-–→]+/).map(Number);
  const fits = units.length <= MOST_LAYERS && units.every((count) => Number.isInteger(count) && count >= 1 && count <= MOST_UNITS);
  return fits ? units : undefined;
}

export const writeLayers = (hidden: readonly number[]): string => hidden.join('-') || 'none';

/** The settings that an address says; what it does not say, or says wrongly, stays as in `base`. */
export function settingsOf(parameters: URLSearchParams, base: Settings = DEFAULT_SETTINGS): Settings {
  const said = NUMBERS.map((name) => [name, readSetting(name, parameters.get(name) ?? '') ?? base[name]]);
  const layers = parameters.get('hidden');
  return {
    ...base,
    ...(Object.fromEntries(said) as Pick<Settings, SettingName>),
    data: oneOf(DATA_NAMES, parameters.get('data')) ?? ownData(parameters.get('data')) ?? base.data,
    optimizer: oneOf(OPTIMIZER_NAMES, parameters.get('optimizer')) ?? base.optimizer,
    hidden: (layers === null ? undefined : readLayers(layers)) ?? base.hidden,
  };
}

export function parametersOf(settings: Settings): [string, string][] {
  return [
    ['data', settings.data],
    ['hidden', writeLayers(settings.hidden)],
    ['optimizer', settings.optimizer],
    ...NUMBERS.map((name): [string, string] => [name, String(settings[name])]),
  ];
}

export const isOwnData = (name: DataName): name is `own:${string}` => name.startsWith('own:');

const ownData = (text: string | null): DataName | undefined => (/^own:[0-9a-f]{8}$/.test(text ?? '') ? (text as DataName) : undefined);

const oneOf = <T extends string>(names: readonly T[], text: string | null): T | undefined => names.find((name) => name === text);

/** The next of 1, 2, 5, 10, 20, … above the rate, or the next below it. */
export function nextRate(rate: number, direction: 1 | -1): number {
  const exponent = Math.floor(Math.log10(rate) + 1e-9);
  const ladder = [exponent - 1, exponent, exponent + 1].flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
  const beyond = direction === 1 ? ladder.find((rung) => rung > rate * 1.0001) : ladder.findLast((rung) => rung < rate * 0.9999);
  return Math.min(RANGES.rate.most, Math.max(RANGES.rate.least, beyond ?? rate));
}
