import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLogReader } from '../../../shared/stores/sql/log-reader.ts';
import { openLogWriter } from '../../../shared/stores/sql/log-writer.ts';
import { openQuarantine } from '../../../shared/stores/sql/quarantine-store.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { type CollectorBench, collectorSuite } from '../../../test/contracts/collector-suite.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { logsConfig } from './config.ts';
import { startLogs } from './start.ts';

async function open(): Promise<CollectorBench> {
  const folder = await mkdtemp(join(tmpdir(), 'logs-'));
  const quarantine = await openQuarantine({ file: join(folder, 'quarantine.db') });
  const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
  const writer = await openLogWriter({
    folder: join(folder, 'logs'),
    clock: new FakeClock(),
    limits,
  });
  return {
    quarantine,
    start: (deps) =>
      startLogs({
        ...deps,
        config: logsConfig.parse({}),
        writer,
        spoolFolder: join(folder, 'spool'),
      }),
    async stored() {
      await using reader = await openLogReader({ folder: join(folder, 'logs') });
      const query = { from: 0, until: Date.UTC(2030, 0, 1), limit: 1_000 };
      return (await reader.search('etl' as ProjectId, query)).records.length;
    },
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await quarantine[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

collectorSuite({
  name: 'logs',
  good: (n) =>
    JSON.stringify({ id: `r${n}`, ts: '2026-11-21T08:00:00Z', level: 'INFO', msg: `line ${n}` }),
  bad: {
    'no JSON': '26/11/21 08:00:00 INFO X: text',
    'no object': '[1, 2]',
    'no message': '{"ts":"2026-11-21T08:00:00Z"}',
    'no project id': '{"msg":"x","project":"../etc"}',
    'endless id': JSON.stringify({ msg: 'x', id: 'i'.repeat(300) }),
  },
  open,
});
