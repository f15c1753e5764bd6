import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import { systemClock } from '../../../shared/runtime/clock.ts';
import type { LogWriter } from '../../../shared/stores/log-store.ts';
import { openLogReader } from '../../../shared/stores/sql/log-reader.ts';
import { openLogWriter } from '../../../shared/stores/sql/log-writer.ts';
import { openQuarantine } from '../../../shared/stores/sql/quarantine-store.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { logsConfig } from './config.ts';
import { type LogsDeps, startLogs } from './start.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logs-start-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ETL = 'etl' as ProjectId;
const FAST = { quietMs: 10, pollIntervalMs: 1, scanIntervalMs: 2 };

function write(path: string, text: string | Buffer): string {
  const full = join(folder, 'in', path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

async function open(config: object, over: Partial<LogsDeps> = {}) {
  const writer = await openLogWriter({
    folder: join(folder, 'logs'),
    clock: systemClock,
    limits: { commitIntervalMs: 0, diskReserveBytes: 0 },
  });
  const quarantine = await openQuarantine({ file: join(folder, 'quarantine.db') });
  const metrics = new Metrics();
  const collector = await startLogs({
    config: logsConfig.parse({ ...FAST, ...config }),
    writer,
    quarantine,
    clock: systemClock,
    random: () => 0,
    logger: silentLogger,
    metrics,
    spoolFolder: join(folder, 'spool'),
    ...over,
  });
  const reader = await openLogReader({ folder: join(folder, 'logs') });
  const find = async (text: string, project = ETL) =>
    (await reader.search(project, { from: 0, until: Date.UTC(2040, 0, 1), limit: 1_000, text }))
      .records;
  return {
    collector,
    quarantine,
    metrics,
    reader,
    find,
    /** Turns the event loop until the store has it. */
    async until(done: () => Promise<boolean>): Promise<void> {
      for (let turns = 0; turns < 20_000; turns += 1) {
        if (await done()) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.fail('it never came');
    },
    async [Symbol.asyncDispose]() {
      await collector[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
      await quarantine[Symbol.asyncDispose]();
    },
  };
}

const line = (text: string): string => `26/11/21 07:00:00 INFO Test: ${text}\n`;

test('a file is found by the application and container of its path', async () => {
  write('application_7_0001/container_7_0001_01_000002/stderr', line('yarn'));
  write('spark/container_e18_7_0009_01_000001/stderr', line('by container'));
  await using logs = await open({
    files: [
      {
        paths: [`${folder}/in/{application}/{container}/stderr`],
        project: 'etl',
        cluster: 'yarn-1',
      },
    ],
  });
  await logs.until(async () => (await logs.find('test')).length === 2);
  const [record] = await logs.find('yarn');
  assert.deepEqual(
    [record?.application, record?.container, record?.cluster, record?.at],
    ['application_7_0001', 'container_7_0001_01_000002', 'yarn-1', Date.UTC(2026, 10, 21, 7)],
  );
});

test('the project comes from the path, else from the application, else it is unattributed', async () => {
  write('ml/a1/x.log', line('one'));
  write('Not A Project!/known/x.log', line('two'));
  write('Not A Project!/unknown/x.log', line('three'));
  await using logs = await open(
    {
      files: [{ paths: [`${folder}/in/{project}/{application}/x.log`] }],
      attributionWaitMs: 0,
    },
    { projectOf: (_cluster, application) => (application === 'known' ? ETL : undefined) },
  );
  await logs.until(
    async () => (await logs.find('three', 'unattributed' as ProjectId)).length === 1,
  );
  await logs.until(async () => (await logs.find('one', 'ml' as ProjectId)).length === 1);
  await logs.until(async () => (await logs.find('two')).length === 1);
});

test('an event goes on over a rotation, half a line too', async () => {
  const path = write(
    'x.log',
    `${line('first')}26/11/21 07:00:01 ERROR Test: failure\n\tat a\n\tat ha`,
  );
  await using logs = await open({
    files: [{ paths: [`${folder}/in/x.log`], project: 'etl' }],
    quietMs: 60_000,
  });
  await logs.until(async () => (await logs.find('first')).length === 1);
  renameSync(path, `${path}.1`);
  write('x.log', `lf\n\tat b\n${line('last')}`);
  await logs.until(async () => (await logs.find('failure')).length === 1);
  assert.equal((await logs.find('failure'))[0]?.message, 'failure\n\tat a\n\tat half\n\tat b');
});

test('stopping in the middle of an event and starting again gives it whole, once', async () => {
  const path = write('x.log', `${line('first')}26/11/21 07:00:01 ERROR Test: failure\n\tat a\n`);
  const config = { files: [{ paths: [`${folder}/in/x.log`], project: 'etl' }], quietMs: 60_000 };
  {
    await using logs = await open(config);
    await logs.until(async () => (await logs.find('first')).length === 1);
  }
  appendFileSync(path, `\tat b\n${line('last')}${line('more')}`);
  await using logs = await open(config);
  await logs.until(async () => (await logs.find('last')).length === 1);
  const found = await logs.find('test');
  assert.deepEqual(found.map(({ message }) => message).sort(), [
    'failure\n\tat a\n\tat b',
    'first',
    'last',
  ]);
});

test('a Kubernetes container log is unwrapped, events kept whole over a restart', async () => {
  const cri = (text: string, flag = 'F'): string =>
    `2026-11-21T07:00:00.1Z stderr ${flag} ${text}\n`;
  const failure = `${cri('26/11/21 07:00:01 ERROR Test: ', 'P')}${cri('failure')}${cri('\tat a')}`;
  const path = write('ns_driver-1_u/spark/0.log', cri(line('first').trim()) + failure);
  const paths = [`${folder}/in/{namespace}_{application}_{uid}/{container}/*.log`];
  const config = { files: [{ paths, project: 'etl' }], quietMs: 60_000 };
  {
    await using logs = await open(config);
    await logs.until(async () => (await logs.find('first')).length === 1);
  }
  appendFileSync(path, `${cri('\tat b')}${cri(line('last').trim())}${cri(line('more').trim())}`);
  await using logs = await open(config);
  await logs.until(async () => (await logs.find('last')).length === 1);
  const found = (await logs.find('test')).map(({ message }) => message).sort();
  assert.deepEqual(found, ['failure\n\tat a\n\tat b', 'first', 'last']);
  assert.equal((await logs.find('first'))[0]?.application, 'driver-1');
});

test('a binary file is quarantined once, not line by line, and not again after a restart', async () => {
  write('b.log', Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 256)));
  write('c.log', line('text'));
  const config = { files: [{ paths: [`${folder}/in/*.log`], project: 'etl' }] };
  for (let start = 0; start < 2; start += 1) {
    await using logs = await open(config);
    await logs.until(async () => (await logs.find('text')).length === 1);
    await logs.until(async () => (await logs.quarantine.count()).length === 1);
    assert.deepEqual(await logs.quarantine.count(), [
      { collector: 'logs', reason: 'binary', records: 1 },
    ]);
    assert.equal((await logs.find('')).length, 1);
  }
});

test('a hole at the beginning of a file hides none of its lines, however long it is', async () => {
  const line = '26/11/21 10:00:00 INFO Executor: behind\n';
  write('app-1/c-1/stderr', Buffer.concat([Buffer.alloc(3_000_000), Buffer.from(line)]));
  await using run = await open({
    files: [{ paths: [`${folder}/in/{application}/{container}/stderr`], project: 'etl' }],
  });
  await run.until(async () => (await run.find('behind')).length === 1);
  assert.equal((await run.find('behind'))[0]?.message, 'behind');
});

test('a burst over one connection arrives whole, in JSON and text lines', async () => {
  await using logs = await open({ tcp: [{ port: 0, project: 'etl' }], batchRecords: 5_000 });
  const [address] = logs.collector.tcpAddresses;
  const socket = connect(address?.port ?? 0, '127.0.0.1');
  const count = 20_000;
  for (let i = 0; i < count; i += 1) {
    const json = `{"@timestamp":"2026-11-21T07:00:00Z","level":"INFO","message":"json ${i}"}\n`;
    socket.write(i % 2 === 0 ? json : `26/11/21 07:00:00 INFO T: text ${i}\n\tat x\n`);
  }
  socket.end('26/11/21 07:00:00 INFO T: the end\0');
  await once(socket, 'close');
  const total = async () => (await logs.reader.volume(ETL, 0)).records;
  await logs.until(async () => (await total()) === count + 1);
  assert.equal((await logs.find('"the end"'))[0]?.message, 'the end');
  assert.equal((await logs.find('"text 19999"'))[0]?.message, 'text 19999\n\tat x');
  assert.equal((await logs.find('"json 19998"'))[0]?.level, 'INFO');
});

test('over TCP the last event of a quiet connection is stored, and a sender may name a project', async () => {
  await using logs = await open({ tcp: [{ port: 0 }] });
  const [address] = logs.collector.tcpAddresses;
  const socket = connect(address?.port ?? 0, '127.0.0.1');
  socket.write('{"message":"mine","project":"etl"}\n26/11/21 07:00:00 INFO T: lonely\n');
  await logs.until(
    async () => (await logs.find('lonely', 'unattributed' as ProjectId)).length === 1,
  );
  assert.equal((await logs.find('mine')).length, 1);
  socket.destroy();
});

test('a store that is away lets lines over TCP wait on disk, and loses none', async () => {
  let away = true;
  const real = await openLogWriter({
    folder: join(folder, 'logs'),
    clock: systemClock,
    limits: { commitIntervalMs: 0, diskReserveBytes: 0 },
  });
  const writer: LogWriter = {
    checkpoints: (prefix) => real.checkpoints(prefix),
    write: (batch) => {
      if (away) return Promise.reject(new AppError('STORE_UNAVAILABLE', 'away'));
      return real.write(batch);
    },
    [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
  };
  const logs = await open({ tcp: [{ port: 0, project: 'etl' }], spoolBytes: 1 << 20 }, { writer });
  const [address] = logs.collector.tcpAddresses;
  const socket = connect(address?.port ?? 0, '127.0.0.1');
  const lines = 40_000;
  for (let i = 0; i < lines; i += 1) socket.write(line(`${i} ${'x'.repeat(100)}`));
  socket.end();
  // Six times the spool was sent: the sender is held back.
  await logs.until(async () => logs.metrics.values('tollgate_store_retries_total').size > 0);
  for (let i = 0; i < 100; i += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(socket.closed, false);
  away = false;
  await once(socket, 'close');
  await logs.until(async () => (await logs.reader.volume(ETL, 0)).records === lines);
  await logs[Symbol.asyncDispose]();
  await real[Symbol.asyncDispose]();
});

test('a quarantined line that is understood by now is replayed, once', async () => {
  await using logs = await open({});
  const refused = {
    collector: 'logs' as const,
    source: 'main',
    reason: 'no-message',
    project: 'etl',
    observedAt: Date.UTC(2026, 10, 21),
  };
  const records = [
    { ...refused, id: 'a', raw: '{"msg":"now it is understood"}' },
    { ...refused, id: 'b', raw: 'still not' },
  ];
  await logs.quarantine.put(records);
  assert.deepEqual(await logs.collector.replay(records), { stored: 1, refused: 1 });
  assert.deepEqual(await logs.collector.replay(records), { stored: 0, refused: 1 });
  assert.deepEqual(
    (await logs.quarantine.list({ limit: 9 })).map(({ id }) => id),
    ['b'],
  );
  assert.equal((await logs.find('understood')).length, 1);
});

test('more pushed bytes than may wait are refused at once', async () => {
  await using logs = await open({ maxRequestBytes: 1_000 });
  const push = () =>
    logs.collector.ingest({
      body: Buffer.from(`{"msg":"${'x'.repeat(900)}"}\n`),
      project: ETL,
      cluster: 'main',
      receivedAt: systemClock.now(),
    });
  const results = await Promise.allSettled([push(), push()]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  await assert.doesNotReject(push());
});

test('a zone that does not exist is a problem of the configuration', () => {
  const result = logsConfig.safeParse({ files: [{ paths: ['/x'], zone: 'Mars/Base' }] });
  assert.equal(result.success, false);
});
