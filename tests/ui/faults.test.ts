import { expect, test } from 'vitest';
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
  languageChoice.choose('zh');
  await expect.element(browser.getByRole('alert'), PATIENTLY).toHaveTextContent('这个浏览器没有 WebGPU');
  languageChoice.choose('en');
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
