import { existsSync, readFileSync } from 'node:fs';
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
});
