import { describe, expect, test } from 'vitest';
import { WatchBudget } from '../../src/ui/session/watch-budget.ts';

/** Training at 0.3 steps a millisecond, told every 40 ms, in which a look takes `cost` milliseconds away each time that the budget allows one. */
function simulate(
  budget: WatchBudget,
  milliseconds: number,
  cost: number,
  from: number = 0,
  done: number = 0,
): { looks: number; steps: number } {
  let [now, steps, looks, debt] = [from, done, 0, 0];
  let ends: number | undefined;
  while (now < from + milliseconds) {
    now += 40;
    // What the look took is missing from the steps of the stretches that it lasts.
    const taken = Math.min(40, debt);
    debt -= taken;
    steps += 0.3 * (40 - taken);
    if (ends !== undefined && now >= ends) {
      budget.lookEnds(now);
      ends = undefined;
    }
    budget.arrived(steps, now);
    if (ends === undefined && debt === 0 && budget.allows(now)) {
      budget.lookBegins(now);
      looks += 1;
      debt = cost;
      ends = now + cost;
    }
  }
  if (ends !== undefined) budget.lookEnds(now);
  return { looks, steps };
}

describe('what watching costs', () => {
  test('is what training lost by it', () => {
    const budget = new WatchBudget();
    budget.begin(0);
    // What the first looks cost is not known yet: they come at a cautious pace.
    const { steps: before } = simulate(budget, 40_000, 60);
    const { steps } = simulate(budget, 20_000, 60, 40_000, before);
    const lost = 1 - (steps - before) / (0.3 * 20_000);
    expect(lost).toBeGreaterThan(0.005);
    expect(budget.share()).toBeCloseTo(lost, 2);
  });

  test.each([5, 60, 400])('stays near a hundredth whatever a look takes: %i ms', (cost) => {
    const budget = new WatchBudget();
    budget.begin(0);
    const { steps } = simulate(budget, 60_000, cost);
    const { looks } = simulate(budget, 120_000, cost, 60_000, steps);
    expect(looks).toBeGreaterThan(2);
    expect((looks * cost) / 120_000).toBeLessThan(0.03);
  });

  test('counts drawings that are not looks, and is not known at once', () => {
    const budget = new WatchBudget();
    budget.begin(0);
    expect(budget.share()).toBeNaN();
    let [now, steps] = [0, 0];
    for (let i = 1; i <= 500; i++) {
      const drawn = i % 10 === 0;
      // A drawing of 20 ms in a stretch of 40, told before the stretch ends.
      now += 40;
      steps += drawn ? 6 : 12;
      if (drawn) budget.disturb(now);
      budget.arrived(steps, now);
    }
    expect(budget.share()).toBeCloseTo(0.05, 2);
  });

  test('does not count what training does for itself', () => {
    const budget = new WatchBudget();
    budget.begin(0);
    let [now, steps] = [0, 0];
    for (let i = 1; i <= 200; i++) {
      now += 40;
      steps += 12;
      // The last steps before a rest arrive late: training waits for all of its work, and the page tells of it.
      if (i % 50 === 0) {
        now += 400;
        budget.disturb(now);
      }
      budget.arrived(steps, now);
      if (i % 50 === 0) {
        budget.rest();
        now += 1000;
      }
    }
    expect(budget.share()).toBe(0);
  });

  test('looks soon and ever more seldom at first, however dear a look is', () => {
    const budget = new WatchBudget();
    budget.begin(0);
    let [now, steps] = [0, 0];
    const looks: number[] = [];
    while (now < 60_000) {
      now += 40;
      const looking = budget.allows(now);
      if (looking) {
        looks.push(now);
        budget.lookBegins(now);
        now += 400;
        budget.lookEnds(now);
      } else steps += 12;
      budget.arrived(steps, now);
    }
    // A look of 0.4 s would be followed by a wait of 15 s.
    const waits = looks.slice(1).map((at, i) => at - looks[i]!);
    for (const [i, least] of [1000, 1000, 4000, 8000].entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(least);
      expect(waits[i]).toBeLessThan(least + 3000);
    }
    for (const wait of waits.slice(4)) expect(wait).toBeGreaterThanOrEqual(15_000);
  });

  test('rests where watching never would, so that training alone can be seen', () => {
    const budget = new WatchBudget();
    budget.begin(0);
    let [now, refused] = [0, 0];
    for (let i = 1; i <= 200; i++) {
      now += 40;
      if (budget.allows(now)) {
        budget.lookBegins(now);
        budget.lookEnds(now);
      } else refused += 1;
      budget.arrived(12 * i, now);
    }
    expect(refused).toBeGreaterThan(2);
    expect(budget.share()).toBeCloseTo(0, 6);
  });
});
