import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { logsConfig } from '../../../services/collectors/logs/config.ts';
import { startLogs } from '../../../services/collectors/logs/start.ts';
import { systemClock } from '../../../shared/runtime/clock.ts';
import type { LogWriter } from '../../../shared/stores/log-store.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { MapQuarantine } from '../../support/map-quarantine.ts';
import { eventsAmong, logLine } from './log-lines.ts';

const FILES = 20;

/** Events among the lines that `writeBacklog` writes. */
export const eventsOfBacklog = (lines: number): number =>
  FILES * eventsAmong(Math.ceil(lines / FILES));

/** Files of `lines` log lines in all, as executors leave them. */
export function writeBacklog(folder: string, lines: number): void {
  const each = Math.ceil(lines / FILES);
  for (let file = 0; file < FILES; file += 1) {
    const handle = openSync(join(folder, `executor-${file}.log`), 'a');
    let text = '';
    for (let n = 0; n < each; n += 1) {
      text += logLine(n, systemClock.now());
      if (text.length < 1_048_576 && n + 1 < each) continue;
      writeSync(handle, text);
      text = '';
    }
    closeSync(handle);
  }
}

/** The log collector on these files and this writer, which it doesn't close. */
export function collectLogs(folder: string, writer: LogWriter): Promise<AsyncDisposable> {
  const source = { paths: [join(folder, '*.log')], project: 'etl' as ProjectId };
  return startLogs({
    config: logsConfig.parse({ files: [source] }),
    writer,
    quarantine: new MapQuarantine(),
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    metrics: new Metrics(),
    spoolFolder: join(folder, 'spool'),
  });
}
