import { expect, test } from 'vitest';
import { Rarely } from '../../src/ui/session/rarely.ts';

test('work waits until what it took is its share of the time; the first time, which compiles, is no measure', () => {
  const rarely = new Rarely(0.05);
  const work = (began: number, milliseconds: number): void => {
    rarely.begins(began);
    rarely.ends(began + milliseconds);
  };
  expect(rarely.allows(0)).toBe(true);
  work(0, 900);
  expect(rarely.allows(1000)).toBe(true);
  work(1000, 60);
  expect(rarely.allows(2100)).toBe(false);
  expect(rarely.allows(2200)).toBe(true);
  // A slow time is the machine's; a fast one counts.
  work(3000, 400);
  expect(rarely.allows(4200)).toBe(true);
  work(5000, 20);
  expect(rarely.allows(5400)).toBe(true);
});
