import type {
  ProgressRecord,
  ProgressSource,
} from '../../../../shared/contracts/progress-record.ts';
import { type Instant, isInstant } from '../../../../shared/values/instant.ts';
import {
  amount,
  cleanText,
  field,
  type JsonObject,
  listField,
  objectField,
  textField,
  toInstant,
  toNumber,
} from './json-field.ts';
import type { RunIdentity } from './read-identity.ts';
import { readPartitions } from './read-offsets.ts';

const SOURCES = 1_000;
const OPERATORS = 1_000;
const NUMBERS = 200;
const DESCRIPTION = 500;

/** The numbers of a map, keys sorted, as Spark prints A's; names cut, so that none can fill a store. */
function numbers(object: JsonObject): Record<string, number> {
  const found: [string, number][] = [];
  for (const [name, raw] of Object.entries(object).slice(0, NUMBERS)) {
    const value = toNumber(raw);
    if (value !== null && name.length <= 100) found.push([cleanText(name, 100), value]);
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function sourceKind(description: string): string {
  return /^[\w.$]{1,80}/.exec(description)?.[0] ?? '';
}

function readSource(source: JsonObject): ProgressSource {
  const description = textField(source, 'description', DESCRIPTION) ?? '';
  return {
    description,
    kind: sourceKind(description),
    inputRows: amount(source, 'numInputRows'),
    inputRowsPerSecond: amount(source, 'inputRowsPerSecond'),
    processedRowsPerSecond: amount(source, 'processedRowsPerSecond'),
    partitions: readPartitions(
      field(source, 'startOffset'),
      field(source, 'endOffset'),
      field(source, 'latestOffset'),
    ),
    metrics: numbers(objectField(source, 'metrics')),
  };
}

type SourceNumber = 'inputRows' | 'inputRowsPerSecond' | 'processedRowsPerSecond';

/** Sum over all sources; null without sources, and when one of them doesn't know: x + NaN is NaN. */
function sumOf(sources: readonly ProgressSource[], name: SourceNumber): number | null {
  let sum: number | null = null;
  for (const source of sources) {
    const value = source[name];
    if (value === null) return null;
    sum = (sum ?? 0) + value;
  }
  return sum;
}

function readState(progress: JsonObject): ProgressRecord['state'] {
  const operators = listField(progress, 'stateOperators', OPERATORS);
  if (operators.length === 0) return null;
  let rows = 0;
  let bytes: number | null = null;
  for (const operator of operators) {
    rows += amount(operator, 'numRowsTotal') ?? 0;
    const used = amount(operator, 'memoryUsedBytes');
    if (used !== null) bytes = (bytes ?? 0) + used;
  }
  return { rows, bytes };
}

/**
 * How long the trigger took: `triggerExecution`, which every dialect has, before `batchDuration`,
 * which the `.json` of 3.x lacks, so that both give the same end.
 */
function triggerMs(progress: JsonObject, durations: Readonly<Record<string, number>>) {
  const named = (name: string): number | null =>
    Object.hasOwn(durations, name) ? (durations[name] ?? null) : null;
  const ms =
    named('triggerExecution') ??
    toNumber(field(progress, 'batchDuration')) ??
    named('runContinuous') ??
    named('total');
  return ms !== null && ms >= 0 ? Math.round(ms) : null;
}

function watermarkOf(progress: JsonObject): Instant | null {
  const watermark = toInstant(field(objectField(progress, 'eventTime'), 'watermark'));
  // 1970 is where the watermark begins, before any event was seen.
  return watermark === undefined || watermark <= 0 ? null : watermark;
}

/**
 * A progress in dialect A (`StreamingQueryProgress.json`) or B (Jackson: event log, Connect).
 * Source: apache/spark sql/api …/streaming/progress.scala.
 *
 * @returns the record, or the reason why it is none
 */
export function readProgress(progress: JsonObject, of: RunIdentity): ProgressRecord | string {
  const start = toInstant(field(progress, 'timestamp'));
  if (start === undefined) return 'no-timestamp';
  const durationsMs = numbers(objectField(progress, 'durationMs'));
  const duration = triggerMs(progress, durationsMs);
  const end = start + (duration ?? 0);
  if (!isInstant(end)) return 'time-implausible';
  const sources = listField(progress, 'sources', SOURCES).map(readSource);
  const batch = toNumber(field(progress, 'batchId'));
  const inputRows = amount(progress, 'numInputRows') ?? sumOf(sources, 'inputRows');
  const watermark = watermarkOf(progress);
  const sink = objectField(progress, 'sink');
  const missing: string[] = [];
  if (batch === null) missing.push('batchId');
  if (duration === null) missing.push('durationMs');
  if (inputRows === null) missing.push('numInputRows');
  if (sources.length === 0) missing.push('sources');
  return {
    kind: 'progress',
    ...of,
    name: textField(progress, 'name', 200) ?? null,
    batch: batch !== null && Number.isSafeInteger(batch) && batch >= 0 ? batch : null,
    start,
    end,
    triggerMs: duration ?? 0,
    inputRows,
    inputRowsPerSecond:
      amount(progress, 'inputRowsPerSecond') ?? sumOf(sources, 'inputRowsPerSecond'),
    processedRowsPerSecond:
      amount(progress, 'processedRowsPerSecond') ?? sumOf(sources, 'processedRowsPerSecond'),
    durationsMs,
    sources,
    state: readState(progress),
    watermark,
    watermarkDelayMs: watermark === null ? null : end - watermark,
    sink: {
      description: textField(sink, 'description', DESCRIPTION) ?? '',
      rows: amount(sink, 'numOutputRows'),
    },
    idle: inputRows === 0 && 'triggerExecution' in durationsMs && !('addBatch' in durationsMs),
    missing,
  };
}
