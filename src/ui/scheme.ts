/** Whether an element is drawn dark: as the page around it has chosen, and where it leaves the choice open, as the visitor prefers. */
export function isDark(element: Element): boolean {
  const schemes = getComputedStyle(element).colorScheme.split(' ');
  return schemes.includes('dark') && (!schemes.includes('light') || matchMedia('(prefers-color-scheme: dark)').matches);
}

/** What a variable of tokens.css comes to on an element, for a canvas, which takes no variables. */
export function token(element: Element, name: string): string {
  const value = getComputedStyle(element).getPropertyValue(name).trim();
  const [, light, dark] = /^light-dark\(([^,]+),\s*([^,]+)\)$/.exec(value) ?? [];
  return (isDark(element) ? dark : light) ?? value;
}
