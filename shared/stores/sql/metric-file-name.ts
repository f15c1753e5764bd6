import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Instant, utcDay } from '../../values/instant.ts';

/** `raw` holds points as they came and checkpoints, `minutes` their one-minute aggregates. */
export type MetricFileKind = 'raw' | 'minutes';

/** A file of the points that came in during one UTC day; a day that grew too large has several parts. */
export interface MetricFileName {
  readonly day: Instant;
  /** From 1. */
  readonly part: number;
}

const PREFIX = { raw: 'metrics', minutes: 'metric-minutes' } as const;

export function metricFilePath(folder: string, kind: MetricFileKind, name: MetricFileName): string {
  const day = new Date(name.day).toISOString().slice(0, 10);
  const part = name.part === 1 ? '' : `.${name.part}`;
  return join(folder, `${PREFIX[kind]}-${day}${part}.db`);
}

/** The files of a folder in the order of their making. */
export function listMetricFiles(folder: string, kind: MetricFileKind): MetricFileName[] {
  const pattern = new RegExp(`^${PREFIX[kind]}-(\\d{4}-\\d{2}-\\d{2})(?:\\.(\\d{1,6}))?\\.db$`);
  const names: MetricFileName[] = [];
  for (const entry of readdirSync(folder)) {
    const match = pattern.exec(entry);
    const day = Date.parse(match?.[1] ?? '');
    if (!Number.isNaN(day)) names.push({ day: utcDay(day), part: Number(match?.[2] ?? 1) });
  }
  return names.sort((a, b) => a.day - b.day || a.part - b.part);
}
