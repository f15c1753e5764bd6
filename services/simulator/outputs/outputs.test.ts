import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Platform } from '../platform/platform.ts';
import { Random } from '../platform/random.ts';
import { FileOutput } from './file-output.ts';
import { GraphiteOutput } from './graphite-output.ts';
import { ProgressOutput } from './progress-output.ts';
import { startStandaloneRest, startYarnRest } from './rest-server.ts';

const START = Date.UTC(2026, 10, 21, 8);
const never = new AbortController().signal;

async function temporary() {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-sim-'));
  return {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

test('applications leave event logs and container logs where Spark leaves them', async () => {
  await using place = await temporary();
  const platform = new Platform(7, START);
  const output = new FileOutput({
    eventLogs: (cluster) => join(place.folder, cluster, 'event-logs'),
    logs: (cluster) => join(place.folder, cluster, 'logs'),
  });
  const ended: string[] = [];
  for (let minute = 1; minute <= 20; minute += 1) {
    const events = platform.advance(START + minute * 60_000);
    for (const event of events) {
      if (event.kind === 'application-ended' && event.app.id.startsWith('application_')) {
        ended.push(`${event.app.id}_1`);
      }
    }
    await output.write(events, platform.now);
  }
  const names = await readdir(join(place.folder, 'yarn-main', 'event-logs'));
  assert.ok(ended.length > 0 && ended.every((name) => names.includes(name)));
  assert.ok(names.some((name) => name.endsWith('.inprogress')));
  const text = await readFile(
    join(place.folder, 'yarn-main', 'event-logs', ended[0] ?? ''),
    'utf8',
  );
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(lines[0].Event, 'SparkListenerLogStart');
  assert.equal(lines.at(-1).Event, 'SparkListenerApplicationEnd');
  const containers = await readdir(
    join(place.folder, 'yarn-main', 'logs', (ended[0] ?? '').slice(0, -2)),
  );
  const stderr = await readFile(
    join(
      place.folder,
      'yarn-main',
      'logs',
      (ended[0] ?? '').slice(0, -2),
      containers[0] ?? '',
      'stderr',
    ),
    'utf8',
  );
  assert.match(stderr, /^26\/11\/21 08:\d\d:\d\d INFO /);
});

test('a report goes to the Graphite port, a line for each metric', async () => {
  const received: Buffer[] = [];
  const server = createTcpServer((socket) => {
    socket.on('data', (chunk) => received.push(Buffer.from(chunk)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const closed = once(server, 'connection').then(([socket]) => once(socket, 'close'));
  const events = new Platform(7, START).advance(START + 30_000);
  await new GraphiteOutput((server.address() as AddressInfo).port).write(events, never);
  await closed;
  server.close();
  const lines = Buffer.concat(received).toString().trimEnd().split('\n');
  assert.ok(lines.length > 5);
  for (const line of lines) assert.match(line, /^\S+ -?[\d.]+ \d{10}$/);
});

test('progress that is refused is sent again, with nothing lost', async () => {
  const received: { batchId: number; name: string }[] = [];
  let refusals = 3;
  const server = createServer(async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk);
    if (refusals > 0) {
      refusals -= 1;
      response.writeHead(429).end();
      return;
    }
    received.push(
      ...Buffer.concat(body)
        .toString()
        .trimEnd()
        .split('\n')
        .map((l) => JSON.parse(l)),
    );
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const platform = new Platform(7, START);
  const output = new ProgressOutput(url, new Random(1));
  let sent = 0;
  for (let i = 1; i <= 60; i += 1) {
    const events = platform.advance(START + i * 10_000);
    sent += events.filter(({ kind }) => kind === 'progress').length;
    await output.write(events, never);
  }
  for (let i = 0; i < 20; i += 1) await output.write([], never);
  server.closeAllConnections();
  server.close();
  const different = new Set(received.map(({ name, batchId }) => `${name}/${batchId}`));
  assert.equal(different.size, sent);
});

test('the managers answer with what runs, and 404 for what they do not have', async () => {
  const platform = new Platform(7, START);
  platform.advance(START + 600_000);
  await using manager = await startYarnRest(platform);
  await using master = await startStandaloneRest(platform);
  const get = async (url: string) => {
    const response = await fetch(url);
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  const { body } = await get(`${manager.url}/ws/v1/cluster/apps`);
  const running = body.apps.app.find((app: { state: string }) => app.state === 'RUNNING');
  const attempts = `${manager.url}/ws/v1/cluster/apps/${running.id}/appattempts`;
  const attempt = (await get(attempts)).body.appAttempts.appAttempt[0];
  const containers = (await get(`${attempts}/${attempt.appAttemptId}/containers`)).body.container;
  assert.equal(containers.length, running.runningContainers);
  assert.equal(
    containers.reduce((sum: number, c: { allocatedMB: number }) => sum + c.allocatedMB, 0),
    running.allocatedMB,
  );
  assert.equal((await get(`${manager.url}/ws/v1/cluster/apps/application_1_1`)).status, 404);

  const state = (await get(`${master.url}/json/`)).body;
  assert.equal(state.status, 'ALIVE');
  const workers = await Promise.all(
    state.workers.map((worker: { webuiaddress: string }) => get(`${worker.webuiaddress}/json/`)),
  );
  const executors = workers.flatMap((worker) => worker.body.executors);
  const cores = executors.reduce((sum, executor) => sum + executor.appdesc.cores, 0);
  assert.equal(cores, state.coresused);
});
