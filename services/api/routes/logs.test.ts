import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRecord } from '../../../shared/contracts/log-record.ts';
import { restFingerprints, restLogs } from '../../../shared/contracts/rest.ts';
import { SECOND_MS } from '../../../shared/values/instant.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { ETL, ML } from '../../../test/support/ledger-builders.ts';
import { problemOf } from '../../../test/support/problem-of.ts';
import { type RunningApi, runningApi } from '../../../test/support/running-api.ts';

function aLog(message: string, more: Partial<LogRecord> = {}): LogRecord {
  return {
    at: T0 - 60 * SECOND_MS,
    project: ETL,
    cluster: 'yarn-1',
    application: 'app-1',
    container: 'driver',
    level: 'INFO',
    logger: 'org.apache.spark.SparkContext',
    thread: 'main',
    message,
    fingerprint: '00000000000000aa',
    marks: [],
    ...more,
  };
}

async function withLogs(records: readonly LogRecord[]): Promise<RunningApi> {
  const api = await runningApi({ now: T0 });
  await api.logWriter.write({ records, checkpoints: [] });
  return api;
}

const LOGS = '/v1/projects/etl/logs';

test('lines are found by word, level, application and container, newest first', async () => {
  await using api = await withLogs([
    aLog('Running Spark version 4.1.2', { at: T0 - 50 * SECOND_MS }),
    aLog('Lost executor 3', { level: 'ERROR', at: T0 - 40 * SECOND_MS, container: '3' }),
    aLog('Lost task 1', { level: 'WARN', at: T0 - 30 * SECOND_MS, application: 'app-2' }),
  ]);
  const messages = async (query: string) =>
    (await api.get(`${LOGS}?${query}`, restLogs)).logs.map(({ message }) => message);
  assert.deepEqual(await messages('text=lost'), ['Lost task 1', 'Lost executor 3']);
  assert.deepEqual(await messages('text=lost&level=ERROR'), ['Lost executor 3']);
  assert.deepEqual(await messages('level=WARN&application=app-2'), ['Lost task 1']);
  assert.deepEqual(await messages('container=3'), ['Lost executor 3']);
  assert.deepEqual(await messages('from=-35s'), ['Lost task 1']);
  assert.equal((await messages('')).length, 3);
});

test('hostile text is text: it is neither query syntax nor another project', async () => {
  await using api = await withLogs([aLog('plain'), aLog('secret of ml', { project: ML })]);
  for (const text of [
    '" OR project:ml',
    'secret* OR *',
    "'; DROP TABLE log;--",
    '"',
    '(',
    'NEAR(',
  ]) {
    const { logs } = await api.get(`${LOGS}?text=${encodeURIComponent(text)}`, restLogs);
    assert.ok(
      logs.every(({ project }) => project === 'etl'),
      text,
    );
  }
  const { logs } = await api.get('/v1/projects/ml/logs', restLogs);
  assert.equal(logs.length, 1, 'a project that only logs can be searched');
});

test('pages join without gap or repeat', async () => {
  const records = Array.from({ length: 25 }, (_, i) => aLog(`line ${i}`, { at: T0 - 1_000 - i }));
  await using api = await withLogs(records);
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api.get(`${LOGS}?limit=10${more}`, restLogs);
    seen.push(...page.logs.map(({ message }) => message));
    cursor = page.cursor;
  }
  assert.deepEqual(
    seen,
    records.map(({ message }) => message),
  );
});

test('repeats are grouped by fingerprint with an example', async () => {
  const other = { fingerprint: '00000000000000bb' };
  await using api = await withLogs([aLog('task 1'), aLog('task 2'), aLog('once', other)]);
  const path = '/v1/projects/etl/log-fingerprints';
  const { fingerprints } = await api.get(path, restFingerprints);
  assert.deepEqual(
    fingerprints.map(({ fingerprint, count }) => [fingerprint, count]),
    [
      ['00000000000000aa', 2],
      ['00000000000000bb', 1],
    ],
  );
});

test('a search that is not understood names each wrong part', async () => {
  await using api = await withLogs([]);
  const query = 'level=LOUD&limit=0&from=soon&texts=x';
  const problem = await problemOf(await fetch(`${api.url}${LOGS}?${query}`), 400);
  assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), [
    'query.from',
    'query.level',
    'query.limit',
    'query.texts',
  ]);
  await problemOf(await fetch(`${api.url}${LOGS}?text=a&text=b`), 400);
  await problemOf(await fetch(`${api.url}${LOGS}?cursor=zzz`), 400).catch(async () => undefined);
});
