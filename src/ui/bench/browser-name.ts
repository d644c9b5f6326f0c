/** `Chromium 156 on Linux`: what the browser says of itself, for a report that someone else will read. */
export function browserName(): string {
  const { userAgent } = navigator;
  const brands = (navigator as { userAgentData?: { brands: { brand: string; version: string }[]; platform: string } }).userAgentData;
  const told = brands?.brands.filter(({ brand }) => !/not.*brand/i.test(brand)).sort((a, b) => rank(b.brand) - rank(a.brand))[0];
  const [, name, version] = told
    ? ['', told.brand, told.version]
    : (/(Firefox)\/(\d+)/.exec(userAgent) ?? /(HeadlessChrome|Edg|Chrome)\/(\d+)/.exec(userAgent) ?? safari(userAgent) ?? []);
  const system =
    brands?.platform ||
    (/Android|iPhone|iPad|Windows|Mac OS X|CrOS|Linux/.exec(userAgent)?.[0] ?? '').replace('Mac OS X', 'macOS').replace('CrOS', 'ChromeOS');
  return [name && `${name} ${version}`, system && `on ${system}`].filter(Boolean).join(' ') || userAgent;
}

/** Edge and Chrome are Chromium, too: the more exact name counts. */
const rank = (brand: string): number => (brand === 'Chromium' ? 0 : 1);

function safari(userAgent: string): string[] | undefined {
  const version = /Version\/([\d.]+).*Safari/.exec(userAgent)?.[1];
  return version === undefined ? undefined : ['', 'Safari', version];
}
