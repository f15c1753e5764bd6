import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLedger } from '../../../shared/stores/sql/open-ledger.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { utcDay } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { AnsweringServer } from '../../../test/support/answering-server.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import type { BytesReader } from './bytes-reader.ts';
import { directoryBytes } from './directory-bytes.ts';
import { UsagePoller } from './usage-poller.ts';
import { usageReaders } from './usage-readers.ts';
import { webhdfsBytes } from './webhdfs-bytes.ts';

const ETL = 'etl' as ProjectId;
const NEVER = new AbortController().signal;

/** As a NameNode 3.3 answers GETCONTENTSUMMARY: one file of 24,930 bytes, three replicas. */
const SUMMARY = {
  ContentSummary: {
    ...{ directoryCount: 2, ecPolicy: 'Replicated', fileCount: 1, length: 24_930, quota: -1 },
    ...{ snapshotDirectoryCount: 0, snapshotFileCount: 0, snapshotLength: 0 },
    ...{ snapshotSpaceConsumed: 0, spaceConsumed: 74_790, spaceQuota: -1, typeQuota: {} },
  },
};
const NOT_FOUND = {
  text: '{"RemoteException":{"exception":"FileNotFoundException","message":"no such"}}',
  status: 404,
};

test('a folder counts its files, deep down, and follows no link', async () => {
  await using folder = await temporaryFolder();
  mkdirSync(join(folder.path, 'a/b'), { recursive: true });
  writeFileSync(join(folder.path, 'one'), '123');
  writeFileSync(join(folder.path, 'a/b/two'), 'x'.repeat(1_000));
  symlinkSync('/usr', join(folder.path, 'a/link'));
  const reader = directoryBytes({ project: ETL, path: folder.path });
  assert.equal(await reader.read(0, NEVER), 1_003n);
  const few = directoryBytes({ project: ETL, path: folder.path }, { entriesMax: 3 });
  await assert.rejects(few.read(0, NEVER), /more than 3 files; measure its folders apart/);
  const missing = directoryBytes({ project: ETL, path: join(folder.path, 'none') });
  await assert.rejects(missing.read(0, NEVER), { code: 'INPUT_UNREADABLE' });
  const aborted = new AbortController();
  aborted.abort(new Error('stop'));
  await assert.rejects(reader.read(0, aborted.signal), /stop/);
});

test('HDFS tells what a folder takes on its disks; what it tells otherwise is no reading', async () => {
  await using server = await AnsweringServer.open();
  server.set({
    '/webhdfs/v1/projects/etl%20%231': { json: SUMMARY },
    '/webhdfs/v1/odd': { json: { ContentSummary: { length: 5 } } },
    '/webhdfs/v1/gone': NOT_FOUND,
  });
  const reader = (path: string) =>
    webhdfsBytes(
      { project: ETL, url: server.url, path, user: 'tollgate' },
      { clock: new FakeClock() },
    );
  assert.equal(await reader('/projects/etl #1').read(0, NEVER), 74_790n);
  assert.match(
    server.asked[0] ?? '',
    /^\/webhdfs\/v1\/projects\/etl%20%231\?op=GETCONTENTSUMMARY&user.name=tollgate$/,
  );
  for (const path of ['/odd', '/gone']) {
    await assert.rejects(reader(path).read(0, NEVER), { code: 'CLUSTER_UNAVAILABLE' });
  }
});

const logs = {
  async volume(project: ProjectId, from: number) {
    return { records: 1, bytes: from === 0 ? 900 : project === ETL ? 70 : 30 };
  },
};

test('the configuration says what is measured', async () => {
  const clock = new FakeClock();
  const readers = usageReaders(
    [
      {
        id: 'etl',
        limits: { logBytesPerDay: 5 },
        storage: [
          { type: 'directory', path: '/data' },
          { type: 'webhdfs', url: 'http://nn:9870', path: '/etl' },
          { type: 'logs' },
        ],
      },
      { id: 'ml', limits: {}, storage: [] },
    ],
    { clock, logs, logLimited: ['etl', 'ads'] },
  );
  assert.deepEqual(
    readers.map(({ project, kind, part }) => [project, kind, part]),
    [
      ['etl', 'stored-bytes', 'directory:/data'],
      ['etl', 'stored-bytes', 'webhdfs:nn:9870/etl'],
      ['etl', 'stored-bytes', 'logs'],
      ['etl', 'log-bytes', 'logs'],
      ['ads', 'log-bytes', 'logs'],
    ],
  );
  const now = clock.now();
  assert.equal(await readers[2]?.read(now, NEVER), 900n);
  assert.equal(await readers[3]?.read(now, NEVER), 70n);
  assert.ok(utcDay(now) > 0);
});

test('what answers is told with its time; what fails keeps its last reading and is counted', async () => {
  const clock = new FakeClock();
  const metrics = new Metrics();
  await using ledger = await openLedger({ file: ':memory:' });
  await ledger.grants.register(ETL);
  let answer = 5n;
  const reader = (part: string): BytesReader => ({
    ...{ project: ETL, kind: 'stored-bytes', part },
    async read() {
      if (part === 'b' && answer > 5n) throw new Error('away');
      return answer;
    },
  });
  const readers = [reader('a'), reader('b')];
  const deps = { usage: ledger.usage, intervalMs: 1_000, lease: undefined, clock, metrics };
  const poller = new UsagePoller({ ...deps, readers, logger: silentLogger });
  const told = async () => (await ledger.ledgerReader.balance(ETL))?.readings;
  const stop = new AbortController();
  const start = clock.now();
  const running = poller.run(stop.signal);
  while (clock.sleepers === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await told(), [{ kind: 'stored-bytes', used: 10n, asOf: start }]);
  answer = 7n;
  await clock.advance(1_000);
  while (clock.sleepers === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await told(), [{ kind: 'stored-bytes', used: 12n, asOf: start }]);
  assert.deepEqual(
    [...metrics.values('tollgate_usage_readings_failed_total')],
    [['{kind="stored-bytes"}', 1]],
  );
  stop.abort();
  await running;
  // What isn't configured any more counts no more.
  await new UsagePoller({ ...deps, readers: [reader('a')], logger: silentLogger }).measure(NEVER);
  assert.deepEqual(await told(), [{ kind: 'stored-bytes', used: 7n, asOf: clock.now() }]);
});

test('of several meters only the one with the lease measures', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  await ledger.grants.register(ETL);
  const reader: BytesReader = {
    ...{ project: ETL, kind: 'stored-bytes', part: 'a' },
    read: () => assert.fail('it was read'),
  };
  const poller = new UsagePoller({
    ...{ readers: [reader], usage: ledger.usage, intervalMs: 1, clock: new FakeClock() },
    lease: { fence: async () => undefined },
    ...{ logger: silentLogger, metrics: new Metrics() },
  });
  await poller.measure(NEVER);
  assert.deepEqual((await ledger.ledgerReader.balance(ETL))?.readings, []);
});
