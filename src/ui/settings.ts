/** What a visitor chooses. It lives in the address, so that a link reproduces a run: `#seed=0&batch=32&rate=0.001&epochs=10&digit=0`. */

export interface Settings {
  /** Of the initial weights and the order of the examples. */
  readonly seed: number;
  /** Examples a step. */
  readonly batch: number;
  /** Learning rate of Adam. */
  readonly rate: number;
  readonly epochs: number;
  /** Index of the test example that is shown. */
  readonly digit: number;
}

export type SettingName = keyof Settings;

export const DEFAULT_SETTINGS: Settings = { seed: 0, batch: 32, rate: 0.001, epochs: 10, digit: 0 };

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
  digit: { least: 0, most: 0xffffffff, whole: true },
};

const NAMES = Object.keys(DEFAULT_SETTINGS) as SettingName[];

/** The number that a text says, where the setting can take it; `,` and `，` group digits. */
export function readSetting(name: SettingName, text: string): number | undefined {
  const plain = text.trim().replace(/[,，\s]/g, '');
  const value = Number(plain);
  const { least, most, whole } = RANGES[name];
  const fits = plain !== '' && value >= least && value <= most && (!whole || Number.isInteger(value));
  return fits ? value : undefined;
}

/** The settings that an address says; what it does not say, or says wrongly, stays as in `base`. */
export function settingsOfHash(hash: string, base: Settings = DEFAULT_SETTINGS): Settings {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const said = NAMES.map((name) => [name, readSetting(name, parameters.get(name) ?? '') ?? base[name]]);
  return Object.fromEntries(said) as unknown as Settings;
}

export function hashOfSettings(settings: Settings): string {
  return `#${NAMES.map((name) => `${name}=${settings[name]}`).join('&')}`;
}

/** The next of 1, 2, 5, 10, 20, … above the rate, or the next below it. */
export function nextRate(rate: number, direction: 1 | -1): number {
  const exponent = Math.floor(Math.log10(rate) + 1e-9);
  const ladder = [exponent - 1, exponent, exponent + 1].flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
  const beyond = direction === 1 ? ladder.find((rung) => rung > rate * 1.0001) : ladder.findLast((rung) => rung < rate * 0.9999);
  return Math.min(RANGES.rate.most, Math.max(RANGES.rate.least, beyond ?? rate));
}
