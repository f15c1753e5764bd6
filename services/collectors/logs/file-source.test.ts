import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { LogBatch, LogWriter } from '../../../shared/stores/log-store.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MapQuarantine } from '../../../test/support/map-quarantine.ts';
import { logsConfig } from './config.ts';
import { startLogs } from './start.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-source-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A store that answers when, and what, the test says. */
class SlowStore implements LogWriter {
  readonly given: LogBatch[] = [];
  readonly stored: string[] = [];
  #answers: ((error?: Error) => void)[] = [];

  async write(batch: LogBatch) {
    this.given.push(batch);
    await new Promise<void>((resolve, reject) => {
      this.#answers.push((error) => (error === undefined ? resolve() : reject(error)));
    });
    this.stored.push(...batch.records.map(({ message }) => message));
    return { stored: batch.records.length, duplicates: 0 };
  }

  answer(error?: Error): void {
    for (const one of this.#answers.splice(0)) one(error);
  }

  async checkpoints() {
    return [];
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

async function following(batchRecords: number) {
  const clock = new FakeClock();
  const store = new SlowStore();
  const collector = await startLogs({
    config: logsConfig.parse({
      files: [{ paths: [join(folder, '*.log')], project: 'etl' }],
      batchRecords,
    }),
    writer: store,
    quarantine: new MapQuarantine(),
    clock,
    random: () => 0,
    logger: silentLogger,
    metrics: new Metrics(),
    spoolFolder: join(folder, 'spool'),
  });
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) await clock.advance(100);
    for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    store,
    pass,
    async [Symbol.asyncDispose]() {
      const ended = collector[Symbol.asyncDispose]();
      await pass(100);
      store.answer();
      await pass(100);
      store.answer();
      await ended;
    },
  };
}

const line = (n: number): string => `26/11/21 08:00:00 INFO X: event ${n}\n`;
const lines = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => line(from + i)).join('');

test('one batch is read while the one before is stored, and no more', async () => {
  await using run = await following(5);
  for (const file of [0, 1, 2, 3]) {
    writeFileSync(join(folder, `${file}.log`), lines(file * 10, 10));
  }
  // A new file is looked for once a second.
  await run.pass(1_500);
  assert.equal(run.store.given.length, 1);
  run.store.answer();
  await run.pass(100);
  // It was ready, so it is on its way at once; a third waits for it.
  assert.equal(run.store.given.length, 2);
  for (let turn = 0; turn < 20; turn += 1) {
    run.store.answer();
    await run.pass(100);
  }
  const wanted = Array.from({ length: 40 }, (_, n) => `event ${n}`);
  assert.deepEqual(run.store.stored.toSorted(), wanted.toSorted());
});

test('what a store refused is read again, though no line comes after it', async () => {
  await using run = await following(1_000);
  writeFileSync(join(folder, '0.log'), lines(0, 3));
  await run.pass(1_500);
  run.store.answer(new AppError('STORE_MISCONFIGURED', 'no such index'));
  // It begins again after 10 s.
  await run.pass(12_000);
  run.store.answer();
  await run.pass(1_000);
  run.store.answer();
  await run.pass(200);
  assert.deepEqual(run.store.stored, ['event 0', 'event 1', 'event 2']);
});
