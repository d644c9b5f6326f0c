import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CommandError } from './command-error.ts';

/** What a system call said, for a person. */
function reasonOf(error: unknown): string {
  const { code = '', message, path = '' } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'it is not allowed here',
    EPERM: 'it is not allowed here',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no room is left',
    EDQUOT: 'no room is left',
    ENOTDIR: 'there is a file where a folder should be',
    EEXIST: 'there is a file where a folder should be',
    EISDIR: 'there is a folder of that name',
    ENOENT: `${path || 'a folder above it'} cannot be made`,
    ENAMETOOLONG: 'the name is too long',
  };
  return reasons[code] ?? message;
}

/** One folder after the other: where the system refuses one, mkdir's own `recursive` may try for ever (in /proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another command may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !existsSync(path)) throw error;
  }
}

/**
 * Makes the folder that a command was told to write to and tries it: before the work, which may take long, and not after it.
 *
 * @throws CommandError that names the option
 */
export function openOutputFolder(folder: string, option = 'out'): void {
  try {
    makeFolder(resolve(folder));
    // Permissions do not tell everything: root may write where the file system may not.
    rmdirSync(mkdtempSync(join(resolve(folder), '.vitrine-')));
  } catch (error) {
    throw new CommandError(
      `--${option} is ${folder}, where nothing can be written: ${reasonOf(error)}.`,
      `name a folder that you may write to, such as --${option} out.`,
    );
  }
}

/**
 * Tries whether a file can be written, and leaves it as it is.
 *
 * @throws CommandError
 */
export function requireWritable(path: string): void {
  const existed = existsSync(path);
  try {
    closeSync(openSync(path, 'a'));
    if (!existed) rmSync(path);
  } catch (error) {
    throw new CommandError(`${path} cannot be written: ${reasonOf(error)}.`, `make ${basename(path)} and its folder writable.`);
  }
}

/**
 * Writes files by name into a folder. Returns their paths as a person would type them.
 *
 * @throws CommandError
 */
export function writeOutputs(folder: string, files: Readonly<Record<string, Uint8Array | string>>): string[] {
  return Object.entries(files).map(([name, content]) => {
    const path = join(folder, name);
    try {
      // It may have been swept away meanwhile.
      makeFolder(resolve(folder));
      writeFileSync(path, content);
    } catch (error) {
      throw new CommandError(`${path} could not be written: ${reasonOf(error)}.`, 'make room for it, or name another folder with --out.');
    }
    return path;
  });
}
