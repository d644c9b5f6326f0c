import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import type { ViteUserConfig } from 'vitest/config';
import { documentedShaders, minifyTemplates, shakeColorSchemes } from './src/cli/app-build.ts';
import { keepWasmThreads } from './src/cli/bench-build.ts';
import { browserLaunch } from './src/cli/browser.mjs';
import { CSS_TARGET } from './src/cli/library-build.ts';

const repository = fileURLToPath(new URL('.', import.meta.url));

/** Found at start, so that no page is reloaded in the middle of a test. */
const prebundled = [
  '@lit/localize',
  'lit',
  'lit/directives/keyed.js',
  'lit/directives/repeat.js',
  'uplot',
  'd3-color',
  'd3-scale-chromatic',
  'papaparse',
];

/** What the benchmark's workers load: found at start as well, so that no measurement is cut off by a reload. */
const contenders = [
  '@jax-js/jax',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-core/dist/register_all_gradients',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgpu',
  'onnxruntime-web/wasm',
  'onnxruntime-web/webgpu',
];

/** Memory that threads share, and clocks that are precise, are for pages that are isolated. */
const isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

const config = async ({ command }: { command: 'build' | 'serve' }): Promise<ViteUserConfig> => ({
  // Vitest works from the repository; `npx vite` serves the app.
  root: process.env.VITEST ? repository : `${repository}src/ui`,
  base: './',
  server: { host: '127.0.0.1', fs: { allow: [repository] }, headers: isolated },
  preview: { headers: isolated },
  plugins: [
    keepWasmThreads(),
    documentedShaders(command === 'build'),
    ...(command === 'build' ? [minifyTemplates(), shakeColorSchemes()] : []),
  ],
  worker: { format: 'es', plugins: () => [keepWasmThreads(), documentedShaders(command === 'build')] },
  optimizeDeps: { include: process.env.VITEST ? [...prebundled, 'onnxruntime-web/wasm', 'axe-core'] : [...prebundled, ...contenders] },
  build: { outDir: `${repository}dist/app`, emptyOutDir: true, target: 'es2022', cssTarget: CSS_TARGET },
  ...(process.env.VITEST ? { test: await tests() } : {}),
});

export default config;

/** Two projects: `node` has no GPU; `browser` is a real Chromium, where a test without an adapter fails. */
async function tests(): Promise<NonNullable<ViteUserConfig['test']>> {
  const { executablePath, args } = await browserLaunch();
  return {
    // Many tests compile kernels and train; only one that is out of the ordinary is worth a line of its own.
    slowTestThreshold: 10_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          include: ['tests/**/*.node.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/**/*.node.test.ts'],
          // One page and one GPU device serve every file: opening them anew costs more than most tests.
          isolate: false,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath, args } }),
            instances: [{ browser: 'chromium', viewport: { width: 1280, height: 800 } }],
          },
        },
      },
    ],
  };
}
