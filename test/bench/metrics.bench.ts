import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { metricsConfig } from '../../services/collectors/metrics/config.ts';
import { startMetrics } from '../../services/collectors/metrics/start.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { Quarantine } from '../../shared/stores/quarantine.ts';
import type { MetricLimits } from '../../shared/stores/sql/metric-limits.ts';
import { openMetricReader } from '../../shared/stores/sql/metric-reader.ts';
import { openMetricWriter } from '../../shared/stores/sql/metric-writer.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { HOUR_MS, SECOND_MS, utcHour } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

const BENCH = 'bench' as ProjectId;
/** Points per CPU-second that Telegraf 1.39 makes from Graphite to a file. */
const TELEGRAF = 225_000;

interface Load {
  readonly title: string;
  /** Points a second; 0 sends a million as fast as they are taken. */
  readonly rate: number;
  readonly seconds: number;
  readonly series: number;
  readonly limits?: Partial<MetricLimits>;
}

const refuseNothing: Quarantine = {
  put: () => Promise.reject(new Error('the load has no bad line')),
  list: () => Promise.resolve([]),
  count: () => Promise.resolve([]),
  remove: () => Promise.resolve(0),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).size;
  return bytes;
}

async function sendLoad(
  port: number,
  load: Load,
  firstSecond: number,
): Promise<{ points: number; ms: number }> {
  const { rate, seconds, series } = load;
  const script = join(import.meta.dirname, 'graphite-sender.ts');
  const args = [port, rate, seconds, series, firstSecond].map(String);
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return JSON.parse(output) as { points: number; ms: number };
}

async function measure(load: Load, print: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'metrics-bench-'));
  // An hour that is over, so that its minutes are made as well.
  const firstSecond = utcHour(systemClock.now() - 2 * HOUR_MS) / SECOND_MS;
  const writer = await openMetricWriter({
    folder,
    clock: systemClock,
    ...(load.limits && { limits: load.limits }),
  });
  const collector = await startMetrics({
    config: metricsConfig.parse({ graphite: [{ port: 0, project: BENCH }] }),
    writer,
    quarantine: refuseNothing,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    metrics: new Metrics(),
  });
  let peakRss = 0;
  const sampler = setInterval(() => {
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
  }, 500);
  const before = process.cpuUsage();
  const start = systemClock.elapsed();
  const sent = await sendLoad(collector.tcpAddress?.port ?? 0, load, firstSecond);
  await collector[Symbol.asyncDispose]();
  const stored = (systemClock.elapsed() - start) / 1000;
  await writer.maintain();
  const cpu = process.cpuUsage(before);
  clearInterval(sampler);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  const [counted, readMs] = await count(folder, load, firstSecond);
  const perPoint = (await bytesIn(folder)) / sent.points;
  await writer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  const perCpu = sent.points / cpuSeconds;
  print(
    `${load.title}: ${sent.points} points sent in ${(sent.ms / 1000).toFixed(1)} s, stored after ` +
      `${stored.toFixed(1)} s (${Math.round(sent.points / stored)} points/s), lost ${sent.points - counted}`,
  );
  print(
    `  ${Math.round(perCpu)} points per CPU-second with compaction and minutes, ` +
      `${(perCpu / TELEGRAF).toFixed(2)} of Telegraf's; peak memory ${Math.round(peakRss / 1e6)} MB; ` +
      `${perPoint.toFixed(1)} bytes a point; all counted in ${Math.round(readMs)} ms`,
  );
}

/** Points in the store, counted series by series through the reader. */
async function count(folder: string, load: Load, firstSecond: number): Promise<[number, number]> {
  await using reader = await openMetricReader({ folder });
  const start = systemClock.elapsed();
  let points = 0;
  for (let metric = 0; metric < Math.min(load.series, 200); metric += 1) {
    const series = await reader.query(BENCH, {
      measurement: 'executor',
      field: `shuffleRemoteBytesReadMetric${metric}.count`,
      from: firstSecond * SECOND_MS,
      until: firstSecond * SECOND_MS + 2 * HOUR_MS,
      stepMs: HOUR_MS,
      aggregate: 'count',
      limit: load.series,
    });
    for (const { points: counts } of series) for (const [, n] of counts) points += n;
  }
  return [points, systemClock.elapsed() - start];
}

/** Graphite over TCP into SQLite; the sender is a process of its own on the same machine. */
export async function run(print: (line: string) => void, seconds = 60): Promise<void> {
  const series = 20_000;
  await measure({ title: 'Graphite, 200,000 points/s', rate: 200_000, seconds, series }, print);
  await measure(
    { title: 'Graphite, 20,000 points/s', rate: 20_000, seconds: seconds / 2, series: 5_000 },
    print,
  );
  await measure({ title: 'Graphite, burst of 1 million', rate: 0, seconds: 0, series }, print);
}
