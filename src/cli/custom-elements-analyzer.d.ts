/** What the analyzer's own types leave out. */
declare module '@custom-elements-manifest/analyzer/src/features/framework-plugins/lit/lit.js' {
  export function litPlugin(): object[];
}

declare module '@custom-elements-manifest/analyzer/index.js' {
  /** The TypeScript that the analyzer brings along. */
  export const ts: {
    createSourceFile(name: string, text: string, target: number, setParentNodes: boolean): object;
    readonly ScriptTarget: { readonly ES2022: number };
  };
  export function create(options: { modules: readonly object[]; plugins: readonly object[] }): unknown;
}
