/** WGSL as lines of coloured words: enough to read by, not a parser. */

export type WordKind = 'comment' | 'keyword' | 'type' | 'attribute' | 'number' | 'plain';

export interface Word {
  readonly kind: WordKind;
  readonly text: string;
}

export interface Line {
  readonly words: readonly Word[];
  /** Part of the entry point that runs. */
  readonly entry: boolean;
}

const WORDS =
  /(?<comment>\/\/.*|\/\*.*?\*\/)|(?<attribute>@\w+)|(?<keyword>\b(?:alias|break|case|const|const_assert|continue|continuing|default|diagnostic|discard|else|enable|fn|for|if|let|loop|override|requires|return|struct|switch|var|while|true|false)\b)|(?<type>\b(?:f32|f16|i32|u32|bool|array|atomic|ptr|vec[234][fiuh]?|mat[234]x[234][fh]?|storage|uniform|workgroup|function|private|read|write|read_write)\b)|(?<number>\b(?:0x[\da-fA-F]+|\d+\.?\d*(?:e[+-]?\d+)?)[fiuh]?\b)/g;

function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let from = 0;
  for (const match of text.matchAll(WORDS)) {
    const [kind] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    if (match.index > from) words.push({ kind: 'plain', text: text.slice(from, match.index) });
    words.push({ kind: (kind ?? 'plain') as WordKind, text: match[0] });
    from = match.index + match[0].length;
  }
  if (from < text.length) words.push({ kind: 'plain', text: text.slice(from) });
  return words;
}

/** The lines of a source; those of the entry point, from its first attribute to its closing brace, are told apart. */
export function linesOf(source: string, entry: string): Line[] {
  const texts = source.trimEnd().split('\n');
  const head = texts.findIndex((text) => new RegExp(`\\bfn\\s+${entry}\\s*\\(`).test(text));
  let first = head;
  while (first > 0 && /^\s*@/.test(texts[first - 1] as string) && !/@binding/.test(texts[first - 1] as string)) first--;
  const end = head < 0 ? -1 : texts.findIndex((text, i) => i >= head && /^\}/.test(text));
  return texts.map((text, i) => ({ words: wordsOf(text), entry: head >= 0 && i >= first && i <= end }));
}
