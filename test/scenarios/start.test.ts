import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { RunningTollgate, temporaryFolder } from '../support/running-tollgate.ts';

const MAIN = resolve(import.meta.dirname, '../../services/cli/main.ts');

function tollgate(args: readonly string[]) {
  const done = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 30_000 });
  return { status: done.status, out: done.stdout, err: done.stderr };
}

test('a taken port is named with the options that change it', async () => {
  await using folder = await temporaryFolder();
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const file = join(folder.path, 'tollgate.yaml');
  await writeFile(file, `dataFolder: ${join(folder.path, 'data')}\nmetrics: { graphite: [] }\n`);
  const { status, err } = tollgate(['start', '-c', file, '--port', String(port)]);
  assert.equal(status, 1);
  assert.match(err, new RegExp(`port ${port} .*taken`));
  assert.match(err, /--port/);
  other.close();
});

test('a second Tollgate on the same data folder is refused', async () => {
  await using folder = await temporaryFolder();
  const config = { metrics: { graphite: [] } };
  await using first = await RunningTollgate.start(folder.path, config);
  await assert.rejects(RunningTollgate.start(folder.path, config), /another Tollgate uses/);
  assert.equal(await first.stop(), 0);
  await using again = await RunningTollgate.start(folder.path, config);
  assert.equal(await again.stop(), 0);
});

test('the printed reference is a configuration that can be started', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'reference.yaml');
  const reference = tollgate(['config', 'reference']);
  assert.equal(reference.status, 0, reference.err);
  await writeFile(file, reference.out);
  const check = tollgate(['config', 'check', file]);
  assert.equal(check.status, 0, check.err);
});

test('a job of 1,000 cores is in the balance within 15 s of its start', async (t) => {
  await using folder = await temporaryFolder();
  await using running = await RunningTollgate.start(folder.path, {
    metrics: { graphite: [] },
    metering: { projects: [{ id: 'big', grants: [{ id: 'g', credits: '1000' }] }] },
  });
  const start = Date.now();
  const fact = (kind: string, more: object) =>
    `${JSON.stringify({
      kind,
      cluster: 'c',
      application: 'app-1',
      attempt: '',
      ...more,
    })}\n`;
  const seen = () =>
    Array.from({ length: 125 }, (_, i) =>
      fact('seen', { container: `app-1//${i}`, until: Date.now() }),
    ).join('');
  const facts =
    fact('application-seen', {
      id: 'app-1/seen',
      at: start,
      name: 'big job',
      user: 'u',
      queue: '',
      project: 'big',
      tags: {},
      url: '',
    }) +
    Array.from({ length: 125 }, (_, i) =>
      fact('container-started', {
        id: `app-1/${i}/started`,
        at: start,
        container: `app-1//${i}`,
        role: 'executor',
        resources: { millicores: 8_000, memoryMib: 16_384, gpus: 0 },
        host: 'h',
        reason: '',
      }),
    ).join('');
  const send = async (body: string) => {
    const answer = await running.post('/v1/ingest/containers', body, { 'tollgate-cluster': 'c' });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    assert.equal(JSON.parse(text).quarantined, 0, text);
  };
  await send(facts);
  const check = async () => {
    await send(seen());
    const answer = await running.post('/v1/quota-checks', '{"project":"big"}');
    return (await answer.json()) as { allowed: boolean; balance: string };
  };
  // Three times the limit, since the machine may be busy; the time measured is printed.
  const { allowed } = await running.until(check, ({ balance }) => Number(balance) < 1_000, 45_000);
  t.diagnostic(`in the balance after ${Date.now() - start} ms`);
  assert.equal(allowed, true);
});

/** The threads of JavaScript beside the main one, as Linux calls them. Source: proc_pid_comm(5). */
function workersOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const names = tasks.map((id) => readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim());
  return names.filter((name) => name === 'WorkerThread').length;
}

test('without threads, one thread takes in, charges and answers', async () => {
  await using folder = await temporaryFolder();
  const config = { threads: false, metrics: { graphite: [] } };
  await using running = await RunningTollgate.start(folder.path, config);
  const at = Date.now() - 60_000;
  const records = {
    logs: { id: 'l1', ts: at, level: 'INFO', message: 'inline works', application: 'app-1' },
    metrics: { measurement: 'm', field: 'f', at, value: 3 },
    containers: {
      ...{ kind: 'application-seen', id: 'app-1/seen', cluster: 'c', application: 'app-1', at },
      ...{ attempt: '', name: 'n', user: 'u', queue: '', project: 'etl', tags: {}, url: '' },
    },
  };
  const headers = { 'tollgate-cluster': 'c', 'tollgate-project': 'etl' };
  for (const [collector, record] of Object.entries(records)) {
    const answer = await running.post(`/v1/ingest/${collector}`, JSON.stringify(record), headers);
    assert.equal(answer.status, 200, `${collector}: ${await answer.text()}`);
  }
  const range = 'from=-15m&until=now';
  const from = (path: string) => running.get<Record<string, unknown[]>>(`/v1/projects/etl/${path}`);
  const logs = () => from(`logs?${range}&text=inline`);
  await running.until(logs, (page) => page['logs']?.length === 1);
  const { series } = await from(`metrics?measurement=m&field=f&step=0&${range}`);
  assert.equal(series?.length, 1);
  // There is no project before it holds something.
  const applications = () => from('applications').catch(() => ({ applications: [] }));
  await running.until(applications, (page) => page['applications']?.length === 1);
  assert.equal(workersOf(running.pid), 0);
  assert.equal(await running.stop(), 0);
});

test('a command says how to start Tollgate when none answers', () => {
  const { status, err } = tollgate(['balance', '--url', 'http://127.0.0.1:1']);
  assert.equal(status, 3);
  assert.match(err, /tollgate (start|demo)/);
});
