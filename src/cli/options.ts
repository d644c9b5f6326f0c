import { parseArgs } from 'node:util';
import { usageError } from './command-error.ts';

/** One option of a command: its kind, its default and the line that --help shows. */
export interface Option {
  kind: 'text' | 'whole' | 'fraction' | 'flag';
  value?: string | number;
  choices?: readonly string[];
  least?: number;
  most?: number;
  help: string;
}

export type Options = Readonly<Record<string, Option>>;

/** The values of a command's options; an option with neither a value given nor a default is absent. */
export interface OptionValues {
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  flag(name: string): boolean;
  /** True when the person asked for help: print `helpText` and stop. */
  readonly help: boolean;
}

function readNumber(name: string, option: Option, text: string): number {
  const value = Number(text);
  const least = option.least ?? 0;
  if (option.kind === 'fraction') {
    if (text.trim() === '' || !(value >= least && value < 1)) {
      throw usageError(
        `--${name} is ${text}; it must be a number from ${least} up to, not including, 1.`,
        `pass for example --${name} 0.2.`,
      );
    }
  } else if (!/^\d+$/.test(text) || value < least || value > (option.most ?? Number.MAX_SAFE_INTEGER)) {
    const range = option.most === undefined ? `of at least ${least}` : `from ${least} to ${option.most}`;
    throw usageError(`--${name} is ${text}; it must be a whole number ${range}.`, `pass for example --${name} ${option.value ?? least}.`);
  }
  return value;
}

/** `--name` with a value that it could have. */
function exampleOf(name: string, option: Option | undefined): string {
  const value = option?.value ?? option?.choices?.[0] ?? (option?.kind === 'text' ? name.toUpperCase() : (option?.least ?? 0));
  return `--${name} ${value}`;
}

/** `--name -1` as `--name=-1`: the range of the option then says what is wrong with it, where parseArgs would take -1 for an option. */
function joinNegative(args: readonly string[], options: Options): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1);
    const option = last?.startsWith('--') ? options[last.slice(2)] : undefined;
    if (option && option.kind !== 'flag' && /^-[\d.]/.test(arg)) joined[joined.length - 1] = `${last}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

/**
 * Reads `--name value`, `--name=value` and `--flag`.
 * @throws CommandError with exit status 2 for an unknown option, a missing value, or a value outside its choices or range
 */
export function readOptions(options: Options, args: readonly string[]): OptionValues {
  const known = Object.keys(options);
  let given: Record<string, unknown>;
  try {
    const { values } = parseArgs({
      args: joinNegative(args, options),
      options: {
        help: { type: 'boolean', short: 'h' },
        ...Object.fromEntries(
          known.map((name) => [name, { type: options[name]?.kind === 'flag' ? ('boolean' as const) : ('string' as const) }]),
        ),
      },
      strict: true,
      allowPositionals: false,
    });
    given = values;
  } catch (error) {
    const missing = /^Option '--([\w-]+)(?: <value>)?' argument (?:missing|is ambiguous)/.exec((error as Error).message);
    const name = missing?.[1];
    if (name !== undefined) throw usageError(`--${name} has no value.`, `write ${exampleOf(name, options[name])}; --help explains it.`);
    // parseArgs explains itself in one sentence and then advises at length about positional arguments; the first sentence is enough.
    const sentence = String((error as Error).message).split(/\. |\.?\n/)[0];
    const use =
      known.length === 0 ? 'use no option but --help.' : `use ${known.map((each) => `--${each}`).join(', ')}; --help explains each.`;
    throw usageError(`${sentence}.`, use);
  }
  const text = (name: string): string | undefined => {
    const value = given[name] ?? options[name]?.value;
    return value === undefined ? undefined : String(value);
  };
  const numbers = new Map<string, number>();
  for (const [name, option] of Object.entries(options)) {
    const value = text(name);
    if (value === undefined || option.kind === 'flag') continue;
    if (option.choices && !option.choices.includes(value)) {
      throw usageError(
        `--${name} is ${value}; it must be ${option.choices.join(' or ')}.`,
        `pass for example --${name} ${option.choices[0]}.`,
      );
    }
    if (option.kind !== 'text') numbers.set(name, readNumber(name, option, value));
  }
  return {
    text,
    number: (name) => numbers.get(name),
    flag: (name) => given[name] === true,
    help: given.help === true,
  };
}

/** What --help prints: the purpose, then a line an option. */
export function helpText(usage: string, purpose: string, options: Options): string {
  const rows = Object.entries(options).map(([name, option]): [string, string] => {
    const placeholder =
      option.kind === 'flag'
        ? ''
        : option.choices
          ? ` ${option.choices.join('|')}`
          : ` ${option.kind === 'text' ? name.toUpperCase() : 'N'}`;
    const fallback = option.value === undefined ? '' : ` (${option.value})`;
    return [`  --${name}${placeholder}`, `${option.help}${fallback}`];
  });
  rows.push(['  --help', 'show this']);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [purpose, '', `Usage: ${usage}`, '', ...rows.map(([left, right]) => `${left.padEnd(width + 2)}${right}`), ''].join('\n');
}
