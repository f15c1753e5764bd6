import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type LifecycleRecord,
  type ProgressRecord,
  QUERY_STATES,
  type StreamingRecord,
} from '../../../../shared/contracts/progress-record.ts';
import { VERDICTS } from '../../../../shared/contracts/rest.ts';
import { sharedDataFile } from '../../../../test/support/shared-data.ts';
import { applyRecord, applySilence } from './apply-record.ts';
import { parseRecord } from './parse-record.ts';
import { emptyState, type QueryState, type WindowLimits } from './query-state.ts';
import { parseQueryState, printQueryState } from './query-state-json.ts';
import type { Reading } from './readings.ts';

const LIMITS: WindowLimits = {
  windowBatches: 10,
  windowMs: 600_000,
  minimumBatches: 3,
  silentAfterMs: 120_000,
  silentFactor: 3,
  maxPartitions: 100,
};
const PLACE = { project: 'etl', cluster: 'yarn', query: 'q' };
const T0 = Date.parse('2026-11-21T08:00:00Z');

/** The newest value of each field of each series, as the metric store answers it. */
class Latest {
  readonly #values = new Map<string, { at: number; value: number }>();

  add(readings: readonly Reading[]): void {
    for (const { run, measurement, topic, partition, at, fields } of readings) {
      for (const [field, value] of fields) {
        const key = [measurement, run.run, topic, partition, field].join(' ').replace(/ +/g, ' ');
        const known = this.#values.get(key);
        if (known === undefined || at >= known.at) this.#values.set(key, { at, value });
      }
    }
  }

  value(key: string): number | undefined {
    return this.#values.get(key)?.value;
  }

  at(key: string): number | undefined {
    return this.#values.get(key)?.at;
  }

  verdict(place: string): string | undefined {
    return VERDICTS[this.value(`${place} verdict`) ?? -1];
  }

  state(run = 'r'): string | undefined {
    return QUERY_STATES[this.value(`streaming_query ${run} state`) ?? -1];
  }

  /** Times of queries only: how often a vanished partition is said to be ok depends on the order. */
  all(): object {
    return Object.fromEntries(
      [...this.#values]
        .map(([key, { at, value }]) => [
          key,
          key.startsWith('streaming_query') ? [at, value] : value,
        ])
        .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    );
  }
}

class Query {
  state: QueryState = emptyState(PLACE);
  readonly latest = new Latest();

  apply(record: StreamingRecord): boolean {
    const applied = applyRecord(this.state, record, LIMITS);
    this.state = applied.state;
    this.latest.add(applied.readings);
    return applied.duplicate;
  }

