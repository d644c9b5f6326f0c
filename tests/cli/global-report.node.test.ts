import { describe, expect, test } from 'vitest';
import { globalParameters, OPTIONS } from '../../src/cli/commands/explain.ts';
import { globalBrief, globalDrawings, globalReport } from '../../src/cli/global-report.ts';
import type { GlobalSummary } from '../../src/cli/global-task.ts';
import { readOptions } from '../../src/cli/options.ts';

const parameters = (...args: string[]) => globalParameters(readOptions(OPTIONS, ['--global', ...args]));

describe('the arguments of explain --global', () => {
  test('name methods and how many examples are looked at', () => {
    expect(parameters('--methods', 'surrogateTree,cka', '--examples', '50')).toMatchObject({
      methods: ['surrogateTree', 'cka'],
      examples: 50,
      seed: 0,
    });
    expect(parameters()).toMatchObject({ examples: 1000, train: { data: 'mnist', model: 'mlp' } });
    expect(parameters().methods).toContain('permutationImportance');
    expect(parameters('--target', '1').target).toBe(1);
    expect(parameters()).not.toHaveProperty('target');
  });

  test.each([
    [['--methods', 'saliency'], "--methods: there is no method 'saliency'.\nTo mend: use some of surrogateTree,"],
    [['--examples', '1'], '--examples is 1; a network as a whole is seen on several.'],
    [['--index', '0'], '--index is about one example; --global looks at many.\nTo mend: leave --index or --global out.'],
    [['--against', '1'], '--against is about one example;'],
    [['--output', 'logit'], '--output is about one example;'],
  ])('%j are refused', (args, message) => {
    expect(() => parameters(...args)).toThrow(message);
  });
});

const interval = (value: number) => ({ value, low: value - 0.5, high: value + 0.5 });

const summary: GlobalSummary = {
  data: 'table <1>',
  examples: 1200,
  accuracy: 0.875,
  seed: 0,
  adapter: 'an adapter',
  surrogateTree: {
    depth: 1,
    leaves: 2,
    majority: 0.6,
    fidelity: [{ depth: 1, leaves: 2, training: 1, heldOut: { value: 0.9, low: 0.8, high: 0.95 } }],
    tree: {
      features: ['age <x>'],
      classes: ['no', 'yes'],
      root: {
        id: 0,
        depth: 0,
        counts: [40, 60],
        rows: 100,
        queries: 0,
        prediction: 1,
        impurity: 0.48,
        split: { feature: 0, threshold: 3, gain: 0.48 },
        left: { id: 1, depth: 1, counts: [40, 0], rows: 40, queries: 0, prediction: 0, impurity: 0 },
        right: { id: 2, depth: 1, counts: [0, 60], rows: 60, queries: 0, prediction: 1, impurity: 0 },
      },
    },
    text: 'age ≤ 3\n  → yes',
    mermaid: 'flowchart TD',
  },
  permutationImportance: {
    metric: 'crossEntropy',
    base: 0.25,
    columns: [
      { names: ['age'], importance: interval(1) },
      { names: ['income'], importance: interval(3) },
    ],
  },
  curvesOf: { target: 1, name: 'yes <y>' },
  partialDependence: [
    { column: 0, name: 'flat', x: [0, 1], y: [2, 2] },
    { column: 1, name: 'steep', x: [0, 1], y: [0, 5] },
  ],
  cka: { layers: ['activation/dense_1'], values: [[1]] },
  notApplicable: [{ method: 'accumulatedLocalEffects', why: 'no columns.' }],
};

