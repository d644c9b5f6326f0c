/** What the commands show a person: colours where there is a terminal, plain lines where there is none. */

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], cyan: [36, 39] } as const;

/** Colours the text where the stream is a terminal and NO_COLOR is unset (no-color.org). */
export function paint(colour: keyof typeof CODES, text: string, stream: { isTTY?: boolean } = process.stdout): string {
  if (!stream.isTTY || process.env.NO_COLOR) return text;
  const [on, off] = CODES[colour];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
