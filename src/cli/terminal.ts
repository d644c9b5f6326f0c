/** What the commands show a person: colours and one moving line where there is a terminal, plain lines where there is none. */
import type { Trial, TunedClass } from '../engine/index.ts';
import type { EpochEvent, ProgressEvent } from './train-task.ts';

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], cyan: [36, 39] } as const;
export type Colour = keyof typeof CODES;

/** The part of a stream that is needed to write to it. */
export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Colours the text where the stream is a terminal and NO_COLOR is unset (no-color.org). */
export function paint(colour: Colour, text: string, stream: { readonly isTTY?: boolean } = process.stdout): string {
  if (!stream.isTTY || process.env.NO_COLOR) return text;
  const [on, off] = CODES[colour];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** A fact and its name, in columns. */
export function detail(name: string, text: string): string {
  return `${name.padEnd(10)}${text}`;
}

/** 48000 → 48,000, whatever the language of the machine. */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Seconds as m:ss, or h:mm:ss. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–:––';
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

const epochLabel = (epoch: number, epochs: number): string => `epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}`;
const fourDigits = (value: number): string => value.toFixed(4);

/** A finished epoch: the line that stays. */
export function epochLine(event: EpochEvent): string {
  const { epoch, epochs, loss, accuracy, validationAccuracy, seconds } = event;
  return [
    epochLabel(epoch, epochs),
    `loss ${fourDigits(loss)}`,
    `accuracy ${fourDigits(accuracy)}`,
    ...(validationAccuracy === undefined ? [] : [`validation accuracy ${fourDigits(validationAccuracy)}`]),
    `${seconds.toFixed(1)} s`,
  ].join('  ');
}

function progressFields({ step, steps, loss, accuracy, samplesPerSecond, secondsLeft }: ProgressEvent): string[] {
  return [
    `${thousands(step).padStart(thousands(steps).length)}/${thousands(steps)}`,
    `loss ${fourDigits(loss)}`,
    `accuracy ${fourDigits(accuracy)}`,
    `${thousands(samplesPerSecond)}/s`,
    `${clock(secondsLeft)} left`,
  ];
}

/** How far training is, as a plain line. */
export function progressLine(event: ProgressEvent): string {
  return [epochLabel(event.epoch, event.epochs), ...progressFields(event)].join('  ');
}

/** How far training is, in one line with a bar that fits the columns and leaves room for a ^C; where there is no room, first the bar goes, then the last fields. */
export function progressBar(event: ProgressEvent, columns: number, colour: (text: string) => string = (text) => text): string {
  const label = epochLabel(event.epoch, event.epochs);
  const fields = progressFields(event);
  const room = columns - 3 - label.length - 2 - fields.join('  ').length - 2;
  if (room < 8) {
    while (fields.length > 1 && [label, ...fields].join('  ').length > columns - 3) fields.pop();
    return [label, ...fields].join('  ').slice(0, Math.max(0, columns - 3));
  }
  const width = Math.min(room, 32);
  const filled = Math.round((width * event.step) / Math.max(1, event.steps));
  return [label, `${colour('━'.repeat(filled))}${'─'.repeat(width - filled)}`, ...fields].join('  ');
}

/** What the tuner found: a line for each class of calls with the chosen variant, then those not chosen, in milliseconds. */
export function tunedLines(classes: readonly TunedClass[]): string {
  const each = ({ variant, milliseconds }: Trial): string => `${variant} ${milliseconds === null ? 'failed' : milliseconds.toPrecision(3)}`;
  return classes
    .map(({ key, chosen, trials }) => {
      const others = trials.filter(({ variant }) => variant !== chosen).map(each);
      return `tuned ${key}  ${trials.filter(({ variant }) => variant === chosen).map(each)} ms, not ${others.join(', ')}`;
    })
    .join('\n');
}

/** Where a command reports its progress. */
export interface Progress {
  /** A line that stays. */
  line(text: string): void;
  /** The moving line; on no terminal, a plain line at each tenth of an epoch. */
  update(event: ProgressEvent): void;
  /** A passing remark: shown until the next line or update, and only on a terminal. */
  stage(text: string): void;
  /** Clears the moving line. */
  end(): void;
}

export function createProgress(stream: Terminal): Progress {
  let lastTenth = '';
  const clear = stream.isTTY ? '\r\u001b[K' : '';
  const width = (): number => stream.columns ?? 80;
  return {
    line: (text) => stream.write(`${clear}${text}\n`),
    update(event) {
      if (stream.isTTY) {
        stream.write(`${clear}${progressBar(event, width(), (text) => paint('cyan', text, stream))}`);
        return;
      }
      const tenth = `${event.epoch}.${Math.floor((10 * event.step) / event.steps)}`;
      // The end of an epoch has a line of its own.
      if (tenth === lastTenth || event.step === event.steps) return;
      lastTenth = tenth;
      stream.write(`${progressLine(event)}\n`);
    },
    stage(text) {
      if (stream.isTTY) stream.write(`${clear}${paint('dim', text.slice(0, width() - 1), stream)}`);
    },
    end: () => stream.write(clear),
  };
}
