import { afterAll, describe, expect, test } from 'vitest';
import readme from '../README.md?raw';
import * as data from '../src/data/index.ts';
import * as engine from '../src/engine/index.ts';
import * as explain from '../src/explain/index.ts';
import * as studio from '../src/ui/studio.ts';

/** What stands between the fences, by language, in order. */
const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text: text as string }));

describe('the snippets of the README', () => {
  let device: engine.Device | undefined;
  let mounted: studio.MountedStudio | undefined;
  afterAll(() => device?.destroy());

  /** The packages by name; of MNIST only the first digits, so that an epoch of it is short. */
  const packages = {
    vitrine: {
      ...engine,
      openDevice: async () => {
        device = await engine.openDevice();
        return device;
      },
    },
    'vitrine/data': {
      ...data,
      loadMnist: async () => {
        const { train, test: held } = await data.loadMnist();
        return { train: data.take(train, 0, 2000), test: data.take(held, 0, 500) };
      },
    },
    'vitrine/explain': explain,
    'vitrine/studio': {
      mountStudio: async (...given: Parameters<typeof studio.mountStudio>) => {
        mounted = await studio.mountStudio(...given);
        return mounted;
      },
    },
  };

  test('run as they are printed, one after the other, and print what stands below', async () => {
    const snippets = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);
    expect(snippets).toHaveLength(3);
    const code = snippets.join('\n').replace(/^import (\{.*?\}) from (\S+);$/gm, 'const $1 = packages[$2];');
    expect(code).not.toMatch(/^import/m);
    const printed: unknown[] = [];
    const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => (...values: unknown[]) => Promise<void>;
    await new AsyncFunction('packages', 'console', code)(packages, { log: (value: unknown) => printed.push(value) });

    expect(mounted?.element.isConnected).toBe(true);
    await mounted?.unmount();
    expect(mounted?.element.isConnected).toBe(false);
    const [summary, epoch, evaluated, verdict, ...rest] = printed as [string, engine.EpochRecord, object, string];
    expect(rest).toEqual([]);
    const { text: below } = blocks.find(({ text }) => text.startsWith('Layer ')) as { text: string };
    expect(below.startsWith(`${summary.trimEnd()}\n`)).toBe(true);
    const [epochLine, evaluatedLine] = below.slice(summary.trimEnd().length + 1).split('\n') as [string, string];
    const names = (line: string): string[] => [...line.matchAll(/(\w+):/g)].map(([, name]) => name as string);
    expect(Object.keys(epoch)).toEqual(names(epochLine));
    expect(Object.keys(evaluated)).toEqual(names(evaluatedLine));
    expect(epoch.accuracy).toBeGreaterThan(0.5);
    expect(verdict).toMatch(/saliency|integratedGradients|occlusion/);
  });
});
