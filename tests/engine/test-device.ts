import { afterEach, expect } from 'vitest';
import { type Device, openDevice } from '../../src/engine/device.ts';

let shared: Promise<Device> | undefined;

/** The one device that tests share. Without an adapter this fails, and so does the test: it never skips. */
export function testDevice(): Promise<Device> {
  shared ??= openDevice();
  return shared;
}

/** Call at the top of a test file: fails the test in which WebGPU reported an error that nothing awaited. */
export function failOnGpuErrors(): void {
  afterEach(async () => {
    const device = await testDevice();
    await device.gpu.queue.onSubmittedWorkDone();
    expect(device.faults.map((fault) => fault.message)).toEqual([]);
  });
}
