import { expect, test } from 'vitest';
import { WatchBudget } from '../../src/ui/session/watch-budget.ts';

test('looks that follow training take less than 5 % of the time, whatever one costs', () => {
  for (const cost of [0.5, 4, 60, 300]) {
    const budget = new WatchBudget();
    let now = 0;
    let spent = 0;
    budget.begin(now);
    while (now < 60_000) {
      if (budget.allows(now)) {
        now += cost;
        spent += cost;
        budget.spend(cost, now);
      }
      now += 1;
    }
    expect(spent / now).toBeLessThan(0.05);
    expect(spent / now).toBeGreaterThan(0.02);
    expect(budget.share(now)).toBeLessThan(0.065);
  }
});

test('what was spent while training stood still holds nothing up and is not counted', () => {
  const budget = new WatchBudget();
  budget.spend(5000, 1000);
  expect(budget.allows(2000)).toBe(false);
  budget.begin(2000);
  expect(budget.allows(2000)).toBe(true);
  budget.spend(40, 2100);
  expect(budget.share(3000)).toBeCloseTo(0.04, 5);
  expect(budget.share(2200)).toBeNaN();
});

test('curves that are drawn at a pace of their own starve no look', () => {
  const budget = new WatchBudget();
  let now = 0;
  let looks = 0;
  budget.begin(now);
  while (now < 60_000) {
    if (now % 500 === 0) budget.count(20, now);
    if (budget.allows(now)) {
      looks += 1;
      budget.spend(30, now);
    }
    now += 1;
  }
  expect(looks).toBeGreaterThan(50);
});
