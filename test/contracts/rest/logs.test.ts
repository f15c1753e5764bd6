import assert from 'node:assert/strict';
import test from 'node:test';
import type { LogRecord } from '../../../shared/contracts/log-record.ts';
import { restFingerprints, restLogs } from '../../../shared/contracts/rest.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

const NOW = Date.UTC(2026, 10, 21, 9);
const PATH = '/v1/projects/team-a/logs';

function aLine(message: string, over: Partial<LogRecord> = {}): LogRecord {
  return {
    at: NOW - MINUTE_MS,
    project: 'team-a' as ProjectId,
    cluster: 'alpha',
    application: 'application_1_0001',
    container: 'driver',
    level: 'INFO',
    logger: 'org.apache.spark.SparkContext',
    thread: 'main',
    message,
    fingerprint: '00000000000000aa',
    marks: [],
    ...over,
  };
}

const write = (api: AskingApi, ...records: LogRecord[]) =>
  api.logWriter.write({ records, checkpoints: [] });

async function messages(api: AskingApi, query = ''): Promise<string[]> {
  const { logs } = await api.get(`${PATH}?${query}`, restLogs);
  return logs.map(({ message }) => message);
}

test('a line is found with all that is known of it', async () => {
  await using api = await askingApi();
  await write(api, aLine('Lost executor 3', { marks: ['masked'], level: 'ERROR' }));
  const { logs, cursor } = await api.get(`${PATH}?text=executor`, restLogs);
  assert.equal(cursor, null);
  const { key, ...line } = logs[0] ?? { key: '' };
  assert.ok(key.length > 0);
  assert.deepEqual(line, {
    at: '2026-11-21T08:59:00.000Z',
    project: 'team-a',
    cluster: 'alpha',
    application: 'application_1_0001',
    container: 'driver',
    level: 'ERROR',
    logger: 'org.apache.spark.SparkContext',
    thread: 'main',
    message: 'Lost executor 3',
    fingerprint: '00000000000000aa',
    marks: ['masked'],
  });
});

test('each filter narrows the answer', async () => {
  await using api = await askingApi();
  await write(
    api,
    aLine('one', { level: 'WARN', container: '1' }),
    aLine('two', { level: 'ERROR', application: 'application_1_0002' }),
    aLine('three', { fingerprint: '00000000000000bb' }),
    aLine('old', { at: NOW - 2 * HOUR_MS }),
  );
  assert.deepEqual((await messages(api)).sort(), ['one', 'three', 'two']);
  assert.deepEqual((await messages(api, 'level=WARN')).sort(), ['one', 'two'], 'or more severe');
  assert.deepEqual(await messages(api, 'level=ERROR'), ['two']);
  assert.deepEqual(await messages(api, 'text=ONE&level=WARN'), ['one']);
  assert.deepEqual(await messages(api, 'text=one&level=ERROR'), [], 'all of them hold');
  assert.deepEqual(await messages(api, 'application=application_1_0002'), ['two']);
  assert.deepEqual(await messages(api, 'container=1'), ['one']);
  assert.deepEqual(await messages(api, 'fingerprint=00000000000000bb'), ['three']);
  assert.deepEqual(await messages(api, 'from=-3h&until=-1h'), ['old']);
  assert.deepEqual(await messages(api, 'text=%20%20&level=ERROR'), ['two'], 'blank is no filter');
});

test('lines of another project are not found by any word or id', async () => {
  await using api = await askingApi();
  await api.stores.grants.register('team-a' as ProjectId);
  await write(api, aLine('secret word', { project: 'team-b' as ProjectId }));
  for (const query of ['', 'text=secret', 'application=application_1_0001']) {
    assert.deepEqual(await messages(api, query), []);
  }
});

test('a project that so far only logged is known by its lines', async () => {
  await using api = await askingApi();
  await write(api, aLine('hello'));
  assert.deepEqual(await messages(api), ['hello']);
  const theirs = await api.problem(api.ask('/v1/projects/team-b/logs'));
  assert.equal(theirs.status, 404);
});

test('pages hold every line once, newest first', async () => {
  await using api = await askingApi();
  const lines = Array.from({ length: 25 }, (_, i) =>
    aLine(`line ${i}`, { at: NOW - 25 * 1_000 + i * 1_000 }),
  );
  await write(api, ...lines);
  const found: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api.get(`${PATH}?limit=10${more}`, restLogs);
    found.push(...page.logs.map(({ message }) => message));
    cursor = page.cursor;
  }
  assert.deepEqual(found, lines.map(({ message }) => message).reverse());
});

test('repeats are grouped, the most frequent first, with an example', async () => {
  await using api = await askingApi();
  const often = { fingerprint: '00000000000000bb' };
  await write(api, aLine('rare 1'), aLine('often 1', often), aLine('often 2', often));
  const path = '/v1/projects/team-a/log-fingerprints';
  const { fingerprints } = await api.get(path, restFingerprints);
  assert.deepEqual(
    fingerprints.map(({ fingerprint, count }) => [fingerprint, count]),
    [
      ['00000000000000bb', 2],
      ['00000000000000aa', 1],
    ],
  );
  assert.match(fingerprints[0]?.example.message ?? '', /^often/);
  assert.equal((await api.get(`${path}?limit=1`, restFingerprints)).fingerprints.length, 1);
});

test('words of a query language are words, and hostile text finds nothing foreign', async () => {
  await using api = await askingApi();
  await api.stores.grants.register('team-a' as ProjectId);
  await write(api, aLine('plain line'), aLine('secret', { project: 'team-b' as ProjectId }));
  const hostile = ['"', "'; DROP TABLE x", 'a OR b*', 'NEAR(', '(', '*', '\u0000', '-plain'];
  for (const words of [...hostile, '" OR project:team-b', 'secret* OR *']) {
    const response = await api.ask(`${PATH}?text=${encodeURIComponent(words)}`);
    assert.ok(response.status === 200 || response.status === 400, `${words}: ${response.status}`);
    if (response.status === 400) {
      await api.problem(response);
      continue;
    }
    const { logs } = restLogs.parse(await response.json());
    assert.ok(
      logs.every(({ project }) => project === 'team-a'),
      words,
    );
  }
  assert.deepEqual(await messages(api), ['plain line']);
});

test('what is wrong with a search is said, each part by its name', async () => {
  await using api = await askingApi();
  const query = `level=LOUD&limit=1001&from=x&txt=a&fingerprint=${'0'.repeat(17)}`;
  const problem = await api.problem(api.ask(`${PATH}?${query}`));
  assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), [
    'query.fingerprint',
    'query.from',
    'query.level',
    'query.limit',
    'query.txt',
  ]);
  const cursor = await api.problem(api.ask(`${PATH}?cursor=nonsense`));
  assert.equal(cursor.code, 'BAD_REQUEST');
});
