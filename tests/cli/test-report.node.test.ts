import { expect, test } from 'vitest';
import { countTests } from '../../src/cli/test-report.ts';

const file = (status: string, ...tests: string[]) => ({
  status,
  name: 'a.test.ts',
  assertionResults: tests.map((each) => ({ status: each })),
});

test('tests are counted over all files; skipped ones are neither', () => {
  const report = {
    numPassedTests: 3,
    numFailedTests: 1,
    testResults: [file('passed', 'passed', 'passed', 'skipped'), file('failed', 'failed', 'passed')],
  };
  expect(countTests(report, 1)).toEqual({ passed: 3, failed: 1 });
});

test('a file that breaks before its first test is a failure', () => {
  expect(
    countTests({ numPassedTests: 2, numFailedTests: 0, testResults: [file('passed', 'passed', 'passed'), file('failed')] }, 1),
  ).toEqual({ passed: 2, failed: 1 });
});

test('no report, no tests, and an error outside every test are failures', () => {
  expect(countTests(undefined, 0)).toEqual({ passed: 0, failed: 1 });
  expect(countTests({ numPassedTests: 0, numFailedTests: 0, testResults: [] }, 0)).toEqual({ passed: 0, failed: 1 });
  expect(countTests({ numPassedTests: 2, numFailedTests: 0, testResults: [file('passed', 'passed', 'passed')] }, 1)).toEqual({
    passed: 2,
    failed: 1,
  });
  expect(countTests({ numPassedTests: 2, numFailedTests: 0, testResults: [file('passed', 'passed', 'passed')] }, null)).toEqual({
    passed: 2,
    failed: 1,
  });
});

test('a sound run has no failure', () => {
  expect(countTests({ numPassedTests: 2, numFailedTests: 0, testResults: [file('passed', 'passed', 'passed')] }, 0)).toEqual({
    passed: 2,
    failed: 0,
  });
});
