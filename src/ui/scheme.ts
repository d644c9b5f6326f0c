import type { ReactiveControllerHost } from 'lit';

const DARK = '(prefers-color-scheme: dark)';

/** Tells an element in the document when the visitor comes to prefer light or dark: what is drawn on a canvas is then drawn anew. */
export function whenSchemeChanges(host: ReactiveControllerHost, changed: () => void = () => host.requestUpdate()): void {
  const dark = matchMedia(DARK);
  host.addController({
    hostConnected: () => dark.addEventListener('change', changed),
    hostDisconnected: () => dark.removeEventListener('change', changed),
  });
}

/** Whether an element is drawn dark: as the page around it has chosen, and where it leaves the choice open, as the visitor prefers. */
export function isDark(element: Element): boolean {
  const schemes = getComputedStyle(element).colorScheme.split(' ');
  return schemes.includes('dark') && (!schemes.includes('light') || matchMedia(DARK).matches);
}

/** What a variable of tokens.css comes to on an element, for a canvas, which takes no variables. */
export function token(element: Element, name: string): string {
  const value = getComputedStyle(element).getPropertyValue(name).trim();
  const [, light, dark] = /^light-dark\(([^,]+),\s*([^,]+)\)$/.exec(value) ?? [];
  return (isDark(element) ? dark : light) ?? value;
}
