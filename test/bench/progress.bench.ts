import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { progressConfig } from '../../services/collectors/progress/config.ts';
import { parseRecord } from '../../services/collectors/progress/parse/parse-record.ts';
import { startProgress } from '../../services/collectors/progress/start.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import type { Quarantine } from '../../shared/stores/quarantine.ts';
import { openMetricWriter } from '../../shared/stores/sql/metric-writer.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { PARTITIONS, progressEvents, QUERIES } from './support/progress-events.ts';

const BODY_LINES = 500;
const SENDERS = 4;

const emptyQuarantine: Quarantine = {
  put: async () => {},
  list: async () => [],
  count: async () => [],
  remove: async () => 0,
  async [Symbol.asyncDispose]() {},
};

function bodies(now: number): Uint8Array[] {
  const lines = progressEvents(now);
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  for (let i = 0; i < lines.length; i += BODY_LINES) {
    parts.push(encoder.encode(lines.slice(i, i + BODY_LINES).join('\n')));
  }
  return parts;
}

function perSecond(count: number, ms: number): string {
  return `${Math.round((count / ms) * 1_000).toLocaleString('en')}/s`;
}

/** How many records a second are parsed, and are stored on disk with lag and verdicts. */
export async function run(print: (line: string) => void): Promise<void> {
  const now = systemClock.now();
  const parts = bodies(now);
  const count = parts.length * BODY_LINES;
  const lines = new TextDecoder().decode(parts[0]).split('\n');
  const cpuBefore = process.cpuUsage();
  const parseStart = systemClock.elapsed();
  for (let i = 0; i < 20; i += 1) {
    for (const line of lines) parseRecord(line, { application: '', receivedAt: now });
  }
  const parseMs = systemClock.elapsed() - parseStart;
  print(
    `parse alone: ${perSecond(lines.length * 20, parseMs)} of ${Math.round((lines[0]?.length ?? 0) / 100) / 10} kB, ${PARTITIONS} partitions`,
  );

  const folder = await mkdtemp(join(tmpdir(), 'progress-bench-'));
  const writer = await openMetricWriter({ folder, clock: systemClock });
  const metrics = new Metrics();
  const progress = await startProgress({
    config: progressConfig.parse(undefined),
    writer,
    quarantine: emptyQuarantine,
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    metrics,
  });
  const project = 'etl' as ProjectId;
  const start = systemClock.elapsed();
  const cpuStart = process.cpuUsage(cpuBefore);
  let stored = 0;
  const queue = [...parts];
  const send = async (): Promise<void> => {
    for (let body = queue.shift(); body !== undefined; body = queue.shift()) {
      const answer = await progress.ingest({ body, project, cluster: 'c', receivedAt: now });
      stored += answer.stored;
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  const ms = systemClock.elapsed() - start;
  const cpu = process.cpuUsage(cpuBefore);
  const cpuMs = (cpu.user + cpu.system - cpuStart.user - cpuStart.system) / 1_000;
  await progress[Symbol.asyncDispose]();
  await writer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  print(
    `pushed and stored: ${perSecond(stored, ms)} (${stored} of ${count} records, ${QUERIES} queries, ${SENDERS} senders), ` +
      `${perSecond(stored, cpuMs)} per CPU-second, target 5,000/s; RSS ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
  );
}
