/**
 * Kernel files that no case runs, each with the reason: the page says so, and a test keeps the list complete. Beside them are those of
 * src/explain, which the tests of the repository run.
 */
export const NOT_COVERED: Readonly<Record<string, 'benchmark' | 'drawing'>> = {
  copy: 'benchmark',
  'multiply-add-peak': 'benchmark',
  'view-statistics': 'drawing',
  'view-tensor': 'drawing',
  'weight-histogram': 'drawing',
};
