import Papa from 'papaparse';
import { expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { blueOrange, colorOf } from '../../src/data/index.ts';
import type { TensorView } from '../../src/ui/maps/tensor-view.ts';
import type { StudioSession } from '../../src/ui/session/session.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const mapsThere = (session: StudioSession) =>
  until(() => session.snapshot.cards.length > 0 && session.snapshot.cards.every(({ map, computing }) => map && !computing));

/** What the page saves in a format, as a person asks for it. */
async function saved(format: 'json' | 'png' | 'csv'): Promise<{ readonly blob: Blob; readonly name: string }> {
  let blob: Blob | undefined;
  let name = '';
  const { createObjectURL } = URL;
  const { click } = HTMLAnchorElement.prototype;
  URL.createObjectURL = (given: Blob) => {
    blob = given;
    return createObjectURL.call(URL, given);
  };
  HTMLAnchorElement.prototype.click = function (): void {
    name = this.download;
  };
  try {
    await userEvent.selectOptions(browser.getByRole('combobox', { name: 'Kind of file' }), format);
    await userEvent.click(browser.getByRole('button', { name: 'Save maps' }));
    await until(() => blob !== undefined && name !== '');
  } finally {
    URL.createObjectURL = createObjectURL;
    HTMLAnchorElement.prototype.click = click;
  }
  return { blob: blob!, name };
}

/** CRC-32 as gzip computes it: it stands before the length at the end. */
async function checkOf(bytes: Uint8Array): Promise<number> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('gzip'));
  const zipped = await new Response(stream).arrayBuffer();
  return new DataView(zipped).getUint32(zipped.byteLength - 8, true);
}

/** The text chunk of a PNG with this keyword; every chunk's check is right. */
async function textOf(bytes: Uint8Array, keyword: string): Promise<string | undefined> {
  const view = new DataView(bytes.buffer);
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at);
    const content = bytes.subarray(at + 8, at + 8 + length);
    expect(view.getUint32(at + 8 + length)).toBe(await checkOf(bytes.subarray(at + 4, at + 8 + length)));
    if (new TextDecoder().decode(bytes.subarray(at + 4, at + 8)) === 'iTXt') {
      const end = content.indexOf(0);
      if (new TextDecoder().decode(content.subarray(0, end)) === keyword) return new TextDecoder().decode(content.subarray(end + 5));
    }
    at += 12 + length;
  }
  return undefined;
}

test('maps are saved as JSON, as CSV and as a picture, and all three say the same', async () => {
  const { page, session, training } = await mount('#rate=0.01&example=4&class=3&against=1&hidden=16&methods=saliency,integratedGradients');
  for (let i = 0; i < 10; i++) await training.single();
  await session.looked();
  await mapsThere(session);
  const view = inside(page, 'studio-why', '[data-method=integratedGradients]', 'tensor-view') as TensorView;
  const { cards, example } = session.snapshot;
  const [, { map } = {}] = cards as [unknown, (typeof cards)[number]];
  // Once the scale reaches the map's largest value it is that of the last drawing, and stays.
  const largest = Math.max(...Array.from(map!.values!, Math.abs));
  expect(largest).toBeGreaterThan(0);
  await expect.poll(() => view.end, PATIENTLY).toBeGreaterThanOrEqual(largest);

  const json = await saved('json');
  expect(json.name).toBe('vitrine-maps-step-10.json');
  const file = JSON.parse(await json.blob.text());
  expect(file.maps.map(({ method }: { method: string }) => method)).toEqual(['saliency', 'integratedGradients']);
  expect(file.maps[1]).toMatchObject({ target: 3, against: 1, step: 10, values: Array.from(map!.values!) });

  const csv = await saved('csv');
  const { data: rows, errors } = Papa.parse<Record<string, string>>(await csv.blob.text(), { header: true, skipEmptyLines: true });
  expect(errors).toEqual([]);
  expect(rows).toHaveLength(2 * 64);
  for (const row of rows.slice(64)) {
    const index = Number(row.row) * 8 + Number(row.column);
    expect([row.method, row.class, row.against, row.step]).toEqual(['integratedGradients', '3', '1', '10']);
    expect(Number(row.attribution)).toBe(map!.values![index]);
    expect(Number(row.input)).toBe(example!.values[index]);
  }

  const png = await saved('png');
  expect(png.name).toBe('vitrine-maps-step-10.png');
  const bytes = new Uint8Array(await png.blob.arrayBuffer());
  expect(JSON.parse((await textOf(bytes, 'vitrine-maps'))!)).toEqual(file);
  const bitmap = await createImageBitmap(png.blob);
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  // Third of three tiles of 270 pixels; a cell of an 8 × 8 map is 31 pixels wide.
  const end = view.end!;
  for (const index of [0, 12, 27, 35, 63]) {
    const [x, y] = [18 + 2 * 270 + 31 * (index % 8) + 15, 18 + 21 + 31 * Math.floor(index / 8) + 15];
    const expected = colorOf(map!.values![index]!, blueOrange, [-end, end]);
    expect([...context.getImageData(x, y, 1, 1).data].slice(0, 3), `cell ${index}`).toEqual([...expected].slice(0, 3));
  }
  // The colour bar, from one end of the scale to the other, and words around it.
  const bar = context.getImageData(18 + 2 * 270, 18 + 21 + 252 + 6 + 5, 252, 1).data;
  const colors = new Set(Array.from({ length: 252 }, (_, i) => bar.slice(4 * i, 4 * i + 3).join()));
  expect(colors.size).toBeGreaterThan(100);
  expect([...bar.slice(0, 3)]).toEqual([...colorOf(-end, blueOrange, [-end, end])].slice(0, 3).map((c) => expect.closeTo(c, -1)));
  const words = context.getImageData(18 + 2 * 270, 18 + 21 + 252 + 6 + 10, 252, 60).data;
  expect(words.filter((value, i) => i % 4 === 0 && value < 128).length).toBeGreaterThan(200);
});

test('a pinned example is saved beside the chosen one', async () => {
  const { session } = await mount('#hidden=16&example=4&pinned=2&methods=saliency');
  await mapsThere(session);
  await until(() => session.snapshot.pinned?.cards[0]?.map !== undefined);
  const file = JSON.parse(await (await saved('json')).blob.text());
  expect(file.pinned.maps[0].values).toEqual(Array.from(session.snapshot.pinned!.cards[0]!.map!.values!));
  const alone = { width: 18 + 2 * 270 };
  const bitmap = await createImageBitmap((await saved('png')).blob);
  expect(bitmap.width).toBe(alone.width);
  expect(bitmap.height).toBeGreaterThan(2 * 320);
  const { data: rows } = Papa.parse<Record<string, string>>(await (await saved('csv')).blob.text(), { header: true, skipEmptyLines: true });
  expect(new Set(rows.map((row) => row.example))).toEqual(new Set(['chosen', 'pinned']));
});
