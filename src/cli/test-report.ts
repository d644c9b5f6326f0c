/** The part of Vitest's JSON report (the same as Jest's) that is counted. */
export interface TestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; name: string; assertionResults: { status: string }[] }[];
}

export interface Counts {
  passed: number;
  failed: number;
}

/**
 * How many tests passed and failed. A file that broke before its first test counts as one failure; so does a run that
 * reported nothing, or that ended badly though every test passed (an error outside any test, a crash).
 */
export function countTests(report: TestReport | undefined, exitStatus: number | null): Counts {
  const passed = report?.numPassedTests ?? 0;
  const broken = report?.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = (report?.numFailedTests ?? 0) + (broken?.length ?? 0);
  const ranNothing = passed + failed === 0;
  const endedBadly = exitStatus !== 0 && failed === 0;
  return { passed, failed: failed + (ranNothing || endedBadly ? 1 : 0) };
}
