import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type {
  ProgressRecord,
  StreamingRecord,
} from '../../../../shared/contracts/progress-record.ts';
import { sharedDataFile } from '../../../../test/support/shared-data.ts';
import { parseRecord } from './parse-record.ts';
import { sourceLag } from './source-lag.ts';
import { splitRecords } from './split-records.ts';

const RECEIVED = Date.parse('2026-11-21T12:00:00Z');
const CONTEXT = { application: '', receivedAt: RECEIVED };
const IDS = { id: 'q-1', runId: 'r-1' };

function parse(value: unknown): StreamingRecord {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const fate = parseRecord(text, CONTEXT);
  if (fate.fate !== 'kept') assert.fail(`${fate.fate} ${fate.reason}: ${text.slice(0, 200)}`);
  return fate.record.record;
}

function parseProgress(value: unknown): ProgressRecord {
  const record = parse(value);
  assert.equal(record.kind, 'progress');
  return record;
}

function reasonOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const fate = parseRecord(text, CONTEXT);
  return fate.fate === 'kept' ? 'kept' : `${fate.fate} ${fate.reason}`;
}

function readRecords(text: string): StreamingRecord[] {
  const records: StreamingRecord[] = [];
  for (const { text: raw } of splitRecords(text)) {
    const fate = parseRecord(raw, CONTEXT);
    assert.notEqual(fate.fate, 'quarantined', raw.slice(0, 300));
    if (fate.fate === 'kept') records.push(fate.record.record);
  }
  return records;
}

function sample(path: string): string {
  return readFileSync(sharedDataFile(path), 'utf8');
}

function countKinds(records: readonly StreamingRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of records) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

test('every line that a listener of Spark 3.5, 4.0 and 4.1 wrote is read', () => {
  const kinds = (file: string) => countKinds(readRecords(sample(`spark4/${file}.jsonl`)));
  assert.deepEqual(kinds('listener-3.5.8-local'), {
    started: 4,
    progress: 28,
    terminated: 4,
    idle: 2,
  });
  assert.deepEqual(kinds('listener-4.0.3-local'), {
    started: 4,
    progress: 28,
    terminated: 4,
    idle: 2,
  });
  assert.deepEqual(kinds('listener-4.1.2-standalone'), {
    started: 4,
    progress: 31,
    terminated: 4,
    idle: 3,
  });
  assert.deepEqual(kinds('listener-4.1.2-kafka-source'), { progress: 12 });
});

test('the documented samples are read; a status, which names no query, is dropped', () => {
  const folder = 'streaming-progress/apache-spark-docs';
  const first = parseProgress(sample(`${folder}/sample-1.json`));
  assert.equal(first.batch, null);
  assert.deepEqual(first.missing, ['batchId']);
  assert.equal(first.end - first.start, 3);
  assert.equal(first.inputRows, 10);
  assert.deepEqual(
    first.sources[0]?.partitions.map(({ partition, start, end, latest }) => [
      partition,
      start,
      end,
      latest,
    ]),
    [
      ['0', 1, 534, null],
      ['1', 1, 134, null],
      ['2', 0, 0, null],
      ['3', 1, 21, null],
      ['4', 1, 115, null],
    ],
  );
  assert.equal(first.watermarkDelayMs, 3);
  const idle = parseProgress(sample(`${folder}/sample-3.json`));
  assert.deepEqual(idle.state, { rows: 4, bytes: null });
  assert.equal(idle.idle, true);
  assert.equal(reasonOf(sample(`${folder}/sample-2.json`)), 'dropped query-status');
});

test('the same progress as .json and as Jackson wrote it gives the same record', () => {
  const folder = 'streaming-progress/apache-spark-tests';
  const jackson = parseProgress(sample(`${folder}/connect-jackson-wire-form.json`));
  const json = parseProgress(sample(`${folder}/connect-json-method-form.json`));
  assert.deepEqual(jackson, json);
  assert.equal(json.inputRows, 1_467);
  assert.equal(json.inputRowsPerSecond, 22);
  assert.equal(json.processedRowsPerSecond, null, 'Infinity is no rate');
  assert.equal(json.sink.rows, null, '-1 is no count');
  assert.deepEqual(json.state, { rows: 0, bytes: 3 });
});

