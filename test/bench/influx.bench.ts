import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { metricsConfig } from '../../services/collectors/metrics/config.ts';
import { startMetrics } from '../../services/collectors/metrics/start.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { Quarantine } from '../../shared/stores/quarantine.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { HOUR_MS, SECOND_MS, utcHour } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { type RunningInfluxdb, startInfluxdb } from '../services/servers/influxdb.ts';
import { InfluxDatabase } from '../support/influx-database.ts';
import { measureTelegraf } from './support/telegraf.ts';

const BENCH = 'bench' as ProjectId;
/** Lines per CPU-second of Telegraf 1.39 from Graphite to InfluxDB 1.8, in seven runs elsewhere. */
const TELEGRAF = { low: 206_000, high: 251_000 };
const LINES = 1_000_000;
const SERIES = 2_000;
const METRICS = 200;

const refuseNothing: Quarantine = {
  put: () => Promise.reject(new Error('the load has no bad line')),
  list: () => Promise.resolve([]),
  count: () => Promise.resolve([]),
  remove: () => Promise.resolve(0),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

async function sendLines(port: number, firstSecond: number): Promise<{ points: number }> {
  const script = join(import.meta.dirname, 'graphite-sender.ts');
  const args = [port, 0, 0, SERIES, firstSecond].map(String);
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return JSON.parse(output) as { points: number };
}

/** Counted by the server, field by field. */
async function countInServer(database: InfluxDatabase): Promise<number> {
  let points = 0;
  for (let metric = 0; metric < METRICS; metric += 1) {
    const field = `executor.shuffleRemoteBytesReadMetric${metric}.count`;
    points += await database.number(`SELECT count("${field}") FROM "raw"."spark"`);
  }
  return points;
}

async function measure(
  server: RunningInfluxdb,
  gzip: boolean,
  print: (line: string) => void,
): Promise<number> {
  await using database = await InfluxDatabase.create(server, { measurements: undefined, gzip });
  const collector = await startMetrics({
    config: metricsConfig.parse({ graphite: [{ port: 0, project: BENCH }] }),
    writer: database.writer,
    quarantine: refuseNothing,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    metrics: new Metrics(),
  });
  let peakRss = 0;
  const sampler = setInterval(() => {
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
  }, 100);
  const firstSecond = utcHour(systemClock.now() - 2 * HOUR_MS) / SECOND_MS;
  const before = process.cpuUsage();
  const start = systemClock.elapsed();
  const { points } = await sendLines(collector.tcpAddress?.port ?? 0, firstSecond);
  await collector[Symbol.asyncDispose]();
  const seconds = (systemClock.elapsed() - start) / 1000;
  const cpu = process.cpuUsage(before);
  clearInterval(sampler);
  const perCpu = points / ((cpu.user + cpu.system) / 1e6);
  const counted = await countInServer(database);
  const peak = readFileSync(`/proc/${server.process?.pid ?? 'self'}/status`, 'utf8');
  const serverMb = Math.round(Number(/VmHWM:\s+(\d+)/.exec(peak)?.[1] ?? 0) / 1000);
  print(
    `Graphite → InfluxDB ${gzip ? 'with' : 'without'} gzip: ${counted} of ${LINES} lines counted ` +
      `in the server, stored after ${seconds.toFixed(1)} s (${Math.round(points / seconds)} lines/s)`,
  );
  print(
    `  ${Math.round(perCpu)} lines per CPU-second: ${(perCpu / TELEGRAF.high).toFixed(2)} to ` +
      `${(perCpu / TELEGRAF.low).toFixed(2)} of Telegraf's; peak memory ` +
      `${Math.round(peakRss / 1e6)} MB, influxd ${serverMb} MB`,
  );
  if (counted !== LINES) throw new Error(`${LINES - counted} lines are missing in the server`);
  return perCpu;
}

/** The same lines through Telegraf 1.39, where TOLLGATE_BENCH_TELEGRAF says where it is. */
async function measurePeer(
  server: RunningInfluxdb,
  ours: number,
  print: (line: string) => void,
): Promise<void> {
  const program = process.env['TOLLGATE_BENCH_TELEGRAF'];
  if (program === undefined) {
    print('Telegraf not run beside it: TOLLGATE_BENCH_TELEGRAF=/path/to/telegraf does');
    return;
  }
  const rates: number[] = [];
  for (let pass = 0; pass < 3; pass += 1) {
    await using database = await InfluxDatabase.create(server, { measurements: undefined });
    const firstSecond = utcHour(systemClock.now() - 2 * HOUR_MS) / SECOND_MS;
    const { counted, cpuSeconds, peakMb } = await measureTelegraf(program, database, (port) =>
      sendLines(port, firstSecond),
    );
    rates.push(LINES / cpuSeconds);
    print(
      `Telegraf → InfluxDB with gzip: ${counted} of ${LINES} lines counted in the server, ` +
        `${Math.round(LINES / cpuSeconds)} lines per CPU-second, peak memory ${Math.round(peakMb)} MB`,
    );
  }
  const middle = rates.toSorted((a, b) => a - b)[1] ?? Number.NaN;
  print(`  ours with gzip ${(ours / middle).toFixed(2)} of its middle run beside it`);
}

/** Graphite over TCP into InfluxDB 1.8; the sender and the server are processes of their own. */
export async function run(print: (line: string) => void): Promise<void> {
  await using server = await startInfluxdb();
  const ours = await measure(server, true, print);
  await measure(server, false, print);
  await measurePeer(server, ours, print);
}
