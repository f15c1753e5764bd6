import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Instant, utcDay } from '../../values/instant.ts';

/** A file of the records that came in during one UTC day; a day that grew too large has several parts. */
export interface LogFileName {
  readonly day: Instant;
  /** From 1. */
  readonly part: number;
}

export function printLogFileName({ day, part }: LogFileName): string {
  const date = new Date(day).toISOString().slice(0, 10);
  return part === 1 ? `logs-${date}.db` : `logs-${date}.${part}.db`;
}

export function logFilePath(folder: string, name: LogFileName): string {
  return join(folder, printLogFileName(name));
}

/** The order of their making. */
export function compareLogFiles(a: LogFileName, b: LogFileName): number {
  return a.day - b.day || a.part - b.part;
}

export function listLogFiles(folder: string): LogFileName[] {
  const names: LogFileName[] = [];
  for (const entry of readdirSync(folder)) {
    const match = /^logs-(\d{4}-\d{2}-\d{2})(?:\.(\d{1,6}))?\.db$/.exec(entry);
    const day = Date.parse(match?.[1] ?? '');
    if (!Number.isNaN(day)) names.push({ day: utcDay(day), part: Number(match?.[2] ?? 1) });
  }
  return names.sort(compareLogFiles);
}
