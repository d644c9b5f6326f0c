import { parseArgs } from 'node:util';
import { usageError } from './command-error.ts';

/** One option of a command: its kind, its default and the line that --help shows. */
export interface Option {
  kind: 'text' | 'whole' | 'fraction' | 'flag';
  value?: string | number;
  choices?: readonly string[];
  least?: number;
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
  } else if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value)) {
    throw usageError(
      `--${name} is ${text}; it must be a whole number of at least ${least}.`,
      `pass for example --${name} ${option.value ?? least}.`,
    );
  }
  return value;
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
      args: [...args],
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
    // parseArgs explains itself in one sentence and then advises at length about positional arguments; the first sentence is enough.
    const sentence = String((error as Error).message).split(/\. |\.?\n/)[0];
    throw usageError(`${sentence}.`, `use ${known.map((name) => `--${name}`).join(', ')}; --help explains each.`);
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
  const rows = Object.entries(options).map(([name, option]) => {
    const placeholder =
      option.kind === 'flag'
        ? ''
        : option.choices
          ? ` ${option.choices.join('|')}`
          : ` ${option.kind === 'text' ? name.toUpperCase() : 'N'}`;
    const fallback = option.value === undefined ? '' : ` (${option.value})`;
    return [`  --${name}${placeholder}`, `${option.help}${fallback}`] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return [purpose, '', `Usage: ${usage}`, '', ...rows.map(([left, right]) => `${left.padEnd(width + 2)}${right}`), ''].join('\n');
}
