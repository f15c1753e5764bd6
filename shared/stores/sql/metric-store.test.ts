import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type MetricStoreUnderTest,
  metricStoreSuite,
} from '../../../test/contracts/metric-store-suite.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { openMetricReader } from './metric-reader.ts';
import { openMetricWriter } from './metric-writer.ts';

const NOW = Date.UTC(2026, 10, 20, 10);
const clock: Clock = { ...systemClock, now: () => NOW };

async function open(): Promise<MetricStoreUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'metric-store-'));
  const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
  let writer = await openMetricWriter({ folder, clock, limits });
  const reader = await openMetricReader({ folder });
  return {
    get writer() {
      return writer;
    },
    reader,
    async reopen() {
      await writer[Symbol.asyncDispose]();
      writer = await openMetricWriter({ folder, clock, limits });
      return writer;
    },
    settle: () => writer.maintain(),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

metricStoreSuite('SQLite', open);
