import { hash } from 'node:crypto';
import type { LogRecord } from '../contracts/log-record.ts';
import type { Series } from '../contracts/metric-point.ts';
import { formatInstant, type Instant } from '../values/instant.ts';
import type { QuarantinedRecord } from './quarantine.ts';

const REASON_CHARS = 200;

/** A log record that a store will never take, in the form in which a replay pushes it. */
export function refusedLog(
  { record, why }: { readonly record: LogRecord; readonly why: string },
  observedAt: Instant,
): QuarantinedRecord {
  const { at, project, cluster, id, origin, ...rest } = record;
  const raw = JSON.stringify({ ...rest, cluster, project, timestamp: formatInstant(at), id });
  return {
    id: `store:${id ?? origin ?? hash('sha1', raw, 'hex')}`,
    ...{ collector: 'logs', source: cluster, project, observedAt, raw },
    reason: `store-refused: ${why}`.slice(0, REASON_CHARS),
  };
}

/** A point that a store will never take, in the form in which a replay pushes it. */
export function refusedPoint(
  point: {
    readonly series: Series;
    readonly at: Instant;
    readonly value: number;
    readonly reason: string;
  },
  observedAt: Instant,
): QuarantinedRecord {
  const { measurement, field, tags } = point.series;
  const { project = '', cluster = '' } = tags;
  const { at, value, reason } = point;
  const raw = JSON.stringify({ measurement, field, tags, at, value, project });
  return {
    id: `store:${hash('sha1', JSON.stringify([measurement, field, tags, at]), 'hex')}`,
    ...{ collector: 'metrics', source: cluster, project, observedAt, raw },
    reason: `store-refused: ${reason}`.slice(0, REASON_CHARS),
  };
}
