import { readFile } from 'node:fs/promises';
import type { StrResult } from '@lit/localize';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ErrorCode, VitrineError } from '../../src/engine/index.ts';
import { ERROR_FORMS, explain } from '../../src/ui/faults.ts';
import { languageChoice, Words } from '../../src/ui/language.ts';
import { chinese } from '../../src/ui/messages/chinese.ts';
import { english } from '../../src/ui/messages/english.ts';
import { type Catalogue, type Translated, templatesOf } from '../../src/ui/messages/spoken.ts';
import { wholeChinese } from '../../src/ui/whole/messages-chinese.ts';
import { wholeEnglish } from '../../src/ui/whole/messages-english.ts';

const host = { addController: () => undefined, removeController: () => undefined, requestUpdate: () => undefined };
const words = new Words({ ...host, updateComplete: Promise.resolve(true) });

beforeAll(() => vi.stubGlobal('window', new EventTarget()));
afterAll(() => vi.unstubAllGlobals());

/** How many values each text of a catalogue has. */
function placesOf(catalogue: Catalogue, prefix = ''): Map<string, number> {
  return new Map(
    Object.entries(catalogue).flatMap(([key, source]) => {
      if (typeof source === 'string') return [[prefix + key, 0] as const];
      if (typeof source !== 'function') return [...placesOf(source, `${prefix}${key}.`)];
      return [[prefix + key, source(...(Array.from({ length: source.length }, () => 'x') as never[])).values.length] as const];
    }),
  );
}

/** The catalogues of the views that are loaded later, by folder. */
const later = Object.entries(import.meta.glob<Record<string, Catalogue>>('../../src/ui/*/messages-english.ts', { eager: true })).map(
  ([path, source]) => [path.split('/').at(-2)!, Object.values(source)[0]!] as const,
);
const translations = import.meta.glob<Record<string, Translated>>('../../src/ui/*/messages-chinese.ts', { eager: true });

describe('a translation', () => {
  test.each([
    ['page', english, chinese] as const,
    ...later.map(
      ([folder, source]) => [folder, source, Object.values(translations[`../../src/ui/${folder}/messages-chinese.ts`]!)[0]!] as const,
    ),
  ])('of %s has every text and loses none of its values', (_what, source, translated) => {
    const templates = templatesOf(translated);
    for (const [id, places] of placesOf(source)) {
      const template = templates[id];
      const used = typeof template === 'object' ? new Set(template.values as number[]) : new Set();
      expect([id, [...used].sort()]).toEqual([id, Array.from({ length: places }, (_, i) => i)]);
    }
  });

  test.each([
    ['entropyRange', ['0.5', '2', '3.18', '24'], '各行的熵：0.5 到 2 奈特，最多 ln 24 = 3.18。'],
    ['dependenceText', ['a', 'b', '1', '2', '3', '4'], '部分依赖：a 从 1 变到 2 时，b 的平均对数几率从 3 变到 4'],
  ])('puts the values of %s where they belong', (name, values, said) => {
    const source = wholeEnglish[name as 'entropyRange'](...(values as [string, string, string, string]));
    const template = templatesOf(wholeChinese)[name] as StrResult;
    const places = template.values as unknown as number[];
    expect(template.strings.reduce((text, part, i) => text + source.values[places[i - 1]!] + part)).toBe(said);
  });

  test('puts the values where its own sentence has them, and changes with the language', async () => {
    expect(words.say.testResult('98 %', '12', '600')).toBe('98 % right: 12 mistakes in 600');
    await languageChoice.choose('zh');
    expect(words.say.testResult('98 %', '12', '600')).toBe('正确 98 %：600 个中错了 12 个');
    expect(words.say.phases.paused).toBe('已暂停');
    expect(words.say.stoppedByUnit('dense_1', '5')).toBe('已暂停：dense_1 的单元 5 已失活');
    expect(words.list(['甲', '乙', '丙'])).toBe('甲、乙和丙');
    await languageChoice.choose('en');
    expect(words.say.phases.paused).toBe('Paused');
    expect(words.list(['a', 'b', 'c'])).toBe('a, b and c');
  });
});

describe('a number', () => {
  test('that no place has room for is written with an exponent, as is one too small to be read', () => {
    expect(words.small(0.15264)).toBe('0.1526');
    expect(words.small(99_999)).toBe('99,999.0');
    expect(words.small(100_000)).toBe('1.00e5');
    expect(words.small(6.6455e23)).toBe('6.65e23');
    expect(words.small(-2.5e30)).toBe('−2.50e30');
    expect(words.small(0.000123)).toBe('1.2e−4');
    expect(words.significant(1e9)).toBe('1e9');
    expect(words.significant(-0.00001234)).toBe('−1.23e−5');
    expect(words.significant(0)).toBe('0');
    expect(words.exact(16_777_216)).toBe('1.6777216e7');
  });
});

describe('errors', () => {
  const codes = async (): Promise<ErrorCode[]> => {
    const source = await readFile('src/engine/errors.ts', 'utf8');
    const union = /export type ErrorCode =([^;]+);/.exec(source)![1]!;
    return [...union.matchAll(/'([a-z-]+)'/g)].map(([, code]) => code as ErrorCode);
  };
  const templates = templatesOf(chinese);

  test('every code of the engine has words in both languages, without any parameter', async () => {
    const all = await codes();
    expect(all.length).toBeGreaterThan(20);
    for (const language of ['en', 'zh'] as const) {
      await languageChoice.choose(language);
      for (const code of all) {
        const { what, mend } = explain(new VitrineError(code, 'source of what', 'source of mend.'), words);
        const said = `${code}: ${what} ${mend}`;
        if (language === 'en') expect(said).toBe(`${code}: source of what source of mend.`);
        else expect(said).not.toMatch(/source|undefined/);
      }
    }
    await languageChoice.choose('en');
  });

  test('a fuller form comes before those with less, and its places are its parameters', () => {
    ERROR_FORMS.forEach((form, i) => {
      const [code, ...names] = form.split(' ');
      const later = ERROR_FORMS.slice(i + 1).filter((each) => each.split(' ')[0] === code);
      for (const each of later) expect(each.split(' ').length, `${each} after ${form}`).toBeLessThanOrEqual(names.length + 1);
      const used = ['what', 'mend'].flatMap((part) => {
        const template = templates[`errors.${form}.${part}`];
        expect(template, form).toBeDefined();
        return typeof template === 'string' ? [] : ((template as StrResult).values as number[]);
      });
      expect([form, [...new Set(used)].sort()]).toEqual([form, names.map((_, index) => index)]);
    });
  });

  test('their parameters are in the translation', async () => {
    await languageChoice.choose('zh');
    const ragged = new VitrineError('bad-file', 'x', 'y.', { name: 'mine.csv', row: 1200, cells: 3, columns: 4 });
    expect(explain(ragged, words).what).toBe('mine.csv：第 1,200 行有 3 个单元格，表头有 4 个。');
    const shapes = new VitrineError('shape-mismatch', 'x', 'y.', { a: [2, 3], b: [4, 5] });
    expect(explain(shapes, words).what).toBe('形状 [2, 3] 与 [4, 5] 不符。');
    await languageChoice.choose('en');
  });
});
