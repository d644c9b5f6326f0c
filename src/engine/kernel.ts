/**
 * A kernel is one entry point of a WGSL file. Descriptors say, the device does: nothing here touches a GPU. Binding numbers, access
 * modes and the layout of the parameter struct are read from the WGSL itself, so the shader is the only place that states them.
 */

import { internal } from './errors.ts';

export interface Kernel {
  /** `file.entry`, the label of everything made from it. */
  readonly name: string;
  readonly source: string;
  readonly entry: string;
  /** Names of the storage variables this entry uses: inputs first, then outputs. */
  readonly bindings: readonly string[];
}

/**
 * Describes an entry point.
 *
 * @param file name of the .wgsl file without its ending
 * @param source its text; a library such as random.wgsl may be put in front
 * @param bindings names of the storage variables, in the order in which a step lists its inputs and outputs
 */
export function kernel(file: string, source: string, entry: string, bindings: readonly string[]): Kernel {
  return { name: `${file}.${entry}`, source, entry, bindings };
}

export type Access = 'read' | 'read_write';

export interface Field {
  readonly name: string;
  readonly type: 'u32' | 'i32' | 'f32';
  /** 1, or 4 for a vec4. */
  readonly width: 1 | 4;
  /** Byte offset in the struct. */
  readonly offset: number;
}

export interface KernelInterface {
  /** One for each of the kernel's bindings, in its order. */
  readonly bindings: readonly { readonly name: string; readonly binding: number; readonly access: Access }[];
  /** Fields of `struct Params`, empty where the file has none. */
  readonly fields: readonly Field[];
  /** Size of the parameter struct in bytes, a multiple of 16. */
  readonly parameterBytes: number;
}

const interfaces = new WeakMap<Kernel, KernelInterface>();

/** Reads a kernel's binding numbers, access modes and parameter layout from its WGSL. */
export function kernelInterface(of: Kernel): KernelInterface {
  let found = interfaces.get(of);
  if (!found) {
    found = readInterface(of);
    interfaces.set(of, found);
  }
  return found;
}

function readInterface(of: Kernel): KernelInterface {
  const source = of.source.replace(/\/\/.*$/gm, '');
  const declared = new Map<string, { binding: number; access: Access }>();
  for (const match of source.matchAll(/@group\(0\)\s*@binding\((\d+)\)\s*var<storage(?:,\s*(read_write|read))?>\s*(\w+)/g)) {
    declared.set(match[3] as string, { binding: Number(match[1]), access: (match[2] as Access | undefined) ?? 'read' });
  }
  const bindings = of.bindings.map((name) => {
    const found = declared.get(name);
    if (!found) throw internal('kernel.ts', `${of.name} binds ${name}, which its WGSL does not declare`);
    return { name, ...found };
  });
  const fields: Field[] = [];
  let offset = 0;
  const struct = /struct\s+Params\s*\{([^}]*)\}/.exec(source);
  for (const match of (struct?.[1] ?? '').matchAll(/(\w+)\s*:\s*(vec4<)?([uif]32)>?/g)) {
    const width = match[2] ? 4 : 1;
    if (width === 4) offset = Math.ceil(offset / 16) * 16;
    fields.push({ name: match[1] as string, type: match[3] as Field['type'], width, offset });
    offset += 4 * width;
  }
  return { bindings, fields, parameterBytes: Math.max(16, Math.ceil(offset / 16) * 16) };
}

export type ParameterValues = Readonly<Record<string, number | readonly number[]>>;

/** Writes a parameter struct; every field must be given, and nothing else. */
export function writeParameters(of: Kernel, values: ParameterValues, into: DataView, at: number): void {
  const { fields } = kernelInterface(of);
  for (const name of Object.keys(values)) {
    if (!fields.some((field) => field.name === name)) throw internal('kernel.ts', `${of.name} has no parameter ${name}`);
  }
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined) throw internal('kernel.ts', `${of.name} needs the parameter ${field.name}`);
    const list = typeof value === 'number' ? [value] : value;
    if (list.length !== field.width)
      throw internal('kernel.ts', `${of.name}: ${field.name} takes ${field.width} values, not ${list.length}`);
    list.forEach((item, i) => {
      const where = at + field.offset + 4 * i;
      if (field.type === 'f32') into.setFloat32(where, item, true);
      else if (field.type === 'i32') into.setInt32(where, item, true);
      else into.setUint32(where, item, true);
    });
  }
}

/** Most workgroups WebGPU dispatches along one axis. */
export const MOST_WORKGROUPS = 65535;

export type Workgroups = readonly [number, number, number];

/**
 * Workgroups for `count` invocations of `perGroup` each, folded into y beyond 65,535. A kernel recovers its linear group as
 * `group.y * groups.x + group.x` (workgroup_id, num_workgroups) and guards its end.
 */
export function linearWorkgroups(count: number, perGroup: number): Workgroups {
  const groups = Math.max(1, Math.ceil(count / perGroup));
  if (groups <= MOST_WORKGROUPS) return [groups, 1, 1];
  const rows = Math.ceil(groups / MOST_WORKGROUPS);
  return [Math.ceil(groups / rows), rows, 1];
}
