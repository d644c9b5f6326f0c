/** Every word of the self-test's page. The other languages have the same keys, which `Translation` makes sure of. */

import { type StrResult, str } from '@lit/localize';

export const selfTestEnglish = {
  title: 'Test this GPU',
  caption:
    'Every kernel, of the engine, the explanations, the pictures and the benchmark, in every variant, run on your GPU and compared with the same mathematics in float64 on your CPU: values, and gradients against central differences. A kernel that is wrong here, or a driver that is, shows here.',
  start: 'Test',
  again: 'Test again',
  stop: 'Stop',
  progress: (done: string, all: string): StrResult => str`${done} of ${all} cases`,
  stopped: 'Stopped before its end.',
  allPassed: (comparisons: string): StrResult => str`All ${comparisons} comparisons agree.`,
  someFailed: (failed: string, comparisons: string): StrResult => str`${failed} of ${comparisons} comparisons do not agree.`,
  failures: 'What fails',
  failureIn: (operation: string, name: string): StrResult => str`${operation}, ${name}`,
  kernels: (names: string): StrResult => str`Kernels: ${names}`,
  operation: 'Operation',
  comparisons: 'Comparisons',
  variants: 'Variants',
  worst: 'Largest error',
  limit: 'Limit',
  result: 'Result',
  right: '✓ right',
  wrong: (failed: string): StrResult => str`✗ ${failed} wrong`,
  results: 'By operation',
  details: 'Its cases',
  copy: 'Copy the report',
  copied: 'The report is copied.',
  notCopied: 'The report could not be copied; take it from the field.',
  reportLabel: 'Report, with adapter and browser',
};
