import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type {
  ProgressRecord,
  StreamingRecord,
} from '../../../../shared/contracts/progress-record.ts';
import { parseRecord } from './parse-record.ts';
import { sourceLag } from './source-lag.ts';

const RECEIVED = Date.parse('2026-11-21T12:00:00Z');
const CONTEXT = { application: '', receivedAt: RECEIVED };
const IDS = { id: 'q-1', runId: 'r-1' };
const LISTENER = 'org.apache.spark.sql.streaming.StreamingQueryListener$';

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

test("a query of Spark 2.0 has its number as id and its trigger's finish as end", () => {
  const status = (extra: object) => ({
    name: 'query-1',
    id: 1,
    timestamp: 1_480_491_493_386,
    inputRate: 83.3,
    processingRate: 0.5,
    latency: 1_738.0,
    sourceStatuses: [
      {
        description: 'KafkaSource[Subscribe[a-b]]',
        offsetDesc: '[(a-b-0,5), (a-b-1,7)]',
        inputRate: 83.3,
        processingRate: 0.5,
        triggerDetails: { 'numRows.input.source': '1' },
      },
    ],
    sinkStatus: { description: 'FileSink[/out]', offsetDesc: '[#0]' },
    triggerDetails: {},
    ...extra,
  });
  const progress = parseProgress({
    Event: `${LISTENER}QueryProgressEvent`,
    queryStatus: status({
      triggerDetails: {
        'timestamp.triggerStart': '1480491491653',
        'latency.fullTrigger': '1732',
        'numRows.input.total': '1',
        triggerId: '4',
      },
    }),
  });
  assert.equal(progress.query, 'spark-2.0-1');
  assert.equal(progress.end, 1_480_491_493_385);
  assert.equal(progress.batch, 4);
  assert.equal(progress.inputRows, 1);
  assert.deepEqual(
    progress.sources[0]?.partitions.map(({ topic, partition, end }) => [topic, partition, end]),
    [
      ['a-b', '0', 5],
      ['a-b', '1', 7],
    ],
  );
  const failed = parse({
    Event: `${LISTENER}QueryTerminatedEvent`,
    queryStatus: status({}),
    exception: 'org.apache.spark.SparkException: Job aborted',
  });
  assert.ok(failed.kind === 'terminated' && failed.at === 1_480_491_493_386);
  assert.equal(
    reasonOf({ Event: `${LISTENER}QueryProgress`, queryInfo: { name: 'hello', id: 0 } }),
    'dropped without-measurements',
  );
});

test('a progress is found in every wrapping', () => {
  const inner = { ...IDS, timestamp: '2026-11-21T08:00:00.000Z', batchId: 1, sources: [] };
  const bare = parseProgress(inner);
  for (const wrapped of [
    { progress: inner },
    { progress: JSON.stringify(inner) },
    { kind: 'progress', progress: inner },
    { Event: `${LISTENER}QueryProgressEvent`, progress: inner },
    { eventType: 'QUERY_PROGRESS_EVENT', eventJson: JSON.stringify({ progress: inner }) },
    {
      '@timestamp': 'x',
      message: `Streaming query made progress: ${JSON.stringify(inner, null, 2)}`,
    },
    { ts: 'x', msg: `Streaming query made progress: ${JSON.stringify(inner, null, 2)}` },
    JSON.stringify({ progress: inner }, null, 2),
    `26/11/21 08:00:01 INFO ProgressReporter: Streaming query made progress: ${JSON.stringify(inner, null, 2)}`,
  ]) {
    assert.deepEqual(parseProgress(wrapped), bare);
  }
});

test('lifecycle events are told apart, named or not', () => {
  const at = { timestamp: '2026-11-21T08:00:00.000Z' };
  const kinds = [
    { Event: `${LISTENER}QueryStartedEvent`, ...IDS, ...at, name: null, jobTags: [] },
    { Event: `${LISTENER}QueryIdleEvent`, ...IDS, ...at },
    { Event: `${LISTENER}QueryExecutionStartEvent`, ...IDS, ...at, name: 'n' },
    { Event: `${LISTENER}QueryTerminatedEvent`, ...IDS, exception: null },
    { eventType: 'QUERY_IDLE_EVENT', eventJson: JSON.stringify({ ...IDS, ...at }) },
    { ...IDS, ...at, name: 'n', jobTags: [] },
    { ...IDS, ...at },
    { ...IDS, exception: null, errorClassOnException: null },
    { kind: 'idle', ...IDS, ...at },
  ].map((event) => parse(event).kind);
  assert.deepEqual(kinds, [
    'started',
    'idle',
    'trigger',
    'terminated',
    'idle',
    'started',
    'idle',
    'terminated',
    'idle',
  ]);
});

