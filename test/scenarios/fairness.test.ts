import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { logsConfig } from '../../services/collectors/logs/config.ts';
import { startLogs } from '../../services/collectors/logs/start.ts';
import type { LogRecord } from '../../shared/contracts/log-record.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { type Clock, systemClock } from '../../shared/runtime/clock.ts';
import type { LogWriter } from '../../shared/stores/log-store.ts';
import { openLogReader } from '../../shared/stores/sql/log-reader.ts';
import { openLogWriter } from '../../shared/stores/sql/log-writer.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { MapQuarantine } from '../support/map-quarantine.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairness-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function open(config: object, clock: Clock, write?: LogWriter['write']) {
  const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
  const writer = await openLogWriter({ folder: join(folder, 'logs'), clock: systemClock, limits });
  /** In the order of storing. */
  const stored: LogRecord[] = [];
  const metrics = new Metrics();
  const collector = await startLogs({
    config: logsConfig.parse({ pollIntervalMs: 1, scanIntervalMs: 5, quietMs: 20, ...config }),
    writer: {
      checkpoints: (prefix) => writer.checkpoints(prefix),
      async write(batch) {
        await write?.(batch);
        const result = await writer.write(batch);
        stored.push(...batch.records);
        return result;
      },
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    },
    quarantine: new MapQuarantine(),
    ...{ clock, metrics, random: () => 0, logger: silentLogger },
    spoolFolder: join(folder, 'spool'),
  });
  const push = (project: string, lines: readonly object[]) =>
    collector.ingest({
      body: Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
      ...{ project: project as ProjectId, cluster: 'main', receivedAt: clock.now() },
    });
  return {
    ...{ stored, metrics, push },
    async [Symbol.asyncDispose]() {
      await collector[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
    },
  };
}

function count(records: readonly LogRecord[], project: string): number {
  return records.filter((record) => record.project === project).length;
}

test('files: a project with ten times as much in ten files is read no more than each other one', async () => {
  const quiet = ['q1', 'q2', 'q3', 'q4'];
  const lines = 10_000;
  const text = (project: string): string => {
    const all = Array.from({ length: lines }, (_, n) => {
      return `26/11/21 07:00:00 INFO Test: ${project} ${n} ${'x'.repeat(80)}\n`;
    });
    return all.join('');
  };
  for (const project of ['hog', ...quiet]) {
    mkdirSync(join(folder, 'in', project), { recursive: true });
    const files = project === 'hog' ? 10 : 1;
    for (let i = 0; i < files; i += 1) {
      writeFileSync(join(folder, 'in', project, `app-${i}.log`), text(project));
    }
  }
  const paths = [`${folder}/in/{project}/*.log`];
  await using logs = await open({ files: [{ paths }], batchRecords: 1_000 }, systemClock);
  const wanted = lines * (10 + quiet.length);
  while (logs.stored.length < wanted) await turn();
  assert.equal(new Set(logs.stored.map(({ origin }) => origin)).size, wanted);
  for (const project of quiet) {
    // The last line of a file waits for one that goes on with it, so the hundredth before it counts.
    const late = logs.stored.filter((record) => record.project === project).at(-100);
    const before = count(logs.stored.slice(0, late && logs.stored.indexOf(late)), 'hog');
    // Two turns of 512 KiB are what a hog may be ahead by: 9,600 lines of 109 bytes.
    process.stdout.write(
      `${project}: all but 99 of ${lines} lines stored after ${before} of the hog's\n`,
    );
    assert.ok(before <= lines + 9_600, `${project} waited for ${before} lines of the hog`);
  }
});

test('pushes: one with ten at a time lets another go before its second, and is refused alone', async () => {
  const waiting: (() => void)[] = [];
  const order: string[] = [];
  const write: LogWriter['write'] = async ({ records }) => {
    order.push(records[0]?.project ?? '');
    await new Promise<void>((resolve) => waiting.push(resolve));
    return { stored: 0, duplicates: 0 };
  };
  // Two bodies at a time are worked on, and twenty may be there in all.
  const body = [{ message: 'm'.repeat(900_000) }];
  const maxRequestBytes = 20 * 900_020;
  await using logs = await open({ maxRequestBytes }, systemClock, write);
  const hog = Array.from({ length: 25 }, () => logs.push('hog', body));
  const quiet = [1, 2].map(() => logs.push('quiet', body));
  const settled = Promise.allSettled([...hog, ...quiet]);
  let over = false;
  void settled.then(() => {
    over = true;
  });
  while (!over) {
    waiting.shift()?.();
    await turn();
  }
  const results = await settled;
  const refused = results.filter(({ status }) => status === 'rejected');
  const reasons = refused.map((one) => (one as PromiseRejectedResult).reason as AppError);
  assert.ok(reasons.every((error) => error instanceof AppError && error.code === 'OVERLOADED'));
  assert.ok(reasons.every(({ message }) => message.includes('of hog')));
  assert.ok(results.slice(-2).every(({ status }) => status === 'fulfilled'));
  const last = order.lastIndexOf('quiet');
  process.stdout.write(`hog: ${refused.length} of 25 refused; order: ${order.join(' ')}\n`);
  assert.equal(refused.length, 15);
  assert.deepEqual(order.toSorted(), [...Array(10).fill('hog'), 'quiet', 'quiet']);
  // Two were worked on when the other came; then they take turns.
  assert.ok(last <= 5, order.join(' '));
});

test('quota: a flood loses DEBUG and INFO by count, nothing above, and the project reads why', async () => {
  const clock = new FakeClock();
  const quota = [{ project: 'hog', linesPerSecond: 100 }];
  const levels = { DEBUG: 600, INFO: 300, WARN: 40, ERROR: 10 };
  const flood = (second: number) =>
    Object.entries(levels).flatMap(([level, lines]) =>
      Array.from({ length: lines }, (_, n) => {
        return { level, message: `${level} ${n}`, id: `${second}-${level}-${n}` };
      }),
    );
  const sums = { stored: 0, dropped: 0 };
  {
    await using logs = await open({ quota }, clock);
    for (let second = 0; second < 5; second += 1) {
      const answer = await logs.push('hog', flood(second));
      sums.stored += answer.stored;
      sums.dropped += answer.dropped;
      assert.equal((await logs.push('quiet', flood(second))).stored, 950);
      await clock.advance(1_000);
    }
    const above = logs.stored.filter(({ level, logger }) => {
      return (level === 'WARN' || level === 'ERROR') && logger !== 'tollgate.quota';
    });
    assert.equal(count(above, 'hog'), 5 * 50);
    for (let i = 0; i < 20 && count(logs.stored, 'hog') === sums.stored; i += 1) await turn();
  }
  process.stdout.write(`quota: ${sums.stored} kept and ${sums.dropped} left out of 4750\n`);
  assert.equal(sums.stored + sums.dropped, 5 * 950);
  // The first second tells that it is a flood; then it is about the quota, and what is never left out.
  assert.ok(sums.stored < 950 + 4 * 150, `${sums.stored}`);
  await using reader = await openLogReader({ folder: join(folder, 'logs') });
  const window = { from: 0, until: Date.UTC(2040, 0, 1), limit: 10, text: 'quota' };
  const { records } = await reader.search('hog' as ProjectId, window);
  assert.match(
    records[0]?.message ?? '',
    /^Over the log quota of 100 lines a second: of DEBUG 1 of/,
  );
});
