import { expect, test } from 'vitest';
import { buildModel, dense, flatten } from '../../../src/engine/index.ts';
import { networkSummary } from '../../../src/explain/model/network-summary.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';

failOnGpuErrors();

test('networkSummary says what goes in and comes out of each layer, as data, a table and a flowchart', async () => {
  const model = await buildModel(await testDevice(), {
    inputShape: [4, 4],
    layers: [flatten(), dense(8, { activation: 'relu' }), dense(3)],
  });
  const summary = networkSummary(model);
  expect([summary.parameterCount, summary.bytes]).toEqual([163, 652]);
  expect(summary.layers.map(({ name, inputShape, outputShape }) => [name, inputShape, outputShape])).toEqual([
    ['flatten_1', [4, 4], [16]],
    ['dense_1', [16], [8]],
    ['dense_2', [8], [3]],
  ]);
  expect(summary.layers[1]?.parameters).toEqual([
    { name: 'dense_1/weight', shape: [16, 8] },
    { name: 'dense_1/bias', shape: [8] },
  ]);
  expect(summary.layers.reduce((sum, { parameterCount }) => sum + parameterCount, 0)).toBe(163);
  expect(summary.table()).toContain('Total parameters: 163');
  expect(summary.mermaid()).toBe(
    [
      'flowchart TD',
      '  input(["input"]) -->|"[4, 4]"| l0["flatten_1"]',
      '  l0 -->|"[16]"| l1["dense_1 relu<br/>136 parameters"]',
      '  l1 -->|"[8]"| l2["dense_2<br/>27 parameters"]',
      '  l2 -->|"[3]"| output(["output"])',
    ].join('\n'),
  );
  expect(JSON.parse(JSON.stringify(summary))).toMatchObject({ inputShape: [4, 4], parameterCount: 163 });
  model.dispose();
});
