import type { Dataset } from '../engine/dataset.ts';
import { VitrineError } from '../engine/errors.ts';
import { fetchBytes, type LoadOptions, type LoadProgress } from './fetch.ts';
import { type Idx, imageDataset, readIdx } from './idx.ts';

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

const FILES = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
} as const;

type Part = keyof typeof FILES;
const PARTS = Object.keys(FILES) as Part[];

/** Of the unpacked files, for a progress that goes to its end whether a server packs them, says their lengths, or neither. */
const BYTES: Record<Part, number> = { trainImages: 47_040_016, trainLabels: 60_008, testImages: 7_840_016, testLabels: 10_008 };
const TOTAL_BYTES = 54_950_048;

/** Where the package's own files are not found. */
const MEND =
  'give baseUrl, the address of a folder that holds the four files; a Vite older than 8 needs optimizeDeps: { exclude: ["vitrine"] } in its configuration.';

export interface MnistOptions extends LoadOptions {
  /** The folder that holds the four files, raw or gzipped under the same names; by default the copy that comes with this package. */
  readonly baseUrl?: string;
}

/**
 * loadMnist: 60,000 handwritten digits to learn from and 10,000 to be tested on.
 *
 * **Shapes** inputs [n, 28, 28, 1] of uint8, 0 for paper and 255 for ink, divided by 255 on the GPU; labels [n] of uint8, 0 to 9.
 * The order is that of the original files: the first training labels are 5, 0, 4, 1, 9.
 *
 * @throws VitrineError `bad-file`: a file is missing, is not IDX, or is not this set; `aborted`: the signal said so
 * **Source** Yann LeCun, Corinna Cortes, Christopher J. C. Burges, "The MNIST database of handwritten digits"; CC BY-SA 3.0.
 */
export async function loadMnist(options: MnistOptions = {}): Promise<{ train: Dataset; test: Dataset }> {
  const files = options.baseUrl === undefined ? await import('./mnist-files.ts') : filesUnder(options.baseUrl);
  const loaded = new Map<Part, number>();
  const parts = await Promise.all(
    PARTS.map(async (part) => {
      const onProgress =
        options.onProgress &&
        (({ loadedBytes, totalBytes }: LoadProgress) => {
          // A gzipped file is shorter than what is in it, and it is known how long that is.
          loaded.set(part, totalBytes ? Math.round((loadedBytes / totalBytes) * BYTES[part]) : loadedBytes);
          options.onProgress?.({ loadedBytes: sum(loaded.values()), totalBytes: TOTAL_BYTES });
        });
      const { signal, baseUrl } = options;
      const mend = baseUrl === undefined ? { mend: MEND } : {};
      const bytes = await fetchBytes('mnist', files[part], { signal, onProgress, method: files.method, ...mend });
      return [part, await readIdx(bytes, FILES[part])] as const;
    }),
  );
  return mnistFrom(Object.fromEntries(parts) as Record<Part, Idx>);
}

/**
 * mnistFrom: the two data sets from the four arrays, however they were read.
 *
 * @throws VitrineError `bad-file`: an array has not the shape that MNIST has
 */
export function mnistFrom(files: Record<Part, Idx>): { train: Dataset; test: Dataset } {
  check(files, 'trainImages', [60_000, 28, 28]);
  check(files, 'trainLabels', [60_000]);
  check(files, 'testImages', [10_000, 28, 28]);
  check(files, 'testLabels', [10_000]);
  return {
    train: imageDataset({ name: 'mnist', images: files.trainImages, labels: files.trainLabels, classes: DIGITS }),
    test: imageDataset({ name: 'mnist test', images: files.testImages, labels: files.testLabels, classes: DIGITS }),
  };
}

function check(files: Record<Part, Idx>, part: Part, expected: readonly number[]): void {
  const { shape } = files[part];
  if (shape.join() === expected.join()) return;
  const say = (dimensions: readonly number[]) => dimensions.map((dimension) => dimension.toLocaleString('en-US')).join(' × ');
  throw new VitrineError(
    'bad-file',
    `mnist: ${FILES[part]} holds ${say(shape)} values; MNIST has ${say(expected)}.`,
    'give the original files; for another set use imageDataset.',
    { part, shape, expected },
  );
}

function filesUnder(baseUrl: string): Record<Part, string> & { method: 'GET' } {
  const folder = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
  const urls = Object.fromEntries(PARTS.map((part) => [part, folder + FILES[part]])) as Record<Part, string>;
  return { ...urls, method: 'GET' };
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
