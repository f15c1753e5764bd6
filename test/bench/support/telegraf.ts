import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { ServerProcess } from '../../services/servers/server-process.ts';
import type { InfluxDatabase } from '../../support/influx-database.ts';
import { freePort, temporaryFolder } from '../../support/running-tollgate.ts';

/** Batches as large as ours, and a buffer that a million points fit in: it doesn't hold senders back. */
function configText(port: number, { url, database }: InfluxDatabase['config']): string {
  return `[agent]
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 2000000
  omit_hostname = true
[[inputs.socket_listener]]
  service_address = "tcp://127.0.0.1:${port}"
  data_format = "graphite"
  separator = "."
  templates = ["prefix.app.executor.measurement.field*"]
[[outputs.influxdb]]
  urls = ["${url}"]
  database = "${database}"
  retention_policy = "raw"
  skip_database_creation = true
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Source: proc_pid_stat(5); its times are in ticks of 10 ms on Linux. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function countInServer(database: InfluxDatabase): Promise<number> {
  const [row = []] = await database.ask('SELECT count(*) FROM "raw"."executor"');
  return row.slice(1).reduce<number>((sum, value) => sum + Number(value), 0);
}

export interface TelegrafResult {
  readonly counted: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
}

/** Has Telegraf take what `send` sends to its port, and waits until the server has it. */
export async function measureTelegraf(
  program: string,
  database: InfluxDatabase,
  send: (port: number) => Promise<{ points: number }>,
): Promise<TelegrafResult> {
  await using folder = await temporaryFolder();
  const port = await freePort();
  const file = join(folder.path, 'telegraf.conf');
  await writeFile(file, configText(port, database.config));
  await using telegraf = await ServerProcess.start({
    name: 'Telegraf',
    command: program,
    args: ['--config', file, '--quiet'],
    stopSignal: 'SIGTERM',
    ready: () => accepts(port),
  });
  const { points } = await send(port);
  const sent = systemClock.elapsed();
  let counted = 0;
  while (counted < points && systemClock.elapsed() - sent < 60_000) {
    await wait(500);
    counted = await countInServer(database);
  }
  const status = readFileSync(`/proc/${telegraf.pid}/status`, 'utf8');
  const peakMb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_000;
  return { counted, cpuSeconds: cpuSeconds(telegraf.pid), peakMb };
}
