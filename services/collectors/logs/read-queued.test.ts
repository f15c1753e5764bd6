import assert from 'node:assert/strict';
import test from 'node:test';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { QueuedRecord } from '../core/queue.ts';
import { LogQuotas } from './log-quotas.ts';
import { LocalTime } from './parse/local-time.ts';
import { readQueued } from './read-queued.ts';

const NOW = Date.UTC(2026, 10, 21, 9);

function read(format: string, ...records: readonly QueuedRecord[]) {
  const project = 'etl' as ProjectId;
  return readQueued(
    {
      origin: 'kafka:logs/3',
      records,
      format,
      project,
      cluster: 'main',
      receivedAt: NOW,
      bytes: 1,
    },
    {
      project,
      cluster: 'main',
      observedAt: NOW,
      maxRecordBytes: 10_000,
      zone: new LocalTime('UTC'),
      projectOf: undefined,
    },
  );
}

test("a JSON message keeps its sender's id, and has the message's where it has none", () => {
  const { records } = read(
    'json',
    { id: 'kafka:logs/3#1', text: '{"msg":"a","id":"own"}' },
    { id: 'kafka:logs/3#2', text: '{"msg":"b"}' },
    { id: 'kafka:logs/3#3', text: '{\n  "msg": "pretty-printed"\n}' },
  );
  assert.deepEqual(
    records.map(({ id, origin, message, project }) => [id, origin, message, project]),
    [
      ['own', 'kafka:logs/3#1', 'a', 'etl'],
      ['kafka:logs/3#2', 'kafka:logs/3#2', 'b', 'etl'],
      ['kafka:logs/3#3', 'kafka:logs/3#3', 'pretty-printed', 'etl'],
    ],
  );
});

test('a text message is an event with its stack trace, or as many as have a header', () => {
  const trace = 'java.lang.Error: é\n\tat a.B.c(B.java:1)';
  const { records } = read(
    'text',
    { id: 'kafka:logs/3#1', text: `26/11/21 08:00:00 ERROR Executor: failed\n${trace}\n` },
    {
      id: 'kafka:logs/3#2',
      text: '26/11/21 08:00:01 INFO A: one\n26/11/21 08:00:02 WARN B: two\n',
    },
    { id: 'kafka:logs/3#3', text: 'no header at all' },
  );
  assert.deepEqual(
    records.map(({ id, level, at, message }) => [id, level, at - NOW, message]),
    [
      ['kafka:logs/3#1', 'ERROR', -3_600_000, `failed\n${trace}`],
      ['kafka:logs/3#2', 'INFO', -3_599_000, 'one'],
      ['kafka:logs/3#2.1', 'WARN', -3_598_000, 'two'],
      ['kafka:logs/3#3', 'UNKNOWN', 0, 'no header at all'],
    ],
  );
});

test('what is not kept says why, and which topic, partition and offset it was', () => {
  const { quarantined, dropped, records } = read(
    'json',
    { id: 'kafka:logs/3#1', text: '26/11/21 08:00:00 INFO A: text' },
    { id: 'kafka:logs/3#2', text: ' \n' },
    { id: 'kafka:logs/3#3', text: 'ÿ', refused: { fate: 'quarantined', reason: 'not-utf8' } },
  );
  assert.equal(records.length, 0);
  assert.deepEqual([...dropped], [['blank', 1]]);
  assert.deepEqual(
    quarantined.map(({ id, source, reason, project }) => [id, source, reason, project]),
    [
      ['kafka:logs/3#1', 'kafka:logs/3?cluster=main&format=json', 'no-json-object', 'etl'],
      ['kafka:logs/3#3', 'kafka:logs/3?cluster=main&format=json', 'not-utf8', 'etl'],
    ],
  );
});

test("messages count for their project's log quota as lines of files do", async () => {
  const clock = new FakeClock(NOW);
  const project = 'etl' as ProjectId;
  const quotas = new LogQuotas([{ project, bytesPerDay: 1_000 } as never], {
    clock,
    metrics: new Metrics(),
  });
  const take = (first: number) => {
    const records = Array.from({ length: 60 }, (_, n) => ({
      id: `kafka:logs/3#${first + n}`,
      text: JSON.stringify({ level: n % 10 === 0 ? 'ERROR' : 'DEBUG', msg: 'x'.repeat(500) }),
    }));
    const queued = { origin: 'kafka:logs/3', format: 'json', project, cluster: 'main', records };
    const rest = { maxRecordBytes: 10_000, zone: new LocalTime('UTC'), projectOf: undefined };
    const context = { project, cluster: 'main', observedAt: NOW, ...rest };
    return readQueued({ ...queued, receivedAt: NOW, bytes: 1 }, context, quotas);
  };
  take(0);
  await clock.advance(1_100);
  const { records, dropped } = take(60);
  const left = dropped.get('over-quota-debug') ?? 0;
  assert.ok(left > 0);
  assert.equal(records.length + left, 60);
  assert.equal(records.filter(({ level }) => level === 'ERROR').length, 6);
});
