import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { logsConfig } from '../../services/collectors/logs/config.ts';
import { LocalTime } from '../../services/collectors/logs/parse/local-time.ts';
import { RecordAssembler } from '../../services/collectors/logs/parse/record-assembler.ts';
import { TimeReader } from '../../services/collectors/logs/parse/time-reader.ts';
import { toLogRecord } from '../../services/collectors/logs/parse/to-log-record.ts';
import { startLogs } from '../../services/collectors/logs/start.ts';
import type { LogRecord } from '../../shared/contracts/log-record.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { LogQuery, LogWriter } from '../../shared/stores/log-store.ts';
import { openLogReader } from '../../shared/stores/sql/log-reader.ts';
import { openLogWriter } from '../../shared/stores/sql/log-writer.ts';
import { openQuarantine } from '../../shared/stores/sql/quarantine-store.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import type { SenderData } from './logs-sender.ts';
import { eventsAmong, logLine } from './support/log-lines.ts';

const ETL = 'etl' as ProjectId;
const CHUNK = 262_144;

function option(name: string, fallback: number): number {
  return Number(process.env[name] ?? fallback);
}

const thousands = (n: number): string => Math.round(n).toLocaleString('en-US');

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Multi-line, time, level, project, masking, fingerprint; without input and store. */
function benchParse(print: (line: string) => void): void {
  const lines = 1_000_000;
  const at = systemClock.now();
  let text = '';
  for (let n = 0; n < 50_000; n += 1) text += logLine(n, at);
  const bytes = Buffer.from(text);
  const time = new TimeReader(new LocalTime('Europe/Berlin'));
  const origin = { project: ETL, cluster: 'main', application: 'app', container: '1' };
  const context = { origin, time, observedAt: at, lastAt: undefined, trusted: false };
  let records = 0;
  const assembler = new RecordAssembler({
    time,
    maxRecordBytes: 1 << 20,
    start: 0,
    out: (raw) => {
      if (toLogRecord(raw, context) !== undefined) records += 1;
    },
  });
  const usage = process.cpuUsage();
  for (let done = 0; done < lines; done += 50_000) {
    for (let start = 0; start < bytes.length; start += CHUNK) {
      assembler.push(bytes.subarray(start, start + CHUNK));
    }
  }
  assembler.flush();
  const seconds = cpuSeconds(usage);
  print(
    `parse: ${thousands(lines / seconds)} lines per CPU-second, ${records} records of ${eventsAmong(lines)}`,
  );
}

