import { describe, expect, test } from 'vitest';
import { likeMnist } from '../../src/data/index.ts';
import { VitrineError } from '../../src/engine/index.ts';
import { filesOf } from '../../src/ui/session/dropped-folders.ts';
import { classesOf, inputOfImage, notePath, readOwnImages } from '../../src/ui/session/own-images.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

type Draw = (context: OffscreenCanvasRenderingContext2D) => void;

/** A picture as a file, on paper of this colour. */
async function picture(name: string, width: number, height: number, paper: string, draw: Draw, type: string = 'image/png'): Promise<File> {
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.fillStyle = paper;
  context.fillRect(0, 0, width, height);
  draw(context);
  return new File([await context.canvas.convertToBlob({ type, quality: 1 })], name, { type });
}

/** An upright stroke of this colour, at a share of the width. */
const stroke =
  (colour: string, at: number): Draw =>
  (context) => {
    const { width, height } = context.canvas;
    context.fillStyle = colour;
    context.fillRect(Math.round(width * at), Math.round(height * 0.2), Math.round(width * 0.1), Math.round(height * 0.6));
  };

const drop = (page: Element, files: readonly File[]): boolean => {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  return page.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
};

describe('images of the visitor’s own', () => {
  test('are examples for the network that there is: dark on light and light on dark come to the same input', async () => {
    const dark = await picture('dark on light.png', 56, 56, '#fff', stroke('#000', 0.3));
    const light = await picture('light on dark.png', 56, 56, '#000', stroke('#fff', 0.3));
    const found = await readOwnImages([dark, light], 32);
    if (found.kind !== 'examples') throw new Error('they are examples');
    const [a, b] = found.images;
    expect([a!.inverted, b!.inverted]).toEqual([true, false]);
    expect([...a!.ink]).toEqual([...b!.ink]);
    // As MNIST is: ink is 1, 20 pixels high, centred by its mass.
    const input = inputOfImage(a!, [28, 28, 1]);
    expect([...input]).toEqual([...likeMnist(a!.ink, 56, 56)]);
    expect(Math.max(...input)).toBe(1);
    const mass = input.reduce((sum, value) => sum + value, 0);
    expect(input.reduce((sum, value, i) => sum + value * ((i % 28) + 0.5), 0) / mass).toBeCloseTo(14, 0);
    // Another shape: fitted in its own proportions, in the middle.
    const wide = await readOwnImages([await picture('wide.webp', 80, 40, '#fff', (c) => c.fillRect(0, 0, 80, 40), 'image/webp')], 32);
    if (wide.kind !== 'examples') throw new Error('it is an example');
    expect(() => inputOfImage(wide.images[0]!, [30])).toThrow(VitrineError);
    const fitted = inputOfImage({ ...a!, width: 2, height: 1, ink: Float32Array.of(1, 0.5) }, [4, 4, 1]);
    expect([...fitted]).toEqual([0, 0, 0, 0, 1, 1, 0.5, 0.5, 1, 1, 0.5, 0.5, 0, 0, 0, 0]);
  });

  test('dropped on the page they are looked at, said what was done to, and named by their hash only', async () => {
    const { page, session, training } = await mount('#hidden=16&rate=0.01');
    for (let i = 0; i < 3; i++) await training.single();
    drop(page, [
      await picture('secret name.png', 40, 40, '#f4f1ea', stroke('#203040', 0.4)),
      await picture('7_001.jpg', 30, 50, '#fff', stroke('#000', 0.5), 'image/jpeg'),
    ]);
    await until(
      () => session.snapshot.example?.choice.kind === 'own' && session.snapshot.prediction?.example === session.snapshot.example.key,
    );
    const { example, ownImages } = session.snapshot;
    expect(ownImages!.map(({ name }) => name)).toEqual(['secret name.png', '7_001.jpg']);
    expect(example!.shape).toEqual([8, 8, 1]);
    expect(Math.max(...example!.values)).toBeGreaterThan(0.5);
    // It is what the network was asked about.
    const probabilities = await (await training.run!.model.predict(example!.values)).read();
    expect([...session.snapshot.prediction!.probabilities]).toEqual([...probabilities]);
    expect(location.hash).toContain(`example=own.${ownImages![0]!.hash}`);
    expect(location.hash).not.toContain('secret');
    expect(training.step).toBe(3);
    const strip = () => inside(page, 'studio-example', 'own-images').shadowRoot!;
    await expect.poll(() => strip().querySelector('[data-done]')?.textContent, PATIENTLY).toMatch(/fitted into 8 × 8 .*inverted/);
    // The second one's name says its class.
    strip().querySelectorAll<HTMLElement>('.strip button')[1]!.click();
    await until(() => session.snapshot.example?.label === 7);
    history.back();
    await expect.poll(() => session.snapshot.example?.label, PATIENTLY).toBeUndefined();
  });

  test('many with classes are a data set, by their folders', async () => {
    const { page, session, training } = await mount('#hidden=16&batch=8');
    for (let i = 0; i < 2; i++) await training.single();
    const files: File[] = [];
    for (let i = 0; i < 30; i++) {
      const left = i % 2 === 0;
      const file = await picture(`photo${i}.png`, 12, 12, '#fff', stroke('#000', left ? 0.1 : 0.7));
      notePath(file, `shapes/${left ? 'left' : 'right'}/photo${i}.png`);
      files.push(file);
    }
    session.send({ do: 'data', files });
    await until(() => session.snapshot.run?.settings.data.startsWith('own:') ?? false);
    const { train, test: held } = training.run!.data;
    expect([train.size, held.size]).toEqual([24, 6]);
    expect(train.classes).toEqual(['left', 'right']);
    expect(train.inputShape).toEqual([12, 12, 1]);
    // Inverted: ink is bright, and it is where the class says.
    for (let i = 0; i < train.size; i++) {
      const image = Array.from(train.inputs.subarray(144 * i, 144 * (i + 1)));
      const mean = image.reduce((sum, value, k) => sum + value * (k % 12), 0) / image.reduce((sum, value) => sum + value, 0);
      expect(mean < 6 ? 0 : 1).toBe(train.labels![i]);
    }
    await expect
      .poll(() => inside(page, 'studio-example', 'own-images').shadowRoot!.querySelector('[data-taken]')?.textContent, PATIENTLY)
      .toMatch(/30 images of 2 classes \(left and right\)[\s\S]*12 × 12, as they are[\s\S]*inverted/);
    // The run before is kept for Undo.
    expect(session.snapshot.undoStep).toBe(2);
    const notices = () => inside(page, 'vitrine-notices').shadowRoot!.querySelectorAll('.undo').length;
    await expect.poll(notices, PATIENTLY).toBe(1);
    for (let i = 0; i < 10; i++) await training.single();
    expect(training.run!.history.loss.last).toBeLessThan(0.7);
    // Who has gone on for longer than that has taken to the new run.
    await expect.poll(notices, PATIENTLY).toBe(0);
  });

  test('a corrupt one is said by its name with a remedy, and nothing is lost', async () => {
    const { page, session, training } = await mount('#hidden=16&example=5');
    for (let i = 0; i < 2; i++) await training.single();
    const broken = new File([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2, 3)], 'broken.png', { type: 'image/png' });
    drop(page, [await picture('fine.png', 8, 8, '#fff', stroke('#000', 0.3)), broken]);
    await until(() => session.snapshot.fault !== undefined);
    const fault = session.snapshot.fault as VitrineError;
    expect([fault.code, fault.parameters.image]).toEqual(['bad-file', 'broken.png']);
    expect(fault.message).toMatch(/^broken\.png cannot be read as an image: .*\nTo mend: open it/);
    expect([session.snapshot.choices.example, session.snapshot.ownImages, training.step]).toEqual([{ kind: 'test', index: 5 }, [], 2]);

    // A table in the same drop, and a set that is too small for a batch.
    await expect(readOwnImages([broken, new File(['a'], 'a.csv')], 8)).rejects.toMatchObject({ code: 'invalid-option' });
    const set = await Promise.all(Array.from({ length: 20 }, (_, i) => picture(`${i % 2}_${i}.png`, 8, 8, '#fff', stroke('#000', 0.3))));
    await expect(readOwnImages(set, 32)).rejects.toMatchObject({ code: 'batch-too-large', parameters: { batchSize: 32, examples: 12 } });
  });

  test('a link to one that is on another page says so, and shows a test example', async () => {
    const { session } = await mount('#hidden=16&example=own.0123abcd');
    await until(() => session.snapshot.fault !== undefined);
    expect((session.snapshot.fault as VitrineError).message).toContain('own.0123abcd is not here');
    expect(session.snapshot.example!.values).toHaveLength(64);
  });
});

