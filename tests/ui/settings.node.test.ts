import { describe, expect, test } from 'vitest';
import { type Choices, choicesOf, DEFAULT_CHOICES, hashOf } from '../../src/ui/session/choices.ts';
import { DEFAULT_SETTINGS, nextRate, readLayers, readSetting } from '../../src/ui/settings.ts';

describe('what is chosen lives in the address', () => {
  test('and comes back as it went', () => {
    const choices: Choices = {
      recipe: { data: 'breast-cancer', hidden: [64, 32], optimizer: 'sgd', seed: 7, batch: 64, rate: 0.0003, epochs: 3 },
      journal: [
        { step: 12, rate: 0.01 },
        { step: 300, rate: 1e-5 },
      ],
      step: 412,
      page: 'engine',
      example: { kind: 'edited', index: 41, values: [[3, -0.25]] },
      target: 0,
      against: 1,
      tensor: 'adam/m/dense_1/weight',
      cell: { tensor: 'dense_1/weight', index: 1234 },
      pixel: 400,
      follow: false,
      methods: ['saliency', 'smoothGrad'],
      whatIf: { kind: 'ablated', layer: 'dense_1', unit: 7 },
      pinned: { kind: 'test', index: 3 },
      seen: { adapter: 'google swiftshader', logits: Float32Array.of(1.5, -2.25e-7) },
      results: 'abc',
    };
    expect(choicesOf(hashOf(choices))).toEqual(choices);
    const drawn: Choices = { ...DEFAULT_CHOICES, example: { kind: 'drawn', strokes: [[0, 255, 10, 20]], centred: false }, methods: [] };
    expect(choicesOf(hashOf(drawn))).toEqual(drawn);
    for (const whatIf of [{ kind: 'randomised', layers: 2 } as const, { kind: 'attacked', method: 'pgd', epsilon: 0.1 } as const]) {
      expect(choicesOf(hashOf({ ...DEFAULT_CHOICES, whatIf })).whatIf).toEqual(whatIf);
    }
  });

  test('the recipe in full, the rest where it is not as at the start', () => {
    expect(hashOf(DEFAULT_CHOICES)).toBe('#data=mnist&hidden=128&optimizer=adam&seed=0&batch=32&rate=0.001&epochs=10');
    expect(hashOf({ ...DEFAULT_CHOICES, example: { kind: 'test', index: 12 }, target: 3 })).toContain('&example=12&class=3');
  });

  test('what it does not say, or says wrongly, is as at the start', () => {
    expect(choicesOf('')).toEqual(DEFAULT_CHOICES);
    expect(choicesOf('#seed=-1&batch=2.5&rate=fast&epochs=1e9&data=mnist2&hidden=9999&optimizer=x').recipe).toEqual(DEFAULT_SETTINGS);
    expect(choicesOf('#example=drawn.!!&class=-1&cell=x@&pixel=1e5&page=nowhere&journal=a:b,3:-1&pinned=')).toEqual(DEFAULT_CHOICES);
  });
});

describe('settings', () => {
  test('are read as people write numbers', () => {
    expect(readSetting('rate', ' 1e-3 ')).toBe(0.001);
    expect(readSetting('seed', '1,234')).toBe(1234);
    expect(readSetting('batch', '0')).toBeUndefined();
    expect(readSetting('epochs', '')).toBeUndefined();
    expect(readSetting('epochs', 'Infinity')).toBeUndefined();
  });

  test('layers are read as units, in any common way of listing them', () => {
    expect(readLayers('128')).toEqual([128]);
    expect(readLayers('128-64')).toEqual([128, 64]);
    expect(readLayers(' 128, 64 , 32')).toEqual([128, 64, 32]);
    expect(readLayers('none')).toEqual([]);
    expect(readLayers('0')).toBeUndefined();
    expect(readLayers('128-x')).toBeUndefined();
    expect(readLayers('8-8-8-8-8')).toBeUndefined();
  });

  test('a rate moves along 1, 2, 5, 10', () => {
    expect(nextRate(0.001, 1)).toBe(0.002);
    expect(nextRate(0.001, -1)).toBe(0.0005);
    expect(nextRate(0.005, 1)).toBe(0.01);
    expect(nextRate(0.0034, 1)).toBe(0.005);
    expect(nextRate(0.0034, -1)).toBe(0.002);
    expect(nextRate(1e-9, -1)).toBe(1e-9);
  });
});
