/** The rows as a calm table with bars, for a terminal of any width. */

import type { AdapterFigures } from './adapter.ts';
import { contenders } from './contender.ts';
import type { KernelProfile } from './roofline.ts';
import type { Row } from './suite.ts';

export interface TableStyle {
  /** Columns of the terminal. */
  readonly columns: number;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bar: (text: string) => string;
}

const PLAIN: TableStyle = { columns: 100, bold: (text) => text, dim: (text) => text, bar: (text) => text };

/** Three significant digits, thousands apart: 15,200, 6.54, 0.0421. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const rounded = Number(value.toPrecision(3));
  return digits > 0 ? rounded.toFixed(Math.min(digits, 4)) : rounded.toLocaleString('en-US');
}

/** How a row stands to the baseline, in words: `14.2 × faster`, `a third`; empty for the baseline itself. */
export function comparison(row: Row): string {
  const ratio = row.ratioToBaseline;
  return ratio === null ? '' : `${ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)} ×`;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar `share` (0 to 1) of `width` columns long. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  return '█'.repeat(eighths >> 3) + (EIGHTHS[eighths & 7] as string);
}

/** Rows that are drawn to one scale: the same workload in the same unit. */
export function groups(rows: readonly Row[]): Row[][] {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.workload}, ${row.unit}`;
    found.set(key, [...(found.get(key) ?? []), row]);
  }
  return [...found.values()];
}

/** The table; a workload that failed says why in its own line. */
export function formatTable(rows: readonly Row[], style: TableStyle = PLAIN): string {
  const names = rows.map(({ contender }) => contenders[contender].title);
  const nameWidth = Math.max(0, ...names.map((name) => name.length));
  const ranges = rows.map((row) =>
    row.min === null || row.max === null || row.repeats < 2 ? '' : `${figure(row.min)}–${figure(row.max)}`,
  );
  const medianWidth = Math.max(0, ...rows.map((row) => (row.median === null ? 0 : figure(row.median).length)));
  const ratioWidth = Math.max(0, ...rows.map((row) => comparison(row).length));
  const rangeWidth = Math.max(0, ...ranges.map((range) => range.length));
  const barWidth = Math.max(0, Math.min(40, style.columns - 2 - nameWidth - medianWidth - ratioWidth - rangeWidth - 8));
  const lines: string[] = [];
  for (const group of groups(rows)) {
    const [first] = group as [Row];
    const best = Math.max(...group.map(({ median }) => median ?? 0));
    lines.push(style.bold(first.workload) + style.dim(`  ${first.unit}${first.better === 'lower' ? ', less is better' : ''}`));
    for (const row of group) {
      const name = contenders[row.contender].title.padEnd(nameWidth);
      if (row.median === null) {
        lines.push(`  ${name}  ${style.dim(row.failure ?? 'not measured')}`);
        continue;
      }
      const drawn = bar(best > 0 ? row.median / best : 0, barWidth);
      lines.push(
        [
          `  ${name}`,
          figure(row.median).padStart(medianWidth),
          comparison(row).padStart(ratioWidth),
          style.bar(drawn) + ' '.repeat(barWidth - drawn.length),
          style.dim(ranges[rows.indexOf(row)] as string),
        ]
          .join('  ')
          .trimEnd(),
      );
      if (row.note !== undefined) lines.push(`  ${' '.repeat(nameWidth)}  ${style.dim(row.note)}`);
    }
    lines.push('');
  }
  return lines.join('\n');
}

/** A finished workload in one line, while the others still run. */
export function formatBrief(rows: readonly Row[]): string {
  return groups(rows)
    .map((group) => {
      const [{ workload, unit }] = group as [Row];
      const parts = group.map(({ contender, median }) => `${contenders[contender].title} ${median === null ? '–' : figure(median)}`);
      return `${workload}: ${parts.join(', ')} ${unit}`;
    })
    .join('\n');
}

/** What the adapter can do. */
export function formatAdapter(adapter: AdapterFigures, style: TableStyle = PLAIN): string {
  const facts = [
    `multiply-add ${figure(adapter.multiplyAddGflops)} GFLOP/s`,
    `copy ${figure(adapter.copyGigabytesPerSecond)} GB/s by a kernel, ${figure(adapter.transferGigabytesPerSecond)} GB/s by the queue`,
    `dispatch ${figure(adapter.dispatchMicroseconds)} µs`,
    `submit ${figure(adapter.submitMicroseconds)} µs`,
  ];
  return `${style.bold(adapter.name)}\n  ${facts.join('\n  ')}\n`;
}

/** The kernels of each profiled workload, a line each, against the adapter's limits. */
export function formatProfile(profile: readonly KernelProfile[], style: TableStyle = PLAIN): string {
  const head = ['kernel', 'variant', 'µs', 'share', 'GFLOP/s', 'GB/s', 'FLOP/B', 'limit', 'of it'];
  const lines: string[] = [];
  for (const workload of new Set(profile.map((row) => row.workload))) {
    const rows = profile.filter((row) => row.workload === workload);
    const cells = rows.map((row) => [
      row.kernel,
      row.variant,
      figure(1000 * row.milliseconds),
      `${Math.round(100 * row.share)} %`,
      figure(row.gflops),
      figure(row.gigabytesPerSecond),
      figure(row.intensity),
      row.bound,
      `${Math.round(100 * row.ofLimit)} %`,
    ]);
    const widths = head.map((name, column) => Math.max(name.length, ...cells.map((row) => (row[column] as string).length)));
    const line = (row: readonly string[]): string =>
      row
        .map((cell, column) =>
          column < 2 || column === 7 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
        )
        .join('  ');
    const total = rows.reduce((sum, row) => sum + row.milliseconds, 0);
    lines.push(style.bold(workload) + style.dim(`  ${figure(1000 * total)} µs of kernels a step`), style.dim(`  ${line(head)}`));
    lines.push(...cells.map((row) => `  ${line(row)}`), '');
  }
  return lines.join('\n');
}
