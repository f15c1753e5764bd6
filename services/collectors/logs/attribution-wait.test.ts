import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { openLogReader } from '../../../shared/stores/sql/log-reader.ts';
import { openLogWriter } from '../../../shared/stores/sql/log-writer.ts';
import { openQuarantine } from '../../../shared/stores/sql/quarantine-store.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { type ProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { logsConfig } from './config.ts';
import { startLogs } from './start.ts';

const ETL = 'etl' as ProjectId;

/** Two applications write logs; the ledger knows one of them from the start. */
async function following() {
  const folder = await mkdtemp(join(tmpdir(), 'logs-wait-'));
  const clock = new FakeClock();
  const known = new Map([['app-1', ETL]]);
  const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
  const writer = await openLogWriter({ folder: join(folder, 'store'), clock, limits });
  const quarantine = await openQuarantine({ file: join(folder, 'quarantine.db') });
  const log = (application: string) => join(folder, 'logs', application, '1', 'stderr');
  for (const application of ['app-1', 'app-2']) {
    await mkdir(dirname(log(application)), { recursive: true });
    await writeFile(log(application), `26/11/21 08:00:00 INFO X: of ${application}\n`);
  }
  const collector = await startLogs({
    config: logsConfig.parse({
      files: [{ paths: [join(folder, 'logs/{application}/{container}/stderr')] }],
    }),
    writer,
    quarantine,
    clock,
    random: () => 0.5,
    logger: silentLogger,
    metrics: new Metrics(),
    spoolFolder: join(folder, 'spool'),
    projectOf: (_cluster, application) => known.get(application),
  });
  const messages = async (project: ProjectId) => {
    await using reader = await openLogReader({ folder: join(folder, 'store') });
    const page = await reader.search(project, { from: 0, until: Date.UTC(2030, 0), limit: 10 });
    return page.records.map(({ message }) => message).sort();
  };
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) await clock.advance(500);
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    known,
    log,
    messages,
    pass,
    async [Symbol.asyncDispose]() {
      await collector[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
      await quarantine[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

test('logs of an application that the ledger does not know yet wait for it, others do not', async () => {
  await using at = await following();
  await at.pass(10_000);
  assert.deepEqual(await at.messages(ETL), ['of app-1']);
  assert.deepEqual(await at.messages(UNATTRIBUTED), []);
  at.known.set('app-2', ETL);
  await at.pass(5_000);
  assert.deepEqual(await at.messages(ETL), ['of app-1', 'of app-2']);
});

test('they wait no longer than they are told to', async () => {
  await using at = await following();
  await at.pass(40_000);
  assert.deepEqual(await at.messages(UNATTRIBUTED), ['of app-2']);
});

test('a folder that is removed while its logs wait is still read', async () => {
  await using at = await following();
  await at.pass(5_000);
  await rm(dirname(at.log('app-2')), { recursive: true });
  await at.pass(2_000);
  at.known.set('app-2', ETL);
  await at.pass(10_000);
  assert.deepEqual(await at.messages(ETL), ['of app-1', 'of app-2']);
});
