import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { methods } from '../src/explain/methods.ts';

const repository = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, repository), 'utf8');
const readme = read('README.md');

describe('the README', () => {
  test('has every method of the table with its question, caveat and cost, and no other', () => {
    const rows = readme.split('\n').filter((line) => /^\| `\w+` \| .* \| .* \| .*F.* \|$/.test(line));
    expect(rows).toEqual(methods.map(({ name, question, caveat, cost }) => `| \`${name}\` | ${question} | ${caveat} | ${cost} |`));
  });

  test('links to files that are there', () => {
    const targets = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target]) => target as string);
    expect(targets.length).toBeGreaterThan(10);
    expect(targets.filter((target) => !existsSync(new URL(target, repository)))).toEqual([]);
  });

  test('names commands that are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/`npm run (\w+)/g)].map(([, name]) => name as string);
    expect(named.filter((name) => !scripts[name])).toEqual([]);
  });

  test('says how many lines each folder has, to a tenth', () => {
    const linesIn = (folder: string): number =>
      readdirSync(new URL(folder, repository), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(ts|mts|mjs|wgsl|css|html)$/.test(file))
        .reduce((sum, file) => sum + read(`${folder}${file}`).split('\n').length - 1, 0);
    const rows = [...readme.matchAll(/^\| `([\w/]+\/)` \| ([\d,]+) \|/gm)].map(
      ([, folder, lines]) => [folder as string, Number((lines as string).replaceAll(',', ''))] as const,
    );
    expect(rows.map(([folder]) => folder)).toEqual(
      expect.arrayContaining(['tests/', ...readdirSync(new URL('src', repository)).map((name) => `src/${name}/`)]),
    );
    for (const [folder, said] of rows) {
      // A folder that has a row of its own does not count among those of the one above it.
      const within = rows.filter(([other]) => other !== folder && other.startsWith(folder));
      const lines = within.reduce((left, [other]) => left - linesIn(other), linesIn(folder));
      expect(Math.abs(said - lines) / lines, `${folder} has ${lines} lines, and the README says ${said}`).toBeLessThan(0.1);
    }
  });
});