test("a listener's file and the event log of the same application give the same records", () => {
  const pairs = [
    ['listener-3.5.8-local.jsonl', 'local-3.5.8.cut.jsonl.gz', 38],
    ['listener-4.1.2-standalone.jsonl', 'app-20261121071948-0000.cut.jsonl.gz', 42],
  ] as const;
  // Spark 4.1 rounds rates, in .json only (SPARK-53491).
  const withoutRates = (record: StreamingRecord): string =>
    JSON.stringify(record, (key, value) => (key.endsWith('RowsPerSecond') ? undefined : value));
  for (const [listener, eventLog, count] of pairs) {
    const own = readRecords(sample(`spark4/${listener}`));
    const text = gunzipSync(readFileSync(sharedDataFile(`spark4/eventlog/${eventLog}`))).toString();
    const logged = readRecords(text);
    assert.equal(own.length, count);
    assert.equal(logged.length, count);
    assert.deepEqual(logged.map(withoutRates).toSorted(), own.map(withoutRates).toSorted());
  }
});

test('event logs yield their queries and drop every other event by name', () => {
  const folder = sharedDataFile('spark4/eventlog');
  const expected: Record<string, number> = {
    'app-20261121072159-0000.killed-by-master.cut.jsonl.gz': 19,
    'application_1795248855005_0001_1.am-kill9.cut.jsonl.gz': 4,
    'application_1795248855005_0001_2.cut.jsonl.gz': 13,
  };
  for (const [file, count] of Object.entries(expected)) {
    const text = gunzipSync(readFileSync(join(folder, file))).toString();
    assert.equal(readRecords(text).length, count, file);
  }
  for (const rolling of readdirSync(folder).filter((name) => name.startsWith('eventlog_v2_'))) {
    const events = readdirSync(join(folder, rolling)).filter((name) => name.startsWith('events_'));
    for (const name of events) {
      const text = zstdDecompressSync(readFileSync(join(folder, rolling, name))).toString();
      assert.equal(readRecords(text).length, 4, name);
    }
  }
  const log = sample('spark-eventlogs/apache-spark/local-1596020211915');
  assert.deepEqual(countKinds(readRecords(log)), { started: 1, progress: 8 });
});

test('Spark 3.1 writes offsets as text and NaN as text, and no latest offset', () => {
  const path = 'streaming-progress/apache-spark-eventlog/query-events-kafka-3.1.jsonl';
  const [started, first, second] = readRecords(sample(path));
  assert.equal(started?.kind, 'started');
  assert.ok(first?.kind === 'progress' && second?.kind === 'progress');
  assert.equal(first.end, Date.parse('2020-07-29T10:56:56.015Z') + 7_109);
  assert.equal(first.inputRowsPerSecond, null);
  assert.equal(first.processedRowsPerSecond, 0.42194092827004215);
  assert.deepEqual(first.sources[0]?.partitions, [
    { topic: 'test5', partition: '0', start: null, end: 48_279, latest: null },
  ]);
  assert.equal(second.sources[0]?.partitions[0]?.start, 48_279);
  assert.deepEqual(second.sources.map(sourceLag), [{ total: null, partitions: [null] }]);
});

test('lag is the latest offset minus the end, per partition, as Kafka source 4.1 reports it', () => {
  const [first] = readRecords(sample('spark4/listener-4.1.2-kafka-source.jsonl'));
  assert.ok(first?.kind === 'progress');
  assert.deepEqual(first.sources.map(sourceLag), [
    { total: 1_139 + 1_752 + 1_490, partitions: [1_139, 1_752, 1_490] },
  ]);
  assert.equal(first.sources[0]?.kind, 'KafkaV2');
  assert.equal(first.sources[0]?.metrics['maxOffsetsBehindLatest'], 1_752);
  const large = parseProgress(
    sample('streaming-progress/apache-spark-tests/kafka-metrics-spark-4.1-form.json'),
  );
  assert.equal(large.sources.map(sourceLag)[0]?.total, 270_941_269);
});

test('the end of a query is clean or has the exception, masked', () => {
  const failures = readRecords(sample('spark4/listener-4.1.2-standalone.jsonl')).filter(
    (record) => record.kind === 'terminated' && record.exception !== null,
  );
  assert.equal(failures.length, 1);
  const [failure] = failures;
  assert.ok(failure?.kind === 'terminated');
  assert.match(failure.exception ?? '', /planted failure SQLSTATE: P0001 \| at org\.apache/);
  const secret = parse({
    ...IDS,
    exception: `jdbc://bob:hunter2@db/x?password=hunter2 ${'x'.repeat(5_000)}`,
  });
  assert.ok(secret.kind === 'terminated' && secret.exception !== null);
  assert.doesNotMatch(secret.exception, /hunter2/);
  assert.equal(secret.exception.length < 2_100, true);
  const pyspark = parse(
    sample('streaming-progress/apache-spark-tests/pyspark-listener-terminated_json.json'),
  );
  assert.equal(pyspark.kind, 'terminated');
});
