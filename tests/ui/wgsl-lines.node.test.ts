import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { linesOf } from '../../src/ui/wgsl-lines.ts';

const source = readFileSync(new URL('../../src/shaders/softmax.wgsl', import.meta.url), 'utf8');

test('the lines of a kernel lose nothing', () => {
  const text = linesOf(source, 'forward')
    .map(({ words }) => words.map((word) => word.text).join(''))
    .join('\n');
  expect(text).toBe(source.trimEnd());
});

test('the entry point is marked from its attribute to its closing brace, and nothing else', () => {
  const entry = linesOf(source, 'backward_x').filter((line) => line.entry);
  const texts = entry.map(({ words }) => words.map((word) => word.text).join(''));
  expect(texts[0]).toMatch(/^@compute/);
  expect(texts[1]).toMatch(/^fn backward_x\(/);
  expect(texts.at(-1)).toBe('}');
  expect(texts.filter((text) => /\bfn /.test(text))).toHaveLength(1);
});

test('comments, keywords, types and numbers are told apart', () => {
  const [line] = linesOf('let x = f32(2.5) * 3u; // let it be', 'none');
  const kinds = Object.fromEntries(line!.words.map(({ kind, text }) => [text, kind]));
  expect(kinds).toMatchObject({ let: 'keyword', f32: 'type', '2.5': 'number', '3u': 'number', '// let it be': 'comment' });
});
