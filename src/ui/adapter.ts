import type { Device } from '../engine/index.ts';

/** `nvidia ampere`: what the browser tells of the adapter; empty where it tells nothing. */
export function adapterName({ info }: Device): string {
  return [info.vendor, info.architecture, info.description].filter(Boolean).join(' ');
}

/** Whether the CPU plays the GPU, so that every drawing takes time from training. */
export function isSoftware({ info }: Device): boolean {
  return (
    info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${info.architecture} ${info.description} ${info.device}`)
  );
}

/** Least time between two drawings that only follow training: on a software adapter they are rare. */
export const pace = (device: Device | undefined, milliseconds: number): number =>
  device && isSoftware(device) ? 12 * milliseconds : milliseconds;
