export type AdapterKind = 'hardware' | 'software';
export type BrowserSource = 'VITRINE_BROWSER' | 'playwright' | 'system';
export interface BrowserLaunch {
  executablePath: string;
  args: string[];
  adapter: AdapterKind;
  source: BrowserSource;
}
type Environment = Record<string, string | undefined>;
export declare function systemBrowserPaths(platform?: string, environment?: Environment): string[];
export declare function findBrowser(environment?: Environment): Promise<{ path: string; source: BrowserSource } | undefined>;
export declare function mayHaveGpu(platform?: string): boolean;
export declare function browserArguments(adapter: AdapterKind): string[];
export declare function browserLaunch(environment?: Environment): Promise<BrowserLaunch>;
