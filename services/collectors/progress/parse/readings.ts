import {
  type ProgressRecord,
  queryStateCode,
  verdictCode,
} from '../../../../shared/contracts/progress-record.ts';
import type { Verdict } from '../../../../shared/contracts/rest.ts';
import type { Instant } from '../../../../shared/values/instant.ts';
import { type QueryVerdict, worse } from './judge-query.ts';
import { partitionKey, type RunState } from './query-state.ts';
import { type SourceLag, sourceLag } from './source-lag.ts';

/** What of a run is in the tags of its series. */
export type RunTags = Pick<RunState, 'run' | 'application' | 'name'>;

/** What is stored of a run at one time, before it is a point of a series. */
export interface Reading {
  readonly run: RunTags;
  readonly measurement: 'streaming_query' | 'streaming_topic' | 'streaming_partition';
  readonly topic: string;
  readonly partition: string;
  readonly at: Instant;
  readonly fields: readonly (readonly [name: string, value: number])[];
}

/** Spark's durations that are stored, so that no sender can make up fields. */
const DURATIONS: readonly (readonly [name: string, field: string])[] = [
  ['addBatch', 'add_batch_ms'],
  ['getBatch', 'get_batch_ms'],
  ['latestOffset', 'latest_offset_ms'],
  ['getOffset', 'get_offset_ms'],
  ['getEndOffset', 'get_end_offset_ms'],
  ['setOffsetRange', 'set_offset_range_ms'],
  ['queryPlanning', 'query_planning_ms'],
  ['walCommit', 'wal_commit_ms'],
  ['commitOffsets', 'commit_offsets_ms'],
  ['commitBatch', 'commit_batch_ms'],
  ['runContinuous', 'run_continuous_ms'],
];

function known(
  fields: readonly (readonly [string, number | null | undefined])[],
): [string, number][] {
  return fields.filter((field): field is [string, number] => typeof field[1] === 'number');
}

function queryFields(record: ProgressRecord, lag: number | null): [string, number][] {
  return known([
    ['batch_id', record.batch],
    ['last_batch_ms', record.end],
    ['input_rows', record.inputRows],
    ['input_rows_per_second', record.inputRowsPerSecond],
    ['processed_rows_per_second', record.processedRowsPerSecond],
    ['output_rows', record.sink.rows],
    ['trigger_ms', record.triggerMs],
    ...DURATIONS.map(([name, field]) => [field, record.durationsMs[name]] as const),
    ['state_rows', record.state?.rows],
    ['state_bytes', record.state?.bytes],
    ['watermark_delay_ms', record.watermarkDelayMs],
    ['lag', lag],
  ]);
}

interface PartitionNumbers {
  readonly topic: string;
  readonly partition: string;
  readonly lag: number | null;
  readonly end: number | null;
  readonly latest: number | null;
}

/** Each partition once: of two readings of the same topic, the one that is further behind. */
function partitionNumbers(
  record: ProgressRecord,
  lags: readonly SourceLag[],
  limit: number,
): Map<string, PartitionNumbers> {
  const found = new Map<string, PartitionNumbers>();
  for (const [s, source] of record.sources.entries()) {
    for (const [i, { topic, partition, end, latest }] of source.partitions.entries()) {
      const key = partitionKey(topic, partition);
      const lag = lags[s]?.partitions[i] ?? null;
      const other = found.get(key);
      if (other === undefined ? found.size >= limit : (other.lag ?? -1) >= (lag ?? -1)) continue;
      found.set(key, {
        topic,
        partition,
        lag,
        end: end === null ? null : Number(end),
        latest: latest === null ? null : Number(latest),
      });
    }
  }
  return found;
}

/** What one batch says, at its end. It depends on the record alone, so it can be stored twice. */
export function batchReadings(
  record: ProgressRecord,
  run: RunTags,
  maxPartitions: number,
): Reading[] {
  const at = record.end;
  const lags = record.sources.map(sourceLag);
  let total: number | null = null;
  for (const { total: lag } of lags) if (lag !== null) total = (total ?? 0) + lag;
  const readings: Reading[] = [
    {
      run,
      measurement: 'streaming_query',
      topic: '',
      partition: '',
      at,
      fields: queryFields(record, total),
    },
  ];
  const topics = new Map<string, number>();
  for (const numbers of partitionNumbers(record, lags, maxPartitions).values()) {
    const { topic, partition, lag } = numbers;
    if (lag !== null) topics.set(topic, (topics.get(topic) ?? 0) + lag);
    readings.push({
      run,
      measurement: 'streaming_partition',
      topic,
      partition,
      at,
      fields: known([
        ['lag', lag],
        ['end_offset', numbers.end],
        ['latest_offset', numbers.latest],
      ]),
    });
  }
  for (const [topic, lag] of topics) {
    readings.push({
      run,
      measurement: 'streaming_topic',
      topic,
      partition: '',
      at,
      fields: [['lag', lag]],
    });
  }
  return readings;
}

/** State and verdicts of a run as numbers, per query, topic and partition. */
export function verdictReadings(run: RunTags, judged: QueryVerdict, at: Instant): Reading[] {
  const readings: Reading[] = [
    {
      run,
      measurement: 'streaming_query',
      topic: '',
      partition: '',
      at,
      fields: [
        ['verdict', verdictCode(judged.verdict)],
        ['state', queryStateCode(judged.state)],
      ],
    },
  ];
  const topics = new Map<string, Verdict>();
  for (const { topic, partition, verdict } of judged.partitions) {
    topics.set(topic, worse(topics.get(topic) ?? 'ok', verdict));
    const fields = [['verdict', verdictCode(verdict)]] as const;
    readings.push({ run, measurement: 'streaming_partition', topic, partition, at, fields });
  }
  for (const [topic, verdict] of topics) {
    const fields = [['verdict', verdictCode(verdict)]] as const;
    readings.push({ run, measurement: 'streaming_topic', topic, partition: '', at, fields });
  }
  return readings;
}