test('classes are told by folders, else by what stands before the number, else not at all', () => {
  expect(classesOf(['a/cat/1.png', 'a/dog/1.png'])).toEqual(['cat', 'dog']);
  expect(classesOf(['7_001.png', '7_002.png', '3-1.jpg'])).toEqual(['7', '7', '3']);
  expect(classesOf(['all/7_001.png', 'all/3 (2).png'])).toEqual(['7', '3']);
  expect(classesOf(['IMG001.png', 'IMG002.png'])).toBeUndefined();
  expect(classesOf(['12.png', '13.png'])).toBeUndefined();
  expect(classesOf(['x_1.png', 'x_2.png'])).toBeUndefined();
});

test('folders are walked to their ends, though a reader gives a hundred at a time', async () => {
  const file = (name: string): FileSystemEntry =>
    ({
      name,
      isFile: true,
      fullPath: `/set/cat/${name}`,
      file: (take: (file: File) => void) => take(new File(['x'], name, { type: 'image/png' })),
    }) as never;
  const many = Array.from({ length: 150 }, (_, i) => file(`${i}.png`));
  const folder = (entries: FileSystemEntry[]): FileSystemEntry =>
    ({
      name: 'cat',
      isFile: false,
      createReader: () => {
        const parts = [entries.slice(0, 100), entries.slice(100), []];
        return { readEntries: (take: (entries: FileSystemEntry[]) => void) => take(parts.shift()!) };
      },
    }) as never;
  const files = await filesOf([folder([...many, file('.DS_Store')])]);
  expect(files).toHaveLength(150);
});
