import { readFileSync } from 'node:fs';
import { progressConfig } from '../../services/collectors/progress/config.ts';
import { startProgress } from '../../services/collectors/progress/start.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { openMetricWriter } from '../../shared/stores/sql/metric-writer.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';
import { MemoryQuarantine, NOW } from './progress-bench.ts';

/** A progress collector in a process of its own, to be killed: `<data folder> <file> <lines>`. */
const [folder = '', file = '', lines = '0'] = process.argv.slice(2);
const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
const writer = await openMetricWriter({ folder, clock: systemClock, limits });
const metrics = new Metrics();
const progress = await startProgress({
  config: progressConfig.parse({ files: [{ paths: [file], project: 'etl' }] }),
  writer,
  quarantine: new MemoryQuarantine(),
  clock: { ...systemClock, now: () => NOW },
  random: Math.random,
  logger: silentLogger,
  metrics,
});

async function readToTheEnd(): Promise<boolean> {
  const size = readFileSync(file).length;
  const checkpoints = await writer.checkpoints('progress:file:');
  return checkpoints.some(({ position }) => position.includes(String(size)));
}

process.stdout.write('started\n');
while (
  readFileSync(file, 'utf8').split('\n').length - 1 < Number(lines) ||
  !(await readToTheEnd())
) {
  await systemClock.sleep(20, new AbortController().signal);
}
await progress[Symbol.asyncDispose]();
await writer[Symbol.asyncDispose]();
process.stdout.write('read\n');
