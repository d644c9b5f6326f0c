import { type LitElement, nothing, render } from 'lit';
import { expect, test } from 'vitest';
import { Words } from '../../src/ui/language.ts';
import type { MethodName } from '../../src/ui/session/methods.ts';
import type { Snapshot } from '../../src/ui/session/session.ts';
import { verdictOf } from '../../src/ui/verdict.ts';

const host = { addController: () => undefined, removeController: () => undefined, requestUpdate: () => undefined };
const words = new Words(host as unknown as LitElement);

/** Maps of one example, of a network with these hidden layers. */
function snapshotOf(maps: Partial<Record<MethodName, readonly number[]>>, hidden: readonly number[] = [8]): Snapshot {
  return {
    example: { key: 'one', values: Float32Array.of(1, 0.5, 0.25, 1) },
    cards: Object.entries(maps).map(([method, values]) => ({ method, map: { example: 'one', values: Float32Array.from(values) } })),
    shown: { settings: { hidden } },
  } as unknown as Snapshot;
}

function said(snapshot: Snapshot): string {
  const verdict = verdictOf(words, snapshot);
  if (verdict === nothing) return '';
  const place = document.createElement('div');
  render(verdict, place);
  return place.textContent!.replaceAll(/\s+/g, ' ').trim();
}

test('maps that share the logit are said to agree, or to disagree, by their least rank correlation', () => {
  expect(said(snapshotOf({ inputXGradient: [1, 2, 3, 4], integratedGradients: [2, 3, 4, 5] }))).toMatch(/agree \(rank correlation 1 /);
  expect(said(snapshotOf({ inputXGradient: [1, 2, 3, 4], integratedGradients: [4, 3, 2, 1] }))).toMatch(
    /disagree \(rank correlation down to −1/,
  );
  expect(said(snapshotOf({ inputXGradient: [1, 2, 3, 4] }))).toBe('');
});

test('maps that are 0 everywhere, as of a dead network, are not compared', () => {
  expect(said(snapshotOf({ inputXGradient: [0, 0, 0, 0], integratedGradients: [0, 0, 0, 0] }))).toBe('');
  expect(said(snapshotOf({ inputXGradient: [1, 2, 3, 4], integratedGradients: [0, 0, 0, 0] }))).toBe('');
});

test('guided backpropagation is warned of where it is not the gradient itself', () => {
  expect(said(snapshotOf({ guidedBackprop: [1, 2, 3, 4] }))).toContain('Do not rely on Guided backpropagation');
  expect(said(snapshotOf({ guidedBackprop: [1, 2, 3, 4] }, []))).toBe('');
});
