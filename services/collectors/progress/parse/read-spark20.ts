import type {
  ProgressSource,
  StreamingRecord,
} from '../../../../shared/contracts/progress-record.ts';
import {
  amount,
  field,
  type JsonObject,
  listField,
  objectField,
  textField,
  toInstant,
} from './json-field.ts';
import { maskException } from './mask-exception.ts';
import { readOffsetText } from './read-offsets.ts';
import { sourceKind } from './read-progress.ts';

/** Queries were numbered per application: their ids say nothing outside of it. */
export const SPARK20_ID = 'spark-2.0-';

function readSource(status: JsonObject): ProgressSource {
  const description = textField(status, 'description', 500) ?? '';
  return {
    description,
    kind: sourceKind(description),
    inputRows: amount(objectField(status, 'triggerDetails'), 'numRows.input.source'),
    inputRowsPerSecond: amount(status, 'inputRate'),
    processedRowsPerSecond: amount(status, 'processingRate'),
    partitions: readOffsetText(textField(status, 'offsetDesc', 100_000) ?? ''),
    metrics: {},
  };
}

/**
 * Dialect C, `queryStatus` of Spark 2.0.2: numeric ids, no run, details as text.
 * Source: apache/spark v2.0.2 sql/core …/streaming/StreamingQueryStatus.scala.
 *
 * @returns the record, or the reason why it is none
 */
export function readSpark20(
  event: JsonObject,
  kind: 'started' | 'progress' | 'terminated',
  application: string,
): StreamingRecord | string {
  const status = objectField(event, 'queryStatus');
  const number = field(status, 'id');
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return 'no-query-id';
  const id = `${SPARK20_ID}${number}`;
  const of = { query: id, run: id, application };
  const name = textField(status, 'name', 200) ?? null;
  const at = toInstant(field(status, 'timestamp'));
  if (at === undefined) return 'no-timestamp';
  if (kind !== 'progress') {
    const exception = field(event, 'exception');
    const failed = kind === 'terminated' && typeof exception === 'string';
    return {
      kind,
      ...of,
      name,
      at,
      exception: failed ? maskException(exception) : null,
      errorClass: null,
    };
  }
  const details = objectField(status, 'triggerDetails');
  const start = toInstant(field(details, 'timestamp.triggerStart')) ?? at;
  const triggerMs = amount(details, 'latency.fullTrigger') ?? Math.max(0, at - start);
  const inputRows = amount(details, 'numRows.input.total');
  return {
    kind,
    ...of,
    name,
    batch: amount(details, 'triggerId'),
    start,
    end: start + Math.round(triggerMs),
    triggerMs: Math.round(triggerMs),
    inputRows,
    inputRowsPerSecond: amount(status, 'inputRate'),
    processedRowsPerSecond: amount(status, 'processingRate'),
    durationsMs: { triggerExecution: triggerMs },
    sources: listField(status, 'sourceStatuses', 1_000).map(readSource),
    state: null,
    watermark: null,
    watermarkDelayMs: null,
    sink: {
      description: textField(objectField(status, 'sinkStatus'), 'description', 500) ?? '',
      rows: null,
    },
    idle: field(details, 'isDataPresentInTrigger') === 'false',
    missing: inputRows === null ? ['numInputRows'] : [],
  };
}