  silence(now: number, heardAt = 0): boolean {
    const applied = applySilence(this.state, now, heardAt, LIMITS);
    if (applied === undefined) return false;
    this.state = applied.state;
    this.latest.add(applied.readings);
    return true;
  }
}

interface Offsets {
  readonly [partition: string]: readonly [end: number, latest: number | null];
}

function batch(n: number, offsets: Offsets, extra: Partial<ProgressRecord> = {}): ProgressRecord {
  const start = extra.start ?? T0 + n * 10_000;
  return {
    kind: 'progress',
    query: 'q',
    run: 'r',
    application: 'app-1',
    name: 'orders',
    batch: n,
    start,
    end: start + 2_000,
    triggerMs: 2_000,
    inputRows: 100,
    inputRowsPerSecond: 10,
    processedRowsPerSecond: 50,
    durationsMs: { triggerExecution: 2_000, addBatch: 1_500 },
    sources: [
      {
        description: 'KafkaV2[Subscribe[t]]',
        kind: 'KafkaV2',
        inputRows: 100,
        inputRowsPerSecond: 10,
        processedRowsPerSecond: 50,
        partitions: Object.entries(offsets).map(([partition, [end, latest]]) => ({
          topic: 't',
          partition,
          start: null,
          end,
          latest,
        })),
        metrics: {},
      },
    ],
    state: { rows: 4, bytes: 960 },
    watermark: start - 60_000,
    watermarkDelayMs: 62_000,
    sink: { description: '', rows: null },
    idle: false,
    missing: [],
    ...extra,
  };
}

function lifecycle(
  kind: LifecycleRecord['kind'],
  extra: Partial<LifecycleRecord> = {},
): LifecycleRecord {
  return {
    kind,
    query: 'q',
    run: 'r',
    application: 'app-1',
    name: undefined,
    at: null,
    exception: null,
    errorClass: null,
    ...extra,
  };
}

test("a batch is stored at its trigger's end, with rates, state, watermark delay and lag", () => {
  const query = new Query();
  query.apply(batch(3, { 0: [100, 130], 1: [50, 50] }));
  const { latest } = query;
  const end = T0 + 32_000;
  assert.equal(latest.at('streaming_query r batch_id'), end);
  assert.equal(latest.value('streaming_query r batch_id'), 3);
  assert.equal(latest.value('streaming_query r last_batch_ms'), end);
  assert.equal(latest.value('streaming_query r input_rows_per_second'), 10);
  assert.equal(latest.value('streaming_query r processed_rows_per_second'), 50);
  assert.equal(latest.value('streaming_query r trigger_ms'), 2_000);
  assert.equal(latest.value('streaming_query r add_batch_ms'), 1_500);
  assert.equal(latest.value('streaming_query r state_rows'), 4);
  assert.equal(latest.value('streaming_query r state_bytes'), 960);
  assert.equal(latest.value('streaming_query r watermark_delay_ms'), 62_000);
  assert.equal(latest.value('streaming_query r output_rows'), undefined);
  assert.equal(latest.value('streaming_query r lag'), 30);
  assert.equal(latest.value('streaming_topic r t lag'), 30);
  assert.equal(latest.value('streaming_partition r t 0 lag'), 30);
  assert.equal(latest.value('streaming_partition r t 0 end_offset'), 100);
  assert.equal(latest.value('streaming_partition r t 0 latest_offset'), 130);
  assert.equal(latest.value('streaming_partition r t 1 lag'), 0);
  assert.equal(latest.state(), 'running');
});

test('each partition has its verdict, topic and query the worst of theirs', () => {
  const query = new Query();
  for (let n = 0; n < 4; n += 1) {
    query.apply(batch(n, { 0: [100 + n, 100 + n], 1: [10 + n, 90 + 2 * n], 2: [7, 20] }));
  }
  const { latest } = query;
  assert.equal(latest.verdict('streaming_partition r t 0'), 'ok');
  assert.equal(latest.verdict('streaming_partition r t 1'), 'warn');
  assert.equal(latest.verdict('streaming_partition r t 2'), 'stall');
  assert.equal(latest.verdict('streaming_topic r t'), 'stall');
  assert.equal(latest.verdict('streaming_query r'), 'stall');
});

test('a rate-limited query under a faster producer is warned of', () => {
  const query = new Query();
  const text = readFileSync(sharedDataFile('spark4/listener-4.1.2-kafka-source.jsonl'), 'utf8');
  for (const line of text.trim().split('\n')) {
    const fate = parseRecord(line, { application: '', receivedAt: T0 + 3_600_000 });
    assert.ok(fate.fate === 'kept');
    query.apply(fate.record.record);
  }
  const run = '25e0afb9-5f5f-4a53-878b-0c4a18a7d3a1';
  assert.equal(query.latest.verdict(`streaming_query ${run}`), 'warn');
});

test('a topic made anew is a rewind until the batches before it have left the window', () => {
  const query = new Query();
  for (let n = 0; n < 3; n += 1) query.apply(batch(n, { 0: [500 + n, 500 + n] }));
  for (let n = 3; n < 12; n += 1) query.apply(batch(n, { 0: [n, n] }));
  assert.equal(query.latest.verdict('streaming_query r'), 'rewind');
  query.apply(batch(12, { 0: [12, 12] }));
  assert.equal(query.latest.verdict('streaming_query r'), 'ok');
});

test('a restart from an older checkpoint is a rewind of the new run', () => {
  const query = new Query();
  query.apply(batch(5, { 0: [500, 500] }));
  query.apply(batch(0, { 0: [120, 500] }, { run: 'r2', start: T0 + 90_000, end: T0 + 92_000 }));
  assert.equal(query.latest.verdict('streaming_query r2'), 'rewind');
});

test('a partition that vanished is no longer blamed, a new one not yet', () => {
  const query = new Query();
  for (let n = 0; n < 4; n += 1) query.apply(batch(n, { 0: [n, n], 1: [7, 20] }));
  assert.equal(query.latest.verdict('streaming_partition r t 1'), 'stall');
  query.apply(batch(4, { 0: [4, 4], 2: [0, 90] }));
  assert.equal(query.latest.verdict('streaming_partition r t 1'), 'ok');
  assert.equal(query.latest.verdict('streaming_partition r t 2'), 'ok');
  assert.equal(query.latest.verdict('streaming_query r'), 'ok');
});

test('silence longer than the window is a stop where records wait, dated when it became one', () => {
  const query = new Query();
  for (let n = 0; n < 3; n += 1) query.apply(batch(n, { 0: [n, 60 - n], 1: [5, 5] }));
  const end = T0 + 22_000;
  assert.equal(query.silence(end + 120_000), false);
  assert.equal(query.silence(end + 900_000), true);
  assert.equal(query.silence(end + 910_000), false, 'it is said once');
  assert.equal(query.latest.state(), 'silent');
  assert.equal(query.latest.at('streaming_query r state'), end + 120_000);
  assert.equal(query.latest.verdict('streaming_partition r t 0'), 'stop');
  assert.equal(query.latest.verdict('streaming_partition r t 1'), 'ok');
  query.apply(batch(3, { 0: [9, 60], 1: [5, 5] }));
  assert.equal(query.latest.state(), 'running');
  assert.equal(query.latest.verdict('streaming_query r'), 'ok');
});

test('one long batch is no silence: patience follows what batches take', () => {
  const query = new Query();
  const long = { start: T0, end: T0 + 300_000, triggerMs: 300_000 };
  query.apply(batch(0, { 0: [1, 60] }, long));
  assert.equal(query.silence(T0 + 300_000 + 890_000), false);
  assert.equal(query.silence(T0 + 300_000 + 910_000), true);
});

test('a record that arrived just now is no silence, however old it is by its own clock', () => {
  const query = new Query();
  query.apply(batch(0, { 0: [1, 60] }));
  const now = T0 + 86_400_000;
  assert.equal(query.silence(now, now - 60_000), false);
  assert.equal(query.silence(now, now - 130_000), true);
});

test('an idle event is a sign of life and says that there was nothing to read', () => {
  const query = new Query();
  for (let n = 0; n < 3; n += 1) query.apply(batch(n, { 0: [n, 60 + n] }));
  assert.equal(query.latest.verdict('streaming_query r'), 'warn');
  query.apply(lifecycle('idle', { at: T0 + 200_000 }));
  assert.equal(query.latest.verdict('streaming_query r'), 'ok');
  assert.equal(query.silence(T0 + 300_000), false);
  assert.equal(query.silence(T0 + 330_000), true);
  assert.equal(query.latest.state(), 'silent');
  assert.equal(query.latest.verdict('streaming_query r'), 'ok', 'nothing waited');
});

test('idle reports of Spark before 3.5 repeat the number of the batch to come', () => {
  const query = new Query();
  const idle = (seconds: number) =>
    batch(1, { 0: [5, 5] }, { idle: true, inputRows: 0, start: T0 + seconds * 1_000 });
  query.apply(batch(0, { 0: [5, 5] }));
  for (const seconds of [10, 20, 30]) assert.equal(query.apply(idle(seconds)), false);
  assert.equal(query.apply(idle(30)), true);
  query.apply(batch(1, { 0: [9, 9] }, { start: T0 + 40_000 }));
  assert.equal(query.state.window.length, 5);
});

test('an end is terminated or failed; a failed query has stopped where records wait', () => {
  const clean = new Query();
  for (let n = 0; n < 4; n += 1) clean.apply(batch(n, { 0: [7, 20] }));
  clean.apply(lifecycle('terminated'));
  assert.equal(clean.latest.state(), 'terminated');
  assert.equal(clean.latest.verdict('streaming_query r'), 'ok');
  assert.equal(clean.silence(T0 + 9_000_000), false, 'the dead are not silent');

  const failed = new Query();
  failed.apply(batch(0, { 0: [7, 20], 1: [5, 5] }));
  assert.equal(failed.apply(lifecycle('terminated', { exception: 'boom' })), false);
  assert.equal(failed.apply(lifecycle('terminated', { exception: 'boom' })), true);
  assert.equal(failed.latest.state(), 'failed');
  assert.equal(failed.latest.verdict('streaming_partition r t 0'), 'stop');
  assert.equal(failed.latest.verdict('streaming_partition r t 1'), 'ok');
});

test('a later start ends the run before it, which a killed driver could not say', () => {
  const query = new Query();
  query.apply(batch(0, { 0: [7, 20] }));
  query.apply(lifecycle('started', { run: 'r2', at: T0 + 60_000, name: 'orders' }));
  assert.equal(query.latest.state('r'), 'terminated');
  assert.equal(query.latest.state('r2'), 'running');
});

test('nothing is stored of a run before its name is known, and all of it then', () => {
  const query = new Query();
  query.apply(lifecycle('idle', { at: T0 + 1_000 }));
  query.apply(lifecycle('terminated', { exception: 'boom' }));
  assert.deepEqual(query.latest.all(), {});
  query.apply(lifecycle('started', { at: T0, name: null }));
  assert.equal(query.latest.state(), 'failed');
});

test('partitions beyond the limit count in the lag of the query alone', () => {
  const offsets = Object.fromEntries(
    Array.from({ length: 150 }, (_, i) => [String(i), [0, 1] as const]),
  );
  const query = new Query();
  query.apply(batch(0, offsets));
  assert.equal(query.latest.value('streaming_query r lag'), 150);
  assert.equal(query.state.window[0]?.partitions.size, 100);
  assert.equal(query.latest.value('streaming_topic r t lag'), 100);
});

test('a state comes back out of its text as it was', () => {
  const query = new Query();
  query.apply(batch(0, { 0: [7, 20], 1: [5, null] }));
  const [source] = batch(1, {}).sources;
  const end = 9_007_199_254_740_993n;
  const partitions = [{ topic: 't', partition: '0', start: null, end, latest: end + 2n }];
  assert.ok(source !== undefined);
  query.apply(batch(1, {}, { sources: [{ ...source, partitions }] }));
  query.apply(lifecycle('terminated', { run: 'unnamed' }));
  assert.deepEqual(parseQueryState(printQueryState(query.state)), query.state);
  assert.equal(parseQueryState('{"version":0}'), undefined);
});

const story = fc
  .array(
    fc.record({
      kind: fc.constantFrom('progress', 'progress', 'progress', 'idle', 'started', 'terminated'),
      run: fc.constantFrom('r1', 'r2'),
      n: fc.integer({ min: 0, max: 14 }),
      again: fc.boolean(),
      lags: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 2 }),
      failed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .map((events) => {
    const records = new Map<string, StreamingRecord>();
    for (const { kind, run, n, again, lags, failed } of events) {
      const start = T0 + (run === 'r2' ? 1_000_000 : 0) + n * 10_000 + (again ? 3_000 : 0);
      const exception = failed ? 'boom' : null;
      const offsets = Object.fromEntries(lags.map((lag, i) => [i, [n * 2, n * 2 + lag] as const]));
      records.set(
        `${kind} ${run} ${start}`,
        kind === 'progress'
          ? batch(n, offsets, { run, start, end: start + 2_000 })
          : kind === 'terminated'
            ? lifecycle(kind, { run, exception })
            : lifecycle(kind as 'idle', {
                run,
                at: start,
                ...(kind === 'started' ? { name: 'orders' } : {}),
              }),
      );
    }
    return [...records.values()];
  });

test('order and repetition of records do not change what is stored last', () => {
  fc.assert(
    fc.property(
      story.chain((records) =>
        fc.record({
          records: fc.constant(records),
          shuffled: fc.shuffledSubarray(records, { minLength: records.length }),
          repeated: fc.subarray(records),
        }),
      ),
      ({ records, shuffled, repeated }) => {
        const inOrder = new Query();
        for (const record of records) inOrder.apply(record);
        const mixed = new Query();
        for (const record of [...shuffled, ...repeated]) mixed.apply(record);
        assert.deepEqual(mixed.latest.all(), inOrder.latest.all());
      },
    ),
    { numRuns: 300 },
  );
});
