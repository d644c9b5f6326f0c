import { afterEach, beforeAll, vi } from 'vitest';
import type { Dataset, Device } from '../../src/engine/index.ts';
import { defineElements } from '../../src/ui/elements.ts';
import { languageChoice } from '../../src/ui/language.ts';
import type { StudioSession } from '../../src/ui/session/session.ts';
import type { Training, TrainingData, TrainingSources } from '../../src/ui/training.ts';
import type { VitrinePage } from '../../src/ui/vitrine-page.ts';
import { testDevice } from '../engine/test-device.ts';
import '../../src/ui/theme.css';

const SIDE = 8;
const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** Small images that are easy to tell apart: a bright row and a bright column for each class, over noise. */
function images(name: string, size: number): Dataset {
  const inputs = new Uint8Array(size * SIDE * SIDE);
  const labels = Uint8Array.from({ length: size }, (_, i) => (i * 7) % 10);
  for (let i = 0; i < inputs.length; i++) {
    const label = labels[Math.floor(i / (SIDE * SIDE))]!;
    const [row, column] = [Math.floor(i / SIDE) % SIDE, i % SIDE];
    const bright = row === label % SIDE || column === (3 * label + 1) % SIDE;
    inputs[i] = (bright ? 180 : 20) + ((i * 2654435761) >>> 26);
  }
  return { name, size, inputShape: [SIDE, SIDE, 1], inputs, labels, classes: CLASSES };
}

/** 400 examples: 320 to train on, ten steps an epoch at batch 32. */
export const data: TrainingData = { train: images('small images', 400), test: images('small test images', 50) };

/** For `expect.poll` and `expect.element`: a whole page, drawn and trained by one CPU, takes its time. */
export const PATIENTLY = { timeout: 40_000 } as const;

let mounted: VitrinePage | undefined;

/** Puts the page on screen with small data and the shared device, and waits until it can train. */
export async function mount(
  hash: string = '',
  sources: TrainingSources = {},
): Promise<{ page: VitrinePage; session: StudioSession; training: Training; device: Device }> {
  defineElements();
  history.replaceState(null, '', hash === '' ? location.pathname + location.search : hash);
  const page = document.createElement('vitrine-page');
  page.sources = { openDevice: testDevice, ownsDevice: false, loadData: async () => data, ...sources };
  document.body.append(page);
  mounted = page;
  const session = page.session as StudioSession;
  const { training } = session;
  await settled(training);
  await session.looked();
  await page.updateComplete;
  // What shows one tensor comes with the first that is chosen.
  if (session.snapshot.choices.tensor !== undefined) await customElements.whenDefined('tensor-inspector');
  return { page, session, training, device: training.device as Device };
}

/** Resolves when the session has opened, or has failed to. */
export async function settled(training: Training): Promise<void> {
  await until(() => training.phase === 'ready' || training.phase === 'paused' || training.phase === 'closed');
}

/** Looks again and again, but not for ever: what never comes is named. */
export async function until(condition: () => boolean): Promise<void> {
  const began = performance.now();
  while (!condition()) {
    if (performance.now() - began > PATIENTLY.timeout) throw new Error(`it never came to pass: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Elements inside elements: `inside(page, 'studio-example', '.picture')`. */
export function inside<T extends Element = HTMLElement>(page: Element, ...selectors: string[]): T {
  let element: Element = page;
  for (const selector of selectors) {
    const found: Element | null = (element.shadowRoot ?? element).querySelector(selector);
    if (!found) throw new Error(`${selector} is not there`);
    element = found;
  }
  return element as T;
}

/** Call at the top of a test file: takes the page away after each test and leaves the address and the language as they were. */
export function clearAfterEach(): void {
  // A whole page, drawn and trained by one CPU, takes its time.
  vi.setConfig({ testTimeout: 180_000 });
  beforeAll(() => languageChoice.choose('en'));
  afterEach(async () => {
    const session = mounted?.session;
    mounted?.remove();
    mounted = undefined;
    await session?.close();
    history.replaceState(null, '', location.pathname + location.search);
    await languageChoice.choose('en');
  });
}
