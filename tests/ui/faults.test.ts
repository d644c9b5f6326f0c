import { describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { openDevice, VitrineError } from '../../src/engine/index.ts';
import { languageChoice } from '../../src/ui/language.ts';
import { painterOf } from '../../src/ui/maps/map-painter.ts';
import { testDevice } from '../engine/test-device.ts';
import { clearAfterEach, data, inside, mount, PATIENTLY, settled, until } from './mounted-page.ts';

clearAfterEach();

const noWebGpu = new VitrineError('no-webgpu', 'This browser has no WebGPU (navigator.gpu is missing).', 'use a current browser.');

test('a browser without WebGPU is told what to do, in its language, and may try again', async () => {
  let opens = 0;
  const { page, training } = await mount('', {
    openDevice: () => {
      opens += 1;
      return opens === 1 ? Promise.reject(noWebGpu) : testDevice();
    },
  });
  await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('This browser has no WebGPU');
  await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('To mend: use a current browser.');
  await languageChoice.choose('zh');
  await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('这个浏览器没有 WebGPU');
  await languageChoice.choose('en');
  await userEvent.click(browser.getByRole('button', { name: 'Try again' }));
  await settled(training);
  expect(training.phase).toBe('ready');
  expect(inside(page, 'vitrine-notices').shadowRoot!.querySelector('[role=alert]')).toBeNull();
});

test('data that cannot be had is said, and loaded when it is tried again', async () => {
  let loads = 0;
  const { training } = await mount('', {
    loadData: async () => {
      loads += 1;
      if (loads === 1) throw new VitrineError('bad-file', 'mnist: /train-images answered 404.', 'check the address.');
      return data;
    },
  });
  await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('answered 404');
  await training.retry();
  expect(training.phase).toBe('ready');
});

test('an error that is none of the engine is said too', async () => {
  await mount('', { loadData: () => Promise.reject(new Error('a plug was pulled')) });
  await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('Something went wrong: a plug was pulled');
});

test('training that diverges stops, names the tensor, and goes on with a lower rate', async () => {
  const { training } = await mount('#rate=1e25');
  await training.start();
  await until(() => training.fault !== undefined);
  await expect
    .element(browser.getByRole('alert'), PATIENTLY)
    .toHaveTextContent(/Training stopped before step \d+: \S+ holds a value that is not finite/);
  await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('To mend: lower the learning rate');
  expect(training.isRunning).toBe(false);
  await training.reset();
  expect(training.fault).toBeUndefined();
  training.change({ rate: 0.001 });
  await training.single();
  expect(training.step).toBe(1);
});

test('a batch larger than the data is refused, and what was trained stays', async () => {
  const { training } = await mount();
  await training.single();
  training.change({ batch: 4000 });
  await training.reset();
  await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('a batch of 4000 is larger than the 320 training examples');
  expect(training.step).toBe(1);
  training.change({ batch: 32 });
  await training.single();
  expect(training.step).toBe(2);
});

test('a lost GPU is replaced: the page says so, keeps every step and draws again', async () => {
  const device = await openDevice();
  try {
    const { page, session, training } = await mount('', { openDevice: async () => device });
    for (let i = 0; i < 3; i++) await training.single();
    device.simulateLoss();
    await until(() => training.recoveredAt !== undefined && training.step === 3);
    await expect.element(browser.getByText(/The GPU was lost and has been replaced/), PATIENTLY).toBeVisible();
    await training.single();
    expect(training.step).toBe(4);
    expect(training.run!.history.steps).toBe(4);
    const painter = painterOf(device);
    const { drawings } = painter;
    session.send({ do: 'choose', choices: { example: { kind: 'test', index: 3 } } });
    await until(() => painter.drawings > drawings);
    await session.looked();
    expect(session.snapshot.cards.every(({ map, fault }) => map?.step === 4 && fault === undefined)).toBe(true);
    expect(page.isConnected).toBe(true);
    expect(device.faults.map(String)).toEqual([]);
  } finally {
    device.destroy();
  }
});

test('a GPU that is gone for good leaves the network, which goes on after trying again', async () => {
  let adapters = 1;
  const device = await openDevice({
    requestDevice: async () => {
      adapters -= 1;
      if (adapters < 0) throw new Error('no adapter');
      return (await navigator.gpu.requestAdapter())!.requestDevice();
    },
  });
  let opens = 0;
  const { training } = await mount('', {
    openDevice: () => {
      opens += 1;
      return opens === 1 ? Promise.resolve(device) : testDevice();
    },
  });
  for (let i = 0; i < 3; i++) await training.single();
  device.simulateLoss();
  await until(() => training.phase === 'closed');
  await expect.element(browser.getByText('The network of step 3 is kept and will go on from there.'), PATIENTLY).toBeVisible();
  await userEvent.click(browser.getByRole('button', { name: 'Try again' }));
  await until(() => training.phase === 'paused');
  expect(training.step).toBe(3);
  await training.single();
  expect(training.run!.history.steps).toBe(4);
});

describe('broken in mid-training, in Chinese: a message with a remedy, and the drawing and the run survive', () => {
  const drawn = { kind: 'drawn', strokes: [[60, 60, 120, 200]], centred: true } as const;
  const drop = (page: Element, ...files: File[]): void => {
    const data = new DataTransfer();
    for (const file of files) data.items.add(file);
    page.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  };
  const broken: readonly (readonly [what: string, files: () => File[], said: string])[] = [
    ['a ragged table', () => [new File(['a,b,label\n1,2,x\n3,y\n'], 'ragged.csv')], 'ragged.csv：第 3 行有 2 个单元格'],
    ['a table with a word for a number', () => [new File(['a,label\n1,x\nzwei,y\n'], 'word.csv')], 'word.csv：第 3 行“a”列'],
    [
      'a truncated IDX file',
      () => [new File([new Uint8Array([0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2])], 'cut-idx3-ubyte')],
      'cut-idx3-ubyte：长度不对，应有 7,072 字节，实有 18 字节。',
    ],
    ['what is no table', () => [new File(['hello'], 'a.txt')], 'a.txt 不是表格'],
    [
      'images without labels',
      () => [new File([new Uint8Array([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7])], 'alone')],
      '标签须一起给出',
    ],
  ];

  test.each(broken)('%s', async (_what, files, said) => {
    const { page, session, training } = await mount('#epochs=1000');
    await languageChoice.choose('zh');
    session.send({ do: 'choose', choices: { example: drawn } });
    await training.start();
    await until(() => training.step > 3);
    drop(page, ...files());
    await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent(said);
    await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('解决办法');
    const { step } = training;
    await until(() => training.step > step);
    expect(training.isRunning).toBe(true);
    expect(session.snapshot.choices.example).toEqual(drawn);
    expect(training.settings.data).toBe('mnist');
    await training.pause();
  });

  test('a file of 3 GB is refused before it is read', async () => {
    const { page, session } = await mount();
    await languageChoice.choose('zh');
    const file = new File(['x'], 'huge-idx3-ubyte');
    Object.defineProperty(file, 'size', { value: 3e9 });
    file.arrayBuffer = () => Promise.reject(new Error('it was read'));
    session.send({ do: 'data', files: [file] });
    await expect
      .element(browser.getByRole('alert'), PATIENTLY)
      .toHaveTextContent('huge-idx3-ubyte 有 3,000,000,000 字节；本页最多读取 536,870,912 字节的文件。 解决办法：请只给出其中一部分。');
    expect(page.isConnected).toBe(true);
  });

  test('a rate of 1e9', async () => {
    const { session, training } = await mount('#epochs=1000');
    await languageChoice.choose('zh');
    session.send({ do: 'choose', choices: { example: drawn } });
    await training.start();
    await until(() => training.step > 3);
    session.send({ do: 'recipe', changes: { rate: 1e9 } });
    await until(() => training.fault !== undefined || training.step > 400);
    await training.pause();
    // It overflows, or it diverges in finite numbers: that is up to the data. Either way the page lives, says so, and goes back.
    await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('解决办法：请降低学习率');
    await training.reset();
    session.send({ do: 'recipe', changes: { rate: 0.001 } });
    await training.single();
    await session.looked();
    expect(training.step).toBe(1);
    expect(session.snapshot.choices.example).toEqual(drawn);
    expect(Number.isFinite(session.snapshot.prediction!.logits[0])).toBe(true);
  });

  test('a loss that has come to nothing is said once, with what to do, while training goes on', async () => {
    const { session, training } = await mount('#epochs=1000&hidden=16');
    for (let i = 0; i < 2; i++) await training.single();
    // The last bias alone: the loss stays finite, however large.
    training.run!.model.parameters.get('dense_2/bias')!.write(Float32Array.from({ length: 10 }, (_, k) => (k === 0 ? 1e9 : 0)));
    await training.single();
    expect((session.snapshot.fault as VitrineError).code).toBe('diverging-training');
    await expect
      .element(browser.getByRole('alert'), PATIENTLY)
      .toHaveTextContent(/Training diverges: at step 3 the loss has come to \d\.\de\+8/);
    await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent(/To mend: lower the learning rate and reset/);
    training.putAway('fault');
    await training.single();
    expect(session.snapshot.fault).toBeUndefined();
    // Anew after a reset.
    await training.reset();
    await training.single();
    training.run!.model.parameters.get('dense_2/bias')!.write(Float32Array.from({ length: 10 }, (_, k) => (k === 0 ? 1e9 : 0)));
    await training.single();
    expect((session.snapshot.fault as VitrineError).code).toBe('diverging-training');
  });

  test('what goes wrong while the recipe is open is said in the recipe', async () => {
    const { page, session } = await mount();
    await userEvent.click(browser.getByRole('button', { name: /Change$/ }));
    // The recipe comes when it is first opened.
    await expect
      .poll(() => page.shadowRoot!.querySelector('studio-recipe')?.shadowRoot?.querySelector('dialog')?.open, PATIENTLY)
      .toBe(true);
    const dialog = inside<HTMLDialogElement>(page, 'studio-recipe', 'dialog');
    session.send({ do: 'data', files: [new File(['a,b\n1,2\n3\n'], 'ragged.csv', { type: 'text/csv' })] });
    await expect
      .poll(() => dialog.querySelector('vitrine-notices')?.shadowRoot?.textContent, PATIENTLY)
      .toMatch(/ragged\.csv(.|\n)*To mend/);
    dialog.querySelector('vitrine-notices')!.shadowRoot!.querySelector<HTMLElement>('.close')!.click();
    await expect.poll(() => dialog.querySelector('vitrine-notices'), PATIENTLY).toBeNull();
  });

  test('20 quick resets', async () => {
    const { session, training } = await mount('#epochs=1000');
    session.send({ do: 'choose', choices: { example: drawn } });
    await training.start();
    await until(() => training.step > 3);
    for (let i = 0; i < 20; i++) session.send({ do: 'reset' });
    await until(() => training.phase === 'ready' && training.step === 0);
    await training.single();
    await session.looked();
    expect(training.step).toBe(1);
    expect(session.snapshot.prediction!.step).toBe(1);
    expect(session.snapshot.choices.example).toEqual(drawn);
    expect(training.fault).toBeUndefined();
  });
});

test('a table of one’s own is trained on, its rows shown and explained, and named by its hash', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${(i * 7) % 11},${(i * 3) % 5},${(i * 7) % 11 > 5 ? 'high' : 'low'}`);
  const { page, session, training } = await mount('#hidden=8');
  await training.single();
  session.send({ do: 'data', files: [new File([`size,noise,class\n${rows.join('\n')}\n`], 'mine.csv')] });
  await until(() => training.settings.data.startsWith('own:') && training.phase === 'ready');
  await session.looked();
  expect(session.snapshot.example!.shape).toEqual([2]);
  expect(location.hash).toMatch(/data=own:[0-9a-f]{8}/);
  for (let i = 0; i < 30; i++) await training.single();
  await session.looked();
  await page.updateComplete;
  const table = inside(page, 'studio-example', '.table');
  expect([...table.querySelectorAll('tbody th')].map((cell) => cell.textContent)).toEqual(['size', 'noise']);
  // A value is edited in its own units, and the answer follows.
  const before = session.snapshot.prediction!.probabilities.slice();
  const field = table.querySelector('input')!;
  await userEvent.fill(field, field.value === '10' ? '0' : '10');
  await userEvent.tab();
  await until(() => session.snapshot.choices.example.kind === 'edited');
  await session.looked();
  expect([...session.snapshot.prediction!.probabilities]).not.toEqual([...before]);
});
