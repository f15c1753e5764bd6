import { appendFileSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logsConfig } from '../../services/collectors/logs/config.ts';
import { startLogs } from '../../services/collectors/logs/start.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { LogWriter } from '../../shared/stores/log-store.ts';
import { openLogWriter } from '../../shared/stores/sql/log-writer.ts';
import { openQuarantine } from '../../shared/stores/sql/quarantine-store.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';

const PROJECTS = 10;
const SEND_EVERY_MS = 50;
const LINES = Number(process.env['BENCH_FAIR_LINES'] ?? 500);
const SECONDS = Number(process.env['BENCH_FAIR_SECONDS'] ?? 10);
const never = new AbortController().signal;

function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Ages at storing of every line but those of the first project, sorted. */
async function agesOf(hogLines: number, hogFiles: number): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-fair-'));
  const ages: number[] = [];
  const inner = await openLogWriter({ folder: join(folder, 'logs'), clock: systemClock });
  const writer: LogWriter = {
    checkpoints: (prefix) => inner.checkpoints(prefix),
    async write(batch) {
      const result = await inner.write(batch);
      const now = systemClock.now();
      for (const { project, message } of batch.records) {
        if (project !== 'p0') ages.push(now - Number(message.slice(message.indexOf('t=') + 2)));
      }
      return result;
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
  const quarantine = await openQuarantine({ file: join(folder, 'quarantine.db') });
  const collector = await startLogs({
    config: logsConfig.parse({ files: [{ paths: [`${folder}/in/{project}/*.log`] }] }),
    ...{ writer, quarantine, clock: systemClock, random: Math.random },
    ...{ logger: silentLogger, metrics: new Metrics(), spoolFolder: join(folder, 'spool') },
  });
  for (let p = 0; p < PROJECTS; p += 1) mkdirSync(join(folder, 'in', `p${p}`), { recursive: true });
  const begin = systemClock.elapsed();
  let sent = 0;
  while (systemClock.elapsed() - begin < SECONDS * 1_000) {
    const due = Math.floor((systemClock.elapsed() - begin) / SEND_EVERY_MS);
    for (; sent <= due; sent += 1) {
      for (let p = 0; p < PROJECTS; p += 1) {
        const lines = ((p === 0 ? hogLines : LINES) * SEND_EVERY_MS) / 1_000;
        const files = p === 0 ? hogFiles : 1;
        for (let file = 0; file < files; file += 1) {
          const line = `26/11/21 07:00:00 INFO Executor: Finished task t=${systemClock.now()}\n`;
          appendFileSync(join(folder, 'in', `p${p}`, `${file}.log`), line.repeat(lines / files));
        }
      }
    }
    await systemClock.sleep(SEND_EVERY_MS / 2, never);
  }
  await systemClock.sleep(1_500, never);
  await collector[Symbol.asyncDispose]();
  await inner[Symbol.asyncDispose]();
  await quarantine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  return ages.sort((a, b) => a - b);
}

/** How much one project at ten times its rate moves what the nine others wait. */
export async function run(print: (line: string) => void): Promise<void> {
  for (let round = 1; round <= 2; round += 1) {
    const even = await agesOf(LINES, 1);
    const hog = await agesOf(10 * LINES, 10);
    const [before, after] = [percentile(even, 0.99), percentile(hog, 0.99)];
    print(
      `${PROJECTS} projects at ${LINES} lines/s: p50 ${percentile(even, 0.5)} ms, p99 ${before} ms of the nine; ` +
        `one at ten times that in ten files: p50 ${percentile(hog, 0.5)} ms, p99 ${after} ms (${(after / before).toFixed(2)} ×); ` +
        `${even.length} and ${hog.length} lines of theirs`,
    );
  }
}
