/** What a run of the suite gave, as it is shown, exported, and packed into a link. */

import type { AdapterFigures } from '../../bench/adapter.ts';
import type { ContenderName } from '../../bench/contender.ts';
import type { KernelProfile } from '../../bench/roofline.ts';
import type { Row, SuiteResult } from '../../bench/suite.ts';
import type { Trial, TunedClass } from '../../engine/index.ts';

export interface Outcome extends SuiteResult {
  /** When it began, as ISO 8601 in UTC. */
  readonly date: string;
  /** `Chromium 156 on Linux`. */
  readonly browser: string;
  readonly baseline: ContenderName;
  /** It was stopped before its end. */
  readonly stopped: boolean;
  /** The page was hidden for a while, and browsers give hidden pages less time. */
  readonly hidden: boolean;
}

/** The rows with their ratios to another baseline. */
export function rebased(rows: readonly Row[], baseline: ContenderName): Row[] {
  return rows.map((row) => {
    const base = rows.find((each) => each.workload === row.workload && each.unit === row.unit && each.contender === baseline)?.median ?? 0;
    return { ...row, ratioToBaseline: row.median !== null && base > 0 ? row.median / base : null };
  });
}

export const jsonOf = (outcome: Outcome): string => `${JSON.stringify(outcome, undefined, 2)}\n`;

const COLUMNS = [
  'workload',
  'contender',
  'median',
  'min',
  'max',
  'unit',
  'better',
  'repeats',
  'ratioToBaseline',
  'agreement',
  'largestError',
  'failureKind',
  'failure',
  'note',
] as const satisfies readonly (keyof Row)[];

/** A line for each row, each with its baseline, adapter, browser and date: files of several machines can be put under each other. */
export async function csvOf(outcome: Outcome): Promise<string> {
  const { unparse } = (await import('papaparse')).default;
  const { baseline, browser, date } = outcome;
  const adapter = outcome.adapter?.name ?? '';
  const lines = outcome.rows.map((row) => [...COLUMNS.map((column) => row[column] ?? ''), baseline, adapter, browser, date]);
  const fields = [...COLUMNS, 'baseline', 'adapter', 'browser', 'date'];
  // A failure is any library's own text: a spreadsheet must not take it for a formula.
  return `${unparse({ fields, data: lines }, { escapeFormulae: /^[=+\-@\t\r]/ })}\r\n`;
}

/** Of the packed form: a link of another is refused. */
const VERSION = '1';
/** No run of this suite comes near; what is larger is no outcome. */
const MOST_BYTES = 2_000_000;

/** The outcome for a link: JSON of five digits, deflated, in the alphabet of addresses. */
export async function packOutcome(outcome: Outcome): Promise<string> {
  const text = JSON.stringify(outcome, (_key, value) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value));
  const packed = await bytesOf(new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw')));
  return `${VERSION}.${toBase64Url(packed)}`;
}

/** The outcome of a link. @throws Error where the link is damaged, or was never one */
export async function unpackOutcome(payload: string): Promise<Outcome> {
  const [version, packed] = payload.split('.');
  if (version !== VERSION || packed === undefined) throw new Error(`The version is ${version}.`);
  const stream = new Blob([fromBase64Url(packed)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const outcome: unknown = JSON.parse(new TextDecoder().decode(await bytesOf(stream)));
  if (!isOutcome(outcome)) throw new Error('It holds something else.');
  return outcome;
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.length;
    if (size > MOST_BYTES) {
      await reader.cancel();
      throw new Error('It is too large.');
    }
    parts.push(Uint8Array.from(read.value));
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function toBase64Url(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));

// ---- what may come in ------------------------------------------------------------------------------------------------------------
// A link is written by anyone. Everything that is shown is checked for its type; Lit writes it as text and nothing else.

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number';
const isFlag: Check = (value) => typeof value === 'boolean';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const recordOf =
  <T>(checks: { readonly [Key in keyof T]-?: Check }): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries<Check>(checks).every(([key, check]) => check((value as Record<string, unknown>)[key]));

const isTrial = recordOf<Trial>({ variant: isText, milliseconds: orNull(isNumber), timed: isNumber, failure: maybe(isText) });

const isTuned = recordOf<TunedClass>({ key: isText, before: isText, chosen: isText, trials: listOf(isTrial) });

const isRow = recordOf<Row>({
  workload: isText,
  contender: isText,
  median: orNull(isNumber),
  min: orNull(isNumber),
  max: orNull(isNumber),
  unit: isText,
  better: (value) => value === 'higher' || value === 'lower',
  repeats: isNumber,
  ratioToBaseline: orNull(isNumber),
  agreement: orNull(isFlag),
  largestError: maybe(isNumber),
  failure: maybe(isText),
  failureKind: maybe((value) => ['error', 'disagrees', 'not-applicable', 'stopped'].includes(value as string)),
  note: maybe(isText),
  tuning: maybe(listOf(isTuned)),
});

const isAdapter = recordOf<AdapterFigures>({
  name: isText,
  isFallback: isFlag,
  features: listOf(isText),
  multiplyAddGflops: isNumber,
  copyGigabytesPerSecond: isNumber,
  transferGigabytesPerSecond: isNumber,
  dispatchMicroseconds: isNumber,
  submitMicroseconds: isNumber,
});

const isProfile = recordOf<KernelProfile>({
  workload: isText,
  plan: isText,
  index: isNumber,
  kernel: isText,
  operations: listOf(isText),
  variant: isText,
  flop: isNumber,
  bytes: isNumber,
  milliseconds: isNumber,
  share: isNumber,
  gflops: isNumber,
  gigabytesPerSecond: isNumber,
  intensity: isNumber,
  bound: (value) => ['arithmetic', 'memory', 'dispatch'].includes(value as string),
  ofLimit: isNumber,
});

const isRecord = recordOf<Outcome>({
  date: (value) => isText(value) && !Number.isNaN(Date.parse(value as string)),
  browser: isText,
  baseline: isText,
  stopped: isFlag,
  hidden: isFlag,
  adapter: orNull(isAdapter),
  rows: listOf(isRow),
  profile: listOf(isProfile),
});

const isOutcome = (value: unknown): value is Outcome => isRecord(value);
