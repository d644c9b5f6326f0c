export * from '../../src/engine/reference/mathematics.ts';