test('a record names its application and project; a broken project is refused', () => {
  const at = { timestamp: '2026-11-21T08:00:00.000Z' };
  const fate = parseRecord(
    JSON.stringify({
      application: 'app-1',
      project: 'Etl',
      progress: { ...IDS, ...at, sources: [] },
    }),
    { application: 'from-path', receivedAt: RECEIVED },
  );
  assert.ok(fate.fate === 'kept');
  assert.equal(fate.record.project, 'etl');
  assert.equal(fate.record.record.application, 'app-1');
  const inner = parseRecord(
    JSON.stringify({ ...IDS, ...at, batchId: 0, applicationId: 'app-2' }),
    CONTEXT,
  );
  assert.ok(inner.fate === 'kept' && inner.record.record.application === 'app-2');
  assert.equal(
    reasonOf({ ...IDS, ...at, batchId: 0, project: '../etc' }),
    'quarantined bad-project-id',
  );
});

test('what cannot be used is refused by name', () => {
  const at = { timestamp: '2026-11-21T08:00:00.000Z' };
  const cases: [unknown, string][] = [
    ['{"id":"q-1","runId":"r-1","timest', 'quarantined not-json'],
    ['\u0000\u0001binary', 'quarantined not-json'],
    ['[1,2]', 'quarantined not-a-progress-record'],
    ['17', 'quarantined not-a-progress-record'],
    [{ hello: 'world' }, 'quarantined not-a-progress-record'],
    [{ ...at, runId: 'r', batchId: 1 }, 'quarantined no-query-id'],
    [{ ...at, id: 'q', batchId: 1 }, 'quarantined no-run-id'],
    [{ ...at, id: 'q\n1', runId: 'r', batchId: 1 }, 'quarantined no-query-id'],
    [{ ...at, id: 'q'.repeat(65), runId: 'r', batchId: 1 }, 'quarantined no-query-id'],
    [{ ...IDS, batchId: 1 }, 'quarantined no-timestamp'],
    [{ ...IDS, batchId: 1, timestamp: '2026-11-21 08:00:00' }, 'quarantined no-timestamp'],
    [{ ...IDS, batchId: 1, timestamp: '2011-01-01T00:00:00.000Z' }, 'quarantined time-implausible'],
    [{ ...IDS, batchId: 1, timestamp: '2026-11-23T00:00:00.000Z' }, 'quarantined time-implausible'],
    [{ ...IDS, ...at, durationMs: { triggerExecution: 1e300 } }, 'quarantined time-implausible'],
    [{ Event: 'SparkListenerTaskEnd' }, 'dropped not-a-progress-event'],
    [{ Event: `${LISTENER}QuerySomethingNew`, ...IDS }, 'dropped not-a-progress-event'],
    [{ level: 'INFO', msg: 'hello' }, 'dropped log-line'],
  ];
  for (const [input, expected] of cases) assert.equal(reasonOf(input), expected);
});

test('offsets beyond 2^53 stay exact, as numbers and in text', () => {
  const base = { ...IDS, timestamp: '2026-11-21T08:00:00.000Z' };
  const json = `{"id":"q-1","runId":"r-1","timestamp":"2026-11-21T08:00:00.000Z","sources":[{"description":"KafkaV2[x]","endOffset":{"t":{"0":9007199254740993}},"latestOffset":{"t":{"0":9007199254740997}}}]}`;
  const text = {
    ...base,
    sources: [
      {
        description: 'KafkaV2[x]',
        endOffset: '{"t":{"0":"9007199254740993"}}',
        latestOffset: '{"t":{"0":9007199254740997}}',
      },
    ],
  };
  for (const form of [json, text]) {
    const { sources } = parseProgress(form);
    assert.equal(sources[0]?.partitions[0]?.end, 9_007_199_254_740_993n);
    assert.deepEqual(sources.map(sourceLag), [{ total: 4, partitions: [4] }]);
  }
});

test('lag is never negative: a new partition and a topic made anew have an unknown one', () => {
  const { sources } = parseProgress({
    ...IDS,
    timestamp: '2026-11-21T08:00:00.000Z',
    sources: [
      {
        description: 'KafkaV2[Subscribe[t]]',
        startOffset: { t: { 0: 900 } },
        endOffset: { t: { 0: 900, 2: 5 } },
        latestOffset: { t: { 0: 10, 1: 40, 2: 9 } },
        metrics: { estimatedTotalBytesBehindLatest: null },
      },
    ],
  });
  assert.deepEqual(sources.map(sourceLag), [{ total: 4, partitions: [null, null, 4] }]);
});

