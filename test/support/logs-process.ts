import { join } from 'node:path';
import { logsConfig } from '../../services/collectors/logs/config.ts';
import { startLogs } from '../../services/collectors/logs/start.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { openLogWriter } from '../../shared/stores/sql/log-writer.ts';
import { openQuarantine } from '../../shared/stores/sql/quarantine-store.ts';
import { silentLogger } from '../../shared/telemetry/logger.ts';
import { Metrics } from '../../shared/telemetry/metrics.ts';

// A log collector of its own, to be killed: `node logs-process.ts <data folder> <log folder>`.
// Prints the TCP port once it listens.
const [data = '', logs = ''] = process.argv.slice(2);
const collector = await startLogs({
  config: logsConfig.parse({
    files: [{ paths: [`${logs}/{application}/*.log`], project: 'etl' }],
    tcp: [{ port: 0, project: 'etl' }],
    quietMs: 20,
    pollIntervalMs: 1,
    scanIntervalMs: 2,
    batchRecords: 200,
  }),
  writer: await openLogWriter({
    folder: join(data, 'logs'),
    clock: systemClock,
    limits: { commitIntervalMs: 0, diskReserveBytes: 0 },
  }),
  quarantine: await openQuarantine({ file: join(data, 'quarantine.db') }),
  clock: systemClock,
  random: () => 0.5,
  logger: silentLogger,
  metrics: new Metrics(),
  spoolFolder: join(data, 'spool'),
});
process.stdout.write(`${collector.tcpAddresses[0]?.port}\n`);
