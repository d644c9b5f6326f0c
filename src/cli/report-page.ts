/** What the HTML reports share: pages that hold everything they show, in light and dark. */

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] as string);

/** Three digits. */
export const digits = (value: number): string =>
  (value === 0 ? '0' : Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6 ? value.toPrecision(3) : value.toExponential(1)).replaceAll(
    '-',
    '−',
  );

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c1e26, #e6e8ee); --quiet: light-dark(#646a78, #9aa1b1); --line: light-dark(#d9dce3, #343946);
  --paper: light-dark(#ffffff, #14161c); --mark: light-dark(#2a5fa8, #82b1f2); }
body { font: 16px/1.5 Inter, "Helvetica Neue", Helvetica, Arial, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
img { max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line); }
svg { max-width: 100%; height: auto; font: 12px Inter, "Helvetica Neue", Helvetica, Arial, sans-serif; }
svg text { fill: var(--ink); } svg .quiet { fill: var(--quiet); } svg .line { stroke: var(--line); } svg .mark { fill: var(--mark); } svg .curve { fill: none; stroke: var(--mark); stroke-width: 1.5; }
svg .edge { fill: none; stroke: var(--quiet); } svg .whisker { stroke: var(--ink); } svg .box { fill: var(--paper); stroke: var(--quiet); } svg text.over { fill: var(--paper); }
table { border-collapse: collapse; width: 100%; } .wide { overflow-x: auto; } .wide svg { max-width: none; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem; border-bottom: 1px solid var(--line); } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; } td.number { white-space: nowrap; }
.quiet { color: var(--quiet); } .controls tr:first-child > * { border-top: 2px solid var(--ink); } .controls { color: var(--quiet); } pre { overflow-x: auto; font-size: .8rem; border: 1px solid var(--line); padding: .8rem; }
.beside { display: grid; grid-template-columns: minmax(0, 19rem) minmax(0, 1fr); gap: 2rem; } @media (max-width: 48rem) { .beside { grid-template-columns: minmax(0, 1fr); } }
.many { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; } figure { margin: 0; } figcaption { font-size: .875rem; }
`;

/** A page with nothing to fetch. */
export const reportPage = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
