import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { LogRecord } from '../../../shared/contracts/log-record.ts';
import { systemClock } from '../../../shared/runtime/clock.ts';
import type { LogBatch, LogWriter } from '../../../shared/stores/log-store.ts';
import { openQuarantine } from '../../../shared/stores/sql/quarantine-store.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { logsConfig } from './config.ts';
import { startLogs } from './start.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logs-origin-'));
  mkdirSync(join(folder, 'in'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A store apart from its checkpoints, whose process dies before the checkpoints of a batch. */
class DyingStore implements LogWriter {
  readonly byOrigin = new Map<string, LogRecord>();
  readonly positions = new Map<string, string>();
  repeats = 0;
  keepsCheckpoints = false;

  async write({ records, checkpoints, begins = [] }: LogBatch) {
    for (const { source, position } of begins) this.positions.set(source, position);
    for (const record of records) {
      assert.ok(record.origin !== undefined, 'a line of a file says where it was read');
      if (this.byOrigin.has(record.origin)) this.repeats += 1;
      else this.byOrigin.set(record.origin, record);
    }
    if (this.keepsCheckpoints) {
      for (const { source, position } of checkpoints) this.positions.set(source, position);
    }
    return { stored: records.length, duplicates: 0 };
  }

  async checkpoints(prefix: string) {
    return [...this.positions]
      .filter(([source]) => source.startsWith(prefix))
      .map(([source, position]) => ({ source, position }));
  }

  get messages(): string[] {
    return [...this.byOrigin.values()].map(({ message }) => message).sort();
  }

  async [Symbol.asyncDispose]() {}
}

async function reaches(store: DyingStore, wanted: number): Promise<void> {
  for (let turns = 0; turns < 10_000 && store.byOrigin.size < wanted; turns += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** @param then what happens once `wanted` are stored, and how many are wanted after it */
async function follow(
  store: DyingStore,
  wanted: number,
  then?: { readonly happens: () => void; readonly wanted: number },
): Promise<void> {
  await using quarantine = await openQuarantine({ file: join(folder, 'quarantine.db') });
  await using _collector = await startLogs({
    config: logsConfig.parse({
      quietMs: 10,
      pollIntervalMs: 1,
      scanIntervalMs: 2,
      files: [{ paths: [`${folder}/in/{application}.log`], project: 'etl' }],
    }),
    writer: store,
    quarantine,
    clock: systemClock,
    random: () => 0,
    logger: silentLogger,
    metrics: new Metrics(),
    spoolFolder: join(folder, 'spool'),
  });
  await reaches(store, wanted);
  if (then === undefined) return;
  then.happens();
  await reaches(store, then.wanted);
}

const line = (n: number): string => `26/11/21 08:00:0${n % 10} INFO SparkContext: line ${n}\n`;
const lines = (from: number, until: number): string =>
  Array.from({ length: until - from }, (_, i) => line(from + i)).join('');
const messages = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `line ${i}`).sort();

test('lines that are read again after a crash have the origin of the first time', async () => {
  const file = join(folder, 'in/app.log');
  writeFileSync(file, lines(0, 3));
  const store = new DyingStore();
  await follow(store, 3);
  // Longer now than its first bytes were when it was found.
  appendFileSync(file, lines(3, 40));
  await follow(store, 40);
  assert.deepEqual(store.messages, messages(40));
  assert.ok(store.repeats >= 3);
});

test('a rotation between two readings changes no origin', async () => {
  const file = join(folder, 'in/app.log');
  writeFileSync(file, lines(0, 30));
  const store = new DyingStore();
  await follow(store, 30);
  renameSync(file, `${file}.1`);
  writeFileSync(file, lines(30, 50));
  await follow(store, 50);
  assert.deepEqual(store.messages, messages(50));
});

test("a container runtime's prefixes change no origin, wherever reading begins", async () => {
  const cri = (from: number, until: number): string =>
    lines(from, until).replaceAll(/^/gm, (_, at, all: string) =>
      at === all.length ? '' : '2026-11-21T08:00:00.000000000Z stdout F ',
    );
  const file = join(folder, 'in/app.log');
  writeFileSync(file, cri(0, 20));
  const store = new DyingStore();
  store.keepsCheckpoints = true;
  // Read from the file's beginning at first, and after the crash from the middle.
  await follow(store, 20, {
    happens: () => {
      store.keepsCheckpoints = false;
      appendFileSync(file, cri(20, 35));
    },
    wanted: 35,
  });
  appendFileSync(file, cri(35, 40));
  await follow(store, 40);
  assert.ok(store.repeats >= 15);
  assert.deepEqual(store.messages, messages(40));
});
