import { expect, test } from 'vitest';
import { missingPackages } from '../../src/cli/bootstrap.mjs';

const lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/lit': { version: '3.3.3' },
    'node_modules/vite': { version: '8.3.8' },
    'node_modules/fsevents': { version: '2.3.3', optional: true },
  },
};

test('everything is missing where nothing was installed', () => {
  expect(missingPackages(lock, undefined)).toEqual(['node_modules/lit', 'node_modules/vite']);
});

test('nothing is missing where the versions agree; packages of other systems do not count', () => {
  expect(
    missingPackages(lock, { packages: { 'node_modules/lit': { version: '3.3.3' }, 'node_modules/vite': { version: '8.3.8' } } }),
  ).toEqual([]);
});

test('an older version is missing', () => {
  expect(
    missingPackages(lock, { packages: { 'node_modules/lit': { version: '3.3.2' }, 'node_modules/vite': { version: '8.3.8' } } }),
  ).toEqual(['node_modules/lit']);
});
