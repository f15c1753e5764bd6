import assert from 'node:assert/strict';
import test from 'node:test';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MapQuarantine } from '../../../test/support/map-quarantine.ts';
import { MetricBench, MORNING } from '../../../test/support/metric-bench.ts';
import { metricsConfig } from './config.ts';
import { startMetrics } from './start.ts';

const ETL = 'etl' as ProjectId;
const SECONDS = MORNING / 1_000;

async function setUp() {
  const bench = await MetricBench.open();
  const quarantine = new MapQuarantine();
  const collector = await startMetrics({
    config: metricsConfig.parse({ graphite: [] }),
    writer: bench.writer,
    quarantine,
    clock: new FakeClock(MORNING),
    random: () => 0,
    logger: silentLogger,
    metrics: new Metrics(),
  });
  const take = (format: string, ...texts: readonly string[]): Promise<void> =>
    collector.take(
      {
        origin: 'kafka:m/1',
        records: texts.map((text, i) => ({ id: `kafka:m/1#${i + 7}`, text })),
        format,
        project: ETL,
        cluster: 'main',
        receivedAt: MORNING,
        bytes: 1,
      },
      new AbortController().signal,
    );
  return {
    bench,
    quarantine,
    collector,
    take,
    async [Symbol.asyncDispose]() {
      await collector[Symbol.asyncDispose]();
      await bench[Symbol.asyncDispose]();
    },
  };
}

test('messages of Graphite lines become points of their project, several a message', async () => {
  await using running = await setUp();
  const name = 'app-20261121072159-0000.3.executor';
  await running.take(
    'graphite',
    `${name}.cpuTime.count 12 ${SECONDS}\n${name}.runTime.count 34 ${SECONDS}\n`,
    `${name}.cpuTime.count 13 ${SECONDS + 10}`,
  );
  const rows = await running.bench.reader.latest(ETL, 'executor', 0);
  assert.equal(rows.length, 1);
  assert.deepEqual(rows[0]?.fields, { 'cpuTime.count': 13, 'runTime.count': 34 });
  assert.equal(rows[0]?.tags['cluster'], 'main');
});

test('refused lines of either format say which message they were, and are replayed as such', async () => {
  await using running = await setUp();
  await running.take('graphite', 'nonsense');
  await running.take('json', '{"measurement":"m","field":"f"}', 'nonsense');
  const waiting = [...running.quarantine.records.values()];
  assert.deepEqual(
    waiting.map(({ source, reason, project }) => [source, reason, project]),
    [
      ['kafka:m/1#7?cluster=main&format=graphite', 'malformed-line', ''],
      ['kafka:m/1#7?cluster=main&format=json', waiting[1]?.reason, 'etl'],
      ['kafka:m/1#8?cluster=main&format=json', 'not-json', 'etl'],
    ],
  );
  const answer = await running.collector.replay(waiting);
  assert.equal(answer.quarantined, 3);
});
