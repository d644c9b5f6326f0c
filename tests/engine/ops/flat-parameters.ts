export * from '../../../src/engine/reference/flat-parameters.ts';
