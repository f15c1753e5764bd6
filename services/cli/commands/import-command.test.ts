import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import {
  applicationEnd,
  applicationStart,
  environment,
  executorAdded,
  logStart,
  taskEnd,
} from '../../../test/support/event-log-lines.ts';
import { runCommand } from '../../../test/support/run-command.ts';
import { importCommand } from './import-command.ts';

const DAY = 86_400_000;
const AT = Date.UTC(2026, 9, 1);
const clock = { now: () => AT + 60 * DAY, elapsed: () => 0, sleep: async () => {} };

type Line = Readonly<Record<string, unknown>>;

/** Keeps what is pushed; the first answers are as given, then everything is stored. */
async function receiver(context: TestContext, first: readonly number[] = []) {
  const pushed: { headers: Line; lines: Line[] }[] = [];
  const answers = [...first];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const status = answers.shift() ?? 200;
    response.setHeader('content-type', 'application/json');
    if (status === 429) response.setHeader('retry-after', '7');
    response.statusCode = status;
    if (status !== 200) {
      response.end(JSON.stringify({ type: '', title: 'no', status, detail: 'x', code: 'Y' }));
      return;
    }
    const lines = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    pushed.push({ headers: request.headers, lines });
    const none = { duplicates: 0, dropped: 0, quarantined: 0, verdicts: [] };
    response.end(JSON.stringify({ stored: lines.length, ...none }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return { pushed, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function logs(context: TestContext, starts: Readonly<Record<string, number>>) {
  const path = await mkdtemp(join(tmpdir(), 'tollgate-import-'));
  context.after(() => rm(path, { recursive: true, force: true }));
  for (const [id, at] of Object.entries(starts)) {
    const properties = {
      'spark.master': 'spark://m:7077',
      'spark.tollgate.project': 'etl',
      'spark.team': 'a',
      'spark.password': 'hunter2',
    };
    const lines = [
      ...[logStart(), environment(properties), applicationStart(at, { 'App ID': id })],
      ...[executorAdded(at, '1'), taskEnd({ id: 1, launch: at + 1_000, finish: at + 3_000 })],
      applicationEnd(at + 10_000),
    ];
    await writeFile(join(path, id), `${lines.join('\n')}\n`);
  }
  return path;
}

test('an import sends facts as an agent would, with the slot time and no secrets', async (context) => {
  const { pushed, url } = await receiver(context);
  const path = await logs(context, { 'app-1': AT });
  const args = ['import', path, '--cluster', 'c-1', '--project', 'ml', '--url', url];
  const { out, err, exitCode } = await runCommand(
    importCommand,
    [...args, '--configuration', 'spark.team'],
    { clock },
  );
  assert.equal(exitCode, 0, err);
  assert.match(out, /^1 attempts imported: \d+ facts stored, 0 were there\n$/);
  const [{ headers, lines } = { headers: {}, lines: [] }] = pushed;
  assert.deepEqual([headers['tollgate-cluster'], headers['tollgate-project']], ['c-1', 'ml']);
  assert.deepEqual(
    lines.map(({ kind, id }) => [kind, id]),
    [
      ['application-seen', 'app-1//application/seen/1'],
      ['container-started', 'app-1//container/driver/started'],
      ['container-started', 'app-1//container/1/started'],
      ['container-stopped', 'app-1//container/driver/stopped'],
      ['container-stopped', 'app-1//container/1/stopped'],
      ['application-ended', 'app-1//application/ended'],
      ['activity', undefined],
    ],
  );
  assert.deepEqual(lines[0]?.['configuration'], {
    'spark.tollgate.project': 'etl',
    'spark.team': 'a',
  });
  assert.equal(lines.at(-1)?.['usefulMs'], 2_000);
  assert.ok(lines.every((line) => !('witness' in line) && !('project' in line)));
  assert.ok(!JSON.stringify(lines).includes('hunter2'));
});

test('applications that started too long ago are left out, and told', async (context) => {
  const { pushed, url } = await receiver(context);
  const path = await logs(context, { 'app-1': AT, 'app-0': AT - 40 * DAY });
  const { out } = await runCommand(
    importCommand,
    ['import', path, '--cluster', 'c', '--days', '90', '--url', url],
    { clock },
  );
  assert.match(out, /^1 attempts imported: .*; 1 started more than 90 days ago\n$/);
  assert.ok(pushed.flatMap(({ lines }) => lines).every((one) => one['application'] === 'app-1'));
});

test('a receiver that is busy is waited for; one that refuses ends the import', async (context) => {
  const path = await logs(context, { 'app-1': AT });
  const busy = await receiver(context, [429, 429]);
  const slept: number[] = [];
  const waiting = { ...clock, sleep: async (ms: number) => void slept.push(ms) };
  const args = ['import', path, '--cluster', 'c', '--url'];
  const done = await runCommand(importCommand, [...args, busy.url], { clock: waiting });
  assert.deepEqual([done.exitCode, slept, busy.pushed.length], [0, [7_000, 7_000], 1]);
  const closed = await receiver(context, [403]);
  assert.equal((await runCommand(importCommand, [...args, closed.url], { clock })).exitCode, 4);
});

test('what is no event log is named, the rest is imported, and the exit code says so', async (context) => {
  const { url } = await receiver(context);
  const path = await logs(context, { 'app-1': AT });
  await writeFile(join(path, 'readme'), 'no event\n');
  const args = ['import', path, '--cluster', 'c', '--url', url];
  const { out, err, exitCode } = await runCommand(importCommand, args, { clock });
  assert.equal(exitCode, 1);
  assert.match(out, /^1 attempts imported/);
  assert.match(err, /readme: it is no event log/);
  const unnamed = await runCommand(importCommand, ['import', path, '--cluster', 'a b']);
  assert.equal(unnamed.exitCode, 2);
});