describe('what explain --global tells', () => {
  test('in the terminal is the finding of each method, the strongest first', () => {
    const lines = globalBrief(summary).split('\n');
    expect(lines[0]).toBe('1,200 examples, 87.5 % right');
    expect(lines).toContain('Surrogate tree: fidelity 90.0 % (80.0 % to 95.0 %) on held-out examples, majority 60.0 %');
    expect(lines.indexOf('  income  +3.00  [2.50, 3.50]')).toBeLessThan(lines.indexOf('  age  +1.00  [0.500, 1.50]'));
    expect(lines).toContain('Partial dependence of the logit of yes <y>, widest: steep (5.00), flat (0)');
    expect(lines).toContain('  1.000  activation/dense_1');
    expect(lines.at(-1)).toBe('accumulatedLocalEffects does not apply: no columns.');
  });

  test('in the report stands by itself, draws every curve within its frame, and can be read back', () => {
    const report = globalReport(summary);
    expect(report).not.toMatch(/https?:/);
    expect(report).not.toContain('<1>');
    expect(report).toContain('aria-label="Largest: income 3.00; age 1.00"');
    const points = [...report.matchAll(/points="([^"]+)"/g)].flatMap(([, text]) => (text as string).split(' '));
    expect(points.length).toBe(4);
    for (const point of points) {
      const [x, y] = point.split(',').map(Number) as [number, number];
      expect(x >= 10 && x <= 230 && y >= 30 && y <= 104).toBe(true);
    }
    expect(report).toContain('On average over the examples, the logit of yes &lt;y&gt; with one column set to each value.');
    expect(report.indexOf('steep')).toBeLessThan(report.indexOf('flat'));
    const text = /<pre>(\{.*?)<\/pre>/s.exec(report)?.[1] as string;
    const json = text
      .replace(/&quot;/g, '"')
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&amp;/g, '&');
    expect(JSON.parse(json)).toEqual(summary);
  });

  test('is drawn in a file a drawing, each whole and with its own style', () => {
    const drawings = globalDrawings(summary);
    expect(Object.keys(drawings)).toEqual(['surrogate-tree.svg', 'permutation-importance.svg', 'partial-dependence.svg', 'cka.svg']);
    for (const svg of Object.values(drawings)) {
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="-16 -16 /);
      expect(svg).toContain('prefers-color-scheme: dark');
      // Custom properties belong to the page; a file must do without.
      expect(svg).not.toContain('var(');
      expect(svg).not.toContain('<x>');
    }
    const tree = drawings['surrogate-tree.svg'] ?? '';
    expect(tree).toContain('age &lt;x&gt; ≤ 3');
    expect([...tree.matchAll(/>(\d+ of \d+)</g)].map(([, text]) => text)).toEqual(['40 of 40', '60 of 60']);
    // The bar of a column is as long as its importance says, from 0 on: 3 of 1.
    const widths = [...(drawings['permutation-importance.svg'] ?? '').matchAll(/class="mark"[^>]* width="([\d.]+)"/g)].map(([, w]) =>
      Number(w),
    );
    expect((widths[0] as number) / (widths[1] as number)).toBeCloseTo(3, 2);
    expect(drawings['partial-dependence.svg']?.match(/<polyline/g)).toHaveLength(2);
  });

  test('is drawn as a map where the columns are patches', () => {
    const { permutationImportance } = summary;
    const patches = { ...permutationImportance!, patches: [1, 2] as const };
    const map = globalDrawings({ ...summary, permutationImportance: patches })['permutation-importance-map.svg'] ?? '';
    expect([...map.matchAll(/fill-opacity="([\d.]+)"/g)].map(([, share]) => Number(share))).toEqual([0.333, 1]);
  });
});

test('a tree that is no better than the majority is said to be none, and a table says its units', () => {
  const poor: GlobalSummary = {
    ...summary,
    units: 'standardised',
    surrogateTree: {
      ...(summary.surrogateTree as NonNullable<GlobalSummary['surrogateTree']>),
      majority: 0.7,
      fidelity: [{ depth: 1, leaves: 2, training: 1, heldOut: { value: 0.575, low: 0.4, high: 0.7 } }],
    },
  };
  for (const text of [globalBrief(poor), globalReport(poor)]) {
    expect(text).toContain('do not read it as an explanation');
    expect(text).toContain('in standard deviations from the mean of the training rows');
  }
  for (const text of [globalBrief(summary), globalReport(summary)]) {
    expect(text).not.toContain('do not read it');
    expect(text).not.toContain('standard deviations');
  }
});
