/**
 * What the tuner found, remembered: for each class of calls the variant that was fastest on this device. A choice is forgotten when the
 * device, the browser or a shader that took part is another. Loaded with the first compile of a device that has a store.
 */

import type { Device } from './device.ts';
import type { Call, KernelFamily, Variant } from './operation.ts';

/** A place for text under a key: localStorage, IndexedDB, a file. */
export interface TuningStore {
  load(key: string): string | null | undefined | Promise<string | null | undefined>;
  save(key: string, value: string): void | Promise<void>;
}

interface Choice {
  readonly variant: string;
  /** Of the names and the WGSL of all that were compared. */
  readonly hash: string;
}

type Choices = Record<string, Choice>;

const loaded = new WeakMap<TuningStore, Map<string, Promise<Choices>>>();

/** The variant that was fastest for a class of calls, where one is remembered and still holds. */
export async function remembered(device: Device, key: string, family: KernelFamily, call: Call): Promise<string | undefined> {
  const choice = (await choicesOf(device))[key];
  if (!choice) return undefined;
  return choice.hash === hashOf(await candidatesOf(device, family, call), call) ? choice.variant : undefined;
}

/** Keeps choices, beside those of other classes. */
export async function remember(
  device: Device,
  found: readonly { readonly key: string; readonly variant: string; readonly family: KernelFamily; readonly call: Call }[],
): Promise<void> {
  if (!device.tuning) return;
  const choices = await choicesOf(device);
  for (const { key, variant, family, call } of found) {
    choices[key] = { variant, hash: hashOf(await candidatesOf(device, family, call), call) };
  }
  await device.tuning.save(deviceKey(device), JSON.stringify(choices));
}

/** All variants that can serve a call on a device, the built-in choice first. */
export async function candidatesOf(device: Device, family: KernelFamily, call: Call): Promise<readonly Variant[]> {
  const all = [...family.variants, ...((await family.more?.()) ?? [])];
  return all.filter(({ needs, supports }) => (!needs || device.features.has(needs)) && (supports?.(call) ?? true));
}

/** What a choice depends on besides the shaders: vendor, architecture, browser version, features and limits. */
export function deviceKey({ info, limits, features }: Device): string {
  const everyLimit: Record<string, number> = {};
  // They are getters of the prototype.
  for (const name in limits) {
    const limit = limits[name as keyof GPUSupportedLimits];
    if (typeof limit === 'number') everyLimit[name] = limit;
  }
  const browser = globalThis.navigator?.userAgent ?? 'no browser';
  const rest = hash(
    JSON.stringify([info.vendor, info.architecture, info.device, info.description, browser, everyLimit, [...features].sort()]),
  );
  return `vitrine tuning ${info.vendor} ${info.architecture} ${rest}`;
}

function choicesOf(device: Device): Promise<Choices> {
  const store = device.tuning as TuningStore;
  const key = deviceKey(device);
  const ofStore = loaded.get(store) ?? new Map<string, Promise<Choices>>();
  loaded.set(store, ofStore);
  let choices = ofStore.get(key);
  if (!choices) {
    choices = Promise.resolve(store.load(key)).then(parse);
    choices.catch(() => ofStore.delete(key));
    ofStore.set(key, choices);
  }
  return choices;
}

/** What is no table of choices is none: another version wrote it, or a person. */
function parse(text: string | null | undefined): Choices {
  const choices: Choices = {};
  try {
    for (const [key, choice] of Object.entries(JSON.parse(text ?? '{}') as Record<string, Partial<Choice> | null>)) {
      if (typeof choice?.variant === 'string' && typeof choice.hash === 'string') choices[key] = choice as Choice;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  return choices;
}

const hashOf = (candidates: readonly Variant[], call: Call): string =>
  hash(candidates.map((variant) => `${variant.name}\n${variant.dispatch(call).kernel.source}`).join('\n'));

/** FNV-1a, 32 bits. Source: Fowler, Noll, Vo 1991. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return (value >>> 0).toString(16).padStart(8, '0');
}
