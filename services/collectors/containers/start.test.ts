import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { JournalBatch, JournalWriter } from '../../../shared/stores/journal.ts';
import { type Logger, silentLogger } from '../../../shared/telemetry/logger.ts';
import { ContainersBench } from '../../../test/support/containers-bench.ts';
import { containersConfig } from './config.ts';
import { startContainers } from './start.ts';

const NOW = Date.UTC(2026, 10, 21, 9);
const LINES = [
  { Event: 'SparkListenerLogStart', 'Spark Version': '4.1.2' },
  {
    Event: 'SparkListenerApplicationStart',
    'App Name': 'n',
    'App ID': 'app-20261121080000-0000',
    Timestamp: NOW - 5_000,
    User: 'alice',
  },
  { Event: 'SparkListenerApplicationEnd', Timestamp: NOW - 1_000 },
];

/** Runs the collector on a journal that fails its first writes so, and returns what it stored in the end. */
async function withFailures(failures: unknown[], random = 0.5) {
  await using bench = await ContainersBench.open(NOW);
  const folder = join(bench.folder, 'spark-events');
  await mkdir(folder);
  const text = LINES.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFile(join(folder, 'app-20261121080000-0000'), text);
  const { journalWriter } = bench.ledger;
  const { clock, quarantine, metrics } = bench;
  const waits: number[] = [];
  let broke = false;
  const watched: Clock = {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    sleep(ms, signal) {
      if (broke) waits.push(ms);
      broke = false;
      return clock.sleep(ms, signal);
    },
  };
  const logger = {
    ...silentLogger,
    error: () => {
      broke = true;
    },
  } as unknown as Logger;
  const journal: JournalWriter = {
    checkpoints: (prefix) => journalWriter.checkpoints(prefix),
    async record(batch: JournalBatch, storedAt) {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return journalWriter.record(batch, storedAt);
    },
    [Symbol.asyncDispose]: async () => {},
  };
  await using _ = await startContainers({
    config: containersConfig.parse({ clusters: [{ id: 'main', eventLogs: [folder] }] }),
    journal,
    quarantine,
    clock: watched,
    random: () => random,
    logger,
    metrics,
  });
  while ((await bench.facts('application-ended')).length === 0) await clock.advance(1_000);
  return {
    kinds: (await bench.facts('application-seen', 'container-started', 'container-stopped')).length,
    retries: bench.value('tollgate_store_retries_total'),
    waits,
  };
}

test('a journal that is away is waited for, and nothing is lost', async () => {
  const away = () => new AppError('STORE_UNAVAILABLE', 'locked');
  const { kinds, retries } = await withFailures([away(), away()]);
  assert.deepEqual([kinds, retries], [3, 2]);
});

test('what breaks a task is no end of it: it starts again from what is stored', async () => {
  const { kinds, retries } = await withFailures([new Error('a bug')]);
  assert.deepEqual([kinds, retries], [3, 0]);
});

test('a task that broke again and again starts again soon after', async () => {
  const failures = Array.from({ length: 9 }, () => new Error('a bug'));
  const { kinds, waits } = await withFailures(failures, 1);
  assert.deepEqual([kinds, waits.length], [3, 9]);
  assert.ok(Math.max(...waits) <= 10_000, `${waits}`);
});

test('a cluster that can’t be opened stops the start, before anything runs', async () => {
  await using bench = await ContainersBench.open(NOW);
  const config = containersConfig.parse({});
  const broken = {
    ...config,
    clusters: [
      { ...containersConfig.parse({ clusters: [{ id: 'b', eventLogs: ['/tmp'] }] }).clusters[0] },
      { id: 'a', type: 'yarn', urls: [] },
    ],
  };
  await assert.rejects(
    startContainers({
      config: broken as never,
      journal: bench.ledger.journalWriter,
      quarantine: bench.quarantine,
      clock: bench.clock,
      random: () => 0,
      logger: silentLogger,
      metrics: bench.metrics,
    }),
  );
  assert.equal(bench.clock.sleepers, 0);
});