test('without latest offsets the lag is what the source reports', () => {
  const source = (partitions: object, metrics: object) =>
    parseProgress({
      ...IDS,
      timestamp: '2026-11-21T08:00:00.000Z',
      sources: [{ description: 'KafkaV2[x]', endOffset: { t: partitions }, metrics }],
    }).sources.map(sourceLag)[0];
  const metrics = { avgOffsetsBehindLatest: '1.5E1', maxOffsetsBehindLatest: '20' };
  assert.deepEqual(source({ 0: 1 }, metrics), { total: 20, partitions: [20] });
  assert.deepEqual(source({ 0: 1, 1: 1 }, metrics), { total: 30, partitions: [null, null] });
});

test('hostile keys are data: nothing inherited is read, nothing is changed', () => {
  const text =
    '{"id":"q-1","runId":"r-1","timestamp":"2026-11-21T08:00:00.000Z","__proto__":{"batchId":7},' +
    '"constructor":1,"durationMs":{"__proto__":5,"triggerExecution":"10"},' +
    '"sources":[{"description":"\\u0000\\u001b[31mKafka","endOffset":{"__proto__":{"0":5},"a\\u0000b":{"0":1}}}]}';
  const record = parseProgress(text);
  assert.equal(record.batch, null);
  assert.equal(record.triggerMs, 10);
  assert.equal(({} as Record<string, unknown>)['batchId'], undefined);
  assert.deepEqual(
    record.sources[0]?.partitions.map(({ topic }) => topic),
    ['__proto__'],
  );
  assert.equal(record.sources[0]?.description, '  [31mKafka');
});

test('any JSON has a fate, whatever stands in the fields', () => {
  const keys = [
    'id runId name timestamp batchId batchDuration numInputRows durationMs eventTime sources sink',
    'stateOperators progress kind Event queryStatus exception message project eventType eventJson',
  ].flatMap((line) => line.split(' '));
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('NaN', 'Infinity', '2026-11-21T08:00:00.000Z', 1e308, -1, 'started'),
    fc.array(fc.dictionary(fc.constantFrom('endOffset', 'metrics', 'description'), fc.jsonValue())),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), value), (object) => {
      const fate = parseRecord(JSON.stringify({ ...IDS, ...object }), CONTEXT);
      if (fate.fate !== 'kept' || fate.record.record.kind !== 'progress') return;
      const { end, triggerMs, inputRows, sources } = fate.record.record;
      assert.ok(Number.isSafeInteger(end) && triggerMs >= 0);
      assert.ok(inputRows === null || inputRows >= 0);
      for (const { total } of sources.map(sourceLag)) assert.ok(total === null || total >= 0);
    }),
    { numRuns: 150 },
  );
});

test('rates of the sources add up where the query has none; one that is unknown makes all so', () => {
  const rates = (...inputRowsPerSecond: unknown[]) =>
    parseProgress({
      ...IDS,
      timestamp: '2026-11-21T08:00:00.000Z',
      sources: inputRowsPerSecond.map((rate) => ({ inputRowsPerSecond: rate, numInputRows: 5 })),
    });
  assert.equal(rates(1.5, 2.5).inputRowsPerSecond, 4);
  assert.equal(rates(1.5, 2.5).inputRows, 10);
  assert.equal(rates(1.5, 'NaN').inputRowsPerSecond, null);
  assert.equal(rates('Infinity').inputRowsPerSecond, null);
  assert.equal(rates().inputRowsPerSecond, null);
});

test('the end is the start and the trigger, else the batch, else the start', () => {
  const length = (fields: object) => {
    const { start, end } = parseProgress({
      ...IDS,
      timestamp: '2026-11-21T08:00:00.000Z',
      batchId: 0,
      ...fields,
    });
    return end - start;
  };
  assert.equal(length({ durationMs: { triggerExecution: 7, addBatch: 5 }, batchDuration: 8 }), 7);
  assert.equal(length({ durationMs: { addBatch: 5 }, batchDuration: 8 }), 8);
  assert.equal(length({ durationMs: { runContinuous: 9 } }), 9);
  assert.equal(length({ durationMs: { triggerExecution: -4 } }), 0);
  assert.equal(length({}), 0);
});

test('the watermark counts once it has left 1970', () => {
  const at = (watermark: string) =>
    parseProgress({
      ...IDS,
      timestamp: '2026-11-21T08:00:00.000Z',
      batchDuration: 1_000,
      durationMs: {},
      eventTime: { watermark },
    }).watermarkDelayMs;
  assert.equal(at('1970-01-01T00:00:00.000Z'), null);
  assert.equal(at('2026-11-21T07:59:00.000Z'), 61_000);
  assert.equal(at('2026-11-21T08:00:02.000Z'), -1_000);
});
