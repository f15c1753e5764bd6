import Table from 'cli-table3';
import { printable } from './printable.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A plain table without lines: columns two blanks apart, text of tenants made safe. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const blank = ['top', 'bottom', 'left', 'mid', 'right'].flatMap((side) => [
    [side, ''],
    [`${side}-mid`, ''],
    [`${side}-left`, ''],
    [`${side}-right`, ''],
    [`mid-${side}`, ''],
  ]);
  const lines = new Table({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ align = 'left' }) => align),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: { ...Object.fromEntries(blank), middle: '' },
  });
  for (const row of rows) lines.push(row.map((cell) => printable(cell).replaceAll('\n', ' ')));
  return lines
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
