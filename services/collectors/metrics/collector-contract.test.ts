import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { openMetricReader } from '../../../shared/stores/sql/metric-reader.ts';
import { openMetricWriter } from '../../../shared/stores/sql/metric-writer.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { type CollectorBench, collectorSuite } from '../../../test/contracts/collector-suite.ts';
import { MapQuarantine } from '../../../test/support/map-quarantine.ts';
import { metricsConfig } from './config.ts';
import { startMetrics } from './start.ts';

const AT = Date.UTC(2026, 10, 21, 8, 30);

async function open(): Promise<CollectorBench> {
  const folder = await mkdtemp(join(tmpdir(), 'metrics-contract-'));
  const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
  const writer = await openMetricWriter({ folder, clock: systemClock, limits });
  const reader = await openMetricReader({ folder });
  return {
    quarantine: new MapQuarantine(),
    start: (deps) =>
      startMetrics({ ...deps, config: metricsConfig.parse({ graphite: [{ port: 0 }] }), writer }),
    async stored() {
      const found = await reader.query('etl' as ProjectId, {
        measurement: 'm',
        field: 'f',
        from: 0,
        until: AT * 2,
        stepMs: 0,
        aggregate: 'last',
        limit: 1000,
      });
      return found.reduce((sum, { points }) => sum + points.length, 0);
    },
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

collectorSuite({
  name: 'metrics',
  good: (n) =>
    JSON.stringify({ measurement: 'm', field: 'f', at: AT + n, value: n, tags: { n: '1' } }),
  bad: {
    'no JSON': 'm.f 1 2',
    'no measurement': '{"field":"f","at":1,"value":1}',
    'no time': '{"measurement":"m","field":"f","value":1}',
    'a time long past': '{"measurement":"m","field":"f","at":1,"value":1}',
    'no number': '{"measurement":"m","field":"f","at":1,"value":"many"}',
    infinity: '{"measurement":"m","field":"f","at":1,"value":"Infinity"}',
    'a project that is none': '{"measurement":"m","field":"f","at":1,"value":1,"project":"a b"}',
  },
  open,
});
