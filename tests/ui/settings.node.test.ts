import { describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS, hashOfSettings, nextRate, readSetting, settingsOfHash } from '../../src/ui/settings.ts';

describe('the settings in the address', () => {
  test('come back as they went', () => {
    const settings = { seed: 7, batch: 64, rate: 0.0003, epochs: 3, digit: 41 };
    expect(hashOfSettings(settings)).toBe('#seed=7&batch=64&rate=0.0003&epochs=3&digit=41');
    expect(settingsOfHash(hashOfSettings(settings))).toEqual(settings);
  });

  test('stay as they are where the address says nothing, or nonsense', () => {
    expect(settingsOfHash('')).toEqual(DEFAULT_SETTINGS);
    expect(settingsOfHash('#seed=-1&batch=2.5&rate=fast&epochs=1e9&digit=')).toEqual(DEFAULT_SETTINGS);
    expect(settingsOfHash('#batch=8', { ...DEFAULT_SETTINGS, seed: 5 })).toEqual({ ...DEFAULT_SETTINGS, seed: 5, batch: 8 });
  });

  test('are read as people write numbers', () => {
    expect(readSetting('rate', ' 1e-3 ')).toBe(0.001);
    expect(readSetting('seed', '1,234')).toBe(1234);
    expect(readSetting('batch', '0')).toBeUndefined();
    expect(readSetting('epochs', '')).toBeUndefined();
    expect(readSetting('epochs', 'Infinity')).toBeUndefined();
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