/** Notes for each stored event how long ago it was written. */
function timed(writer: LogWriter, latencies: number[]): LogWriter {
  return {
    checkpoints: (prefix) => writer.checkpoints(prefix),
    async write(batch) {
      const result = await writer.write(batch);
      const now = systemClock.now();
      for (const { message } of batch.records) {
        latencies.push(now - Number(message.slice(message.lastIndexOf('t=') + 2)));
      }
      return result;
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

async function benchFiles(print: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-bench-'));
  const linesPerSecond = option('BENCH_LOG_LINES', 50_000);
  const seconds = option('BENCH_LOG_SECONDS', 20);
  const latencies: number[] = [];
  const inner = await openLogWriter({ folder: join(folder, 'logs'), clock: systemClock });
  const writer = timed(inner, latencies);
  const quarantine = await openQuarantine({ file: join(folder, 'quarantine.db') });
  const collector = await startLogs({
    config: logsConfig.parse({
      files: [{ paths: [`${folder}/{application}.log`], project: 'etl' }],
    }),
    writer,
    quarantine,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    metrics: new Metrics(),
    spoolFolder: join(folder, 'spool'),
  });
  const rss: number[] = [];
  const sampling = setInterval(() => rss.push(process.memoryUsage.rss() / 2 ** 20), 1_000);
  const usage = process.cpuUsage();
  const path = join(folder, 'app.log');
  const workerData: SenderData = { path, linesPerSecond, seconds, rotateEveryMs: 7_000 };
  const sender = new Worker(new URL('./logs-sender.ts', import.meta.url), { workerData });
  await once(sender, 'exit');
  const never = new AbortController().signal;
  const wanted = eventsAmong(linesPerSecond * seconds);
  for (let i = 0; i < 100 && latencies.length < wanted; i += 1) await systemClock.sleep(100, never);
  clearInterval(sampling);
  const cpu = cpuSeconds(usage);
  latencies.sort((a, b) => a - b);
  print(
    `files to searchable: ${thousands(linesPerSecond)} lines/s for ${seconds} s, ` +
      `${latencies.length} of ${wanted} events stored; p50 ${percentile(latencies, 0.5)} ms, ` +
      `p99 ${percentile(latencies, 0.99)} ms, max ${latencies.at(-1)} ms; ` +
      `CPU ${((cpu / seconds) * 100).toFixed(0)} % with the sender`,
  );
  print(`memory by second, MiB: ${rss.map((one) => one.toFixed(0)).join(' ')}`);
  await collector[Symbol.asyncDispose]();
  await inner[Symbol.asyncDispose]();
  await quarantine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
}

const QUERIES: readonly (readonly [string, Partial<LogQuery>])[] = [
  ['newest', {}],
  ['rare word', { text: 'raretoken' }],
  ['common word', { text: 'task' }],
  ['two words', { text: 'broadcast piece0' }],
  ['common word that is rare together', { text: 'raretoken stage' }],
  ['phrase', { text: '"finished task"' }],
  ['errors', { minLevel: 'ERROR' }],
  ['one application', { application: 'app-8' }],
  ['word in one application', { application: 'app-8', text: 'committed' }],
  ['nothing found', { text: 'nosuchword task' }],
];

async function fillStore(folder: string, rows: number, start: number): Promise<string> {
  const writer = await openLogWriter({ folder, clock: systemClock });
  const step = (48 * 3_600_000) / rows;
  const usage = process.cpuUsage();
  const begin = systemClock.elapsed();
  for (let done = 0; done < rows; done += 10_000) {
    const records: LogRecord[] = Array.from({ length: Math.min(10_000, rows - done) }, (_, i) => {
      const n = done + i;
      const message = `${logLine(n, start).slice(18, -1)}${n % 100_003 === 0 ? ' raretoken' : ''}`;
      return {
        at: Math.floor((start + n * step) / 1_000) * 1_000,
        project: (n % 4 === 0 ? 'etl' : `p${n % 40}`) as ProjectId,
        cluster: 'main',
        application: `app-${n % 50}`,
        container: String(n % 300),
        level: n % 50 === 0 ? 'ERROR' : 'INFO',
        logger: 'TaskSetManager',
        thread: '',
        message,
        fingerprint: (n % 500).toString(16).padStart(16, '0'),
        marks: [],
      };
    });
    await writer.write({ records, checkpoints: [] });
  }
  const seconds = (systemClock.elapsed() - begin) / 1_000;
  await writer[Symbol.asyncDispose]();
  return (
    `store alone: ${thousands(rows / seconds)} rows/s with text index, ` +
    `${thousands(rows / cpuSeconds(usage))} rows per CPU-second (making them included)`
  );
}

async function benchSearch(print: (line: string) => void): Promise<void> {
  const kept = process.env['BENCH_LOG_FOLDER'];
  const folder = kept ?? (await mkdtemp(join(tmpdir(), 'tollgate-bench-')));
  const rows = option('BENCH_LOG_ROWS', 1_000_000);
  const start = systemClock.now() - 48 * 3_600_000;
  if (kept === undefined || !existsSync(kept)) print(await fillStore(folder, rows, start));
  const reader = await openLogReader({ folder });
  for (const [name, query] of QUERIES) {
    const times: number[] = [];
    let found = 0;
    for (let i = 0; i < 20; i += 1) {
      const until = systemClock.now() - i * 3_600_000;
      const before = systemClock.elapsed();
      const page = await reader.search(ETL, { from: start, until, limit: 100, ...query });
      times.push(systemClock.elapsed() - before);
      found = page.records.length;
    }
    times.sort((a, b) => a - b);
    print(
      `search ${thousands(rows)} rows, ${name}: p50 ${percentile(times, 0.5).toFixed(1)} ms, ` +
        `p95 ${percentile(times, 0.95).toFixed(1)} ms (${found} found)`,
    );
  }
  await reader[Symbol.asyncDispose]();
  if (kept === undefined) await rm(folder, { recursive: true });
}

/** `BENCH_LOG_FOLDER` keeps the rows of the search for another run. `BENCH_LOG_LINES`, `BENCH_LOG_SECONDS` and `BENCH_LOG_ROWS` change its size. */
export async function run(print: (line: string) => void): Promise<void> {
  benchParse(print);
  await benchFiles(print);
  await benchSearch(print);
}
