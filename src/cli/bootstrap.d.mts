import type { BrowserSource } from './browser.d.mts';

export declare const repository: string;
interface LockFile {
  packages?: Record<string, { version?: string; optional?: boolean }>;
}
export declare function missingPackages(lock: LockFile | undefined, installed: LockFile | undefined): string[];
export declare function ensureModules(): void;
export declare function ensureBrowser(): Promise<{ path: string; source: BrowserSource }>;
