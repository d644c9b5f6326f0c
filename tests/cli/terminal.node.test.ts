import { expect, test } from 'vitest';
import { clock, createProgress, epochLine, progressBar, progressLine, tunedLines } from '../../src/cli/terminal.ts';
import type { ProgressEvent } from '../../src/cli/train-task.ts';

const event: ProgressEvent = {
  kind: 'progress',
  epoch: 3,
  epochs: 10,
  step: 750,
  steps: 1500,
  loss: 0.29314,
  accuracy: 0.91531,
  samplesPerSecond: 14211.7,
  secondsLeft: 81.4,
};

test('the moving line shows epoch, bar, step, loss, accuracy, speed and time left, and fits the terminal', () => {
  const line = progressBar(event, 120);
  expect(line).toBe(`epoch  3/10  ${'━'.repeat(16)}${'─'.repeat(16)}    750/1,500  loss 0.2931  accuracy 0.9153  14,212/s  1:21 left`);
  for (let columns = 1; columns < 140; columns++) expect(progressBar(event, columns).length).toBeLessThan(Math.max(columns, 1));
});

test('without a terminal each tenth of an epoch gets one plain line', () => {
  const written: string[] = [];
  const progress = createProgress({ write: (text) => written.push(text) });
  progress.stage('Loading');
  for (let step = 1; step <= 1500; step++) progress.update({ ...event, step });
  progress.end();
  const lines = written.filter((text) => text !== '');
  expect(lines).toHaveLength(10);
  expect(lines[0]).toBe(`${progressLine({ ...event, step: 1 })}\n`);
  expect(written.join('')).not.toContain('\u001b');
});

test('on a terminal the moving line is replaced, and a line that stays clears it first', () => {
  const written: string[] = [];
  const progress = createProgress({ write: (text) => written.push(text), isTTY: true, columns: 60 });
  progress.update(event);
  progress.line('done');
  expect(written[0]?.startsWith('\r\u001b[K')).toBe(true);
  expect(written[1]).toBe('\r\u001b[Kdone\n');
});

test('a finished epoch shows its means and what was validated', () => {
  const epoch = { kind: 'epoch', epoch: 1, epochs: 10, loss: 0.3, accuracy: 0.91, seconds: 3.21 } as const;
  expect(epochLine(epoch)).toBe('epoch  1/10  loss 0.3000  accuracy 0.9100  3.2 s');
  expect(epochLine({ ...epoch, validationLoss: 0.17, validationAccuracy: 0.952 })).toBe(
    'epoch  1/10  loss 0.3000  accuracy 0.9100  validation accuracy 0.9520  3.2 s',
  );
});

test('time is m:ss, with hours where there are any', () => {
  expect([0, 9.6, 61, 3661, Number.POSITIVE_INFINITY].map(clock)).toEqual(['0:00', '0:10', '1:01', '1:01:01', '–:––']);
});

test('what the tuner found is a line a class, with the times of those not chosen', () => {
  const trials = [
    { variant: 'quads', milliseconds: 0.8, timed: 1 },
    { variant: 'register8x8', milliseconds: 1.25, timed: 0.5 },
    { variant: 'block64x64', milliseconds: null, timed: 0, failure: 'too large' },
  ];
  expect(tunedLines([{ key: 'affine nn 784→128', before: 'quads', chosen: 'quads', trials }])).toBe(
    'tuned affine nn 784→128  quads 0.800 ms, not register8x8 1.25, block64x64 failed',
  );
});
