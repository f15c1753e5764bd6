import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openMetricReader } from '../../../shared/stores/sql/metric-reader.ts';
import { openMetricWriter } from '../../../shared/stores/sql/metric-writer.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { type ProjectId, UNATTRIBUTED } from '../../../shared/values/project-id.ts';
import { AnsweringServer } from '../../../test/support/answering-server.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { MapQuarantine } from '../../../test/support/map-quarantine.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { metricsConfig } from './config.ts';
import { startMetrics } from './start.ts';

const ETL = 'etl' as ProjectId;
const APP = 'app-20261121072159-0000';
const START = Date.UTC(2026, 10, 21, 9);

interface Options {
  readonly targets: (url: string) => readonly Record<string, unknown>[];
  readonly config?: Record<string, unknown>;
  readonly random?: number;
}

async function open({ targets, config, random = 0 }: Options) {
  const folder = await mkdtemp(join(tmpdir(), 'scrape-'));
  const clock = new FakeClock(START);
  const metrics = new Metrics();
  const quarantine = new MapQuarantine();
  const said: string[] = [];
  const say = (level: string) => (_: unknown, message: string) => said.push(`${level} ${message}`);
  const logger = { info: say('info'), warn: say('warn'), error: say('error') };
  const server = await AnsweringServer.open();
  const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
  const writer = await openMetricWriter({ folder, clock, limits });
  const reader = await openMetricReader({ folder });
  const collector = await startMetrics({
    config: metricsConfig.parse({ graphite: [], prometheus: targets(server.url), ...config }),
    ...{ writer, quarantine, clock, metrics },
    random: () => random,
    logger: logger as unknown as Logger,
    projectOf: (_, application) => (application === APP ? ETL : undefined),
  });
  /** Fates as counted so far, such as `dropped gauge-twice`. */
  const fates = () =>
    Object.fromEntries(
      [...metrics.values('tollgate_records_total')].map(([labels, count]) => {
        const [, fate, reason] = /fate="(\w*)",reason="([\w-]*)"/.exec(labels) ?? [];
        return [`${fate} ${reason}`.trim(), count];
      }),
    );
  const kept = () => fates()['kept'] ?? 0;
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await new Promise((resolve) => setImmediate(resolve));
  };
  const points = async (project: ProjectId, measurement: string, field: string) =>
    await reader.query(project, {
      ...{ measurement, field, from: START - 1, until: START + 3_600_000 },
      ...{ stepMs: 0, aggregate: 'last', limit: 1_000 },
    });
  return {
    ...{ clock, metrics, quarantine, said, server, reader, collector, fates, kept, until, points },
    async [Symbol.asyncDispose]() {
      await collector[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

const sample = (name: string): string =>
  readFileSync(sharedDataFile(`spark4/rest/${name}`), 'utf8');

test("a real driver's two texts become series of its application, and the target has its own", async () => {
  await using bench = await open({
    targets: (url) => [
      { url: `${url}/metrics/prometheus/`, cluster: 'c1' },
      { url: `${url}/metrics/executors/prometheus`, cluster: 'c1' },
    ],
  });
  const { server, until, kept, fates, points } = bench;
  const servlet = sample('driver_metrics_prometheus.txt');
  const executors = sample('driver_metrics_executors_prometheus.txt');
  // The first scrape is under way, and is answered when its answer is known.
  server.set({
    '/metrics/prometheus/': { text: servlet },
    '/metrics/executors/prometheus': { text: executors },
  });
  await bench.clock.advance(15_000);
  const lines = `${servlet}${executors}`.trimEnd().split('\n');
  const twice = lines.filter((line) => line.includes('_Number{')).length;
  await until(() => (bench.fates()['dropped gauge-twice'] ?? 0) >= twice && kept() > 400);
  const heap = await points(ETL, 'jvm', 'heap.used');
  assert.deepEqual(
    heap.map(({ tags }) => tags),
    [{ project: 'etl', cluster: 'c1', application: APP, executor: 'driver' }],
  );
  assert.equal(heap[0]?.points.at(-1)?.[1], 88_699_392);
  const max = await points(ETL, 'DAGScheduler', 'messageProcessingTime.max');
  assert.equal(max[0]?.points.at(-1)?.[1], 274_095_069 * 1e-6);
  const cores = await points(ETL, 'executor', 'maxTasks');
  assert.deepEqual(
    cores.map(({ tags }) => `${tags['application']} ${tags['executor']}`).sort(),
    ['0', '1', 'driver'].map((executor) => `${APP} ${executor}`),
  );
  const [info] = await points(UNATTRIBUTED, 'prometheus', 'spark_info');
  assert.deepEqual([info?.tags['version'], info?.tags['application']], ['4.1.2', undefined]);
  const up = await points(UNATTRIBUTED, 'scrape', 'up');
  assert.deepEqual(up.map(({ tags }) => tags['path']).sort(), [
    '/metrics/executors/prometheus',
    '/metrics/prometheus/',
  ]);
  assert.deepEqual(Object.keys(fates()).sort(), [
    ...['dropped gauge-twice', 'dropped value-undefined', 'kept'],
  ]);
});

test('a target that fails is down with its reason, said once, and up again without a person', async () => {
  await using bench = await open({
    targets: (url) => [{ url: `${url}/m`, project: 'etl', instance: 'driver-1' }],
  });
  const { server, clock, until, kept, metrics } = bench;
  const turn = async (answer: Parameters<AnsweringServer['set']>[0][string]): Promise<void> => {
    const before = kept();
    server.set({ '/m': answer });
    await clock.advance(15_000);
    await until(() => kept() > before);
  };
  // An answer to the first scrape, which began at once.
  await until(() => kept() > 0);
  await turn({ text: 'Spark is starting up. Please wait a while until it is ready.' });
  await turn({ text: '<!DOCTYPE html><title>Sign in</title>' });
  await turn({ text: '<html>' });
  await turn({ text: 'a 1\n', headers: { 'content-type': 'application/openmetrics-text' } });
  await turn({ text: '', status: 302, headers: { location: 'http://127.0.0.1:1/' } });
  await turn({ text: 'rows{application="x",project="ml"} 5\n' });
  const [up] = await bench.points(ETL, 'scrape', 'up');
  assert.deepEqual(
    up?.points.map(([at, value]) => [(at - START) / 15_000, value]),
    [...[0, 1, 2, 3, 4, 5].map((n) => [n, 0]), [6, 1]],
  );
  assert.deepEqual(
    [...metrics.values('tollgate_scrape_failures_total')],
    [
      ['{reason="bad-status"}', 1],
      ['{reason="starting-up"}', 1],
      ['{reason="not-metrics"}', 2],
      ['{reason="cut-short"}', 1],
      ['{reason="redirect-refused"}', 1],
    ],
  );
  assert.equal(bench.said.filter((line) => line.startsWith('warn')).length, 5);
  assert.equal(bench.said.at(-1), 'info metrics are scraped again');
  const [rows] = await bench.points(ETL, 'prometheus', 'rows');
  assert.deepEqual(rows?.tags, {
    ...{ project: 'etl', cluster: 'default', instance: 'driver-1' },
    ...{ exported_application: 'x', exported_project: 'ml' },
  });
  assert.deepEqual(rows?.points, [[START + 90_000, 5]]);
});

test('bounds: samples of an answer, series of a project, refused lines; each has its fate', async () => {
  await using bench = await open({
    targets: (url) => [{ url: `${url}/m`, project: 'etl', maxSamples: 20, intervalMs: 1_000 }],
    config: { maxSeriesPerProject: 10 },
  });
  const lines = Array.from({ length: 25 }, (_, i) => `rows{n="${i}"} ${i}\n`);
  const bad = Array.from({ length: 130 }, (_, i) => `bad ${i} x\n`);
  await bench.until(() => bench.kept() > 0);
  bench.server.set({ '/m': { text: [...bad, ...lines, 'late 1 12\n', 'n NaN\n'].join('') } });
  await bench.clock.advance(1_000);
  await bench.until(() => (bench.fates()['quarantined malformed-line'] ?? 0) > 0);
  assert.equal(bench.quarantine.records.size, 100);
  const { kept, ...others } = bench.fates();
  // Three series of the scrape itself, twice, and seven of the answer.
  assert.equal(kept, 3 + 3 + 7);
  assert.deepEqual(others, {
    'quarantined malformed-line': 100,
    'dropped malformed-line': 30,
    'dropped sample-limit': 6,
    'dropped series-limit': 13,
    'dropped not-a-number': 1,
  });
});

test("a line's own time is its point's, unless it can't be true", async () => {
  await using bench = await open({
    targets: (url) => [{ url: `${url}/m`, project: 'etl', intervalMs: 1_000 }],
  });
  await bench.until(() => bench.kept() > 0);
  bench.server.set({ '/m': { text: `own 1 ${START + 7}\nold 1 12\n` } });
  await bench.clock.advance(1_000);
  await bench.until(() => (bench.fates()['dropped time-implausible'] ?? 0) > 0);
  const [own] = await bench.points(ETL, 'prometheus', 'own');
  assert.deepEqual(own?.points, [[START + 7, 1]]);
});

test('a refused line that can be read by now leaves the quarantine', async () => {
  await using bench = await open({
    targets: (url) => [{ url: `${url}/m`, project: 'etl', intervalMs: 1_000 }],
  });
  await bench.until(() => bench.kept() > 0);
  bench.server.set({ '/m': { text: 'rows x\n' } });
  await bench.clock.advance(1_000);
  await bench.until(() => bench.quarantine.records.size > 0);
  const [waiting] = await bench.quarantine.list();
  assert.ok(waiting !== undefined);
  assert.equal((await bench.collector.replay([waiting])).quarantined, 1);
  assert.equal((await bench.collector.replay([{ ...waiting, raw: 'rows 5' }])).stored, 1);
  assert.equal(bench.quarantine.records.size, 0);
  const [rows] = await bench.points(ETL, 'prometheus', 'rows');
  assert.deepEqual(rows?.points, [[waiting.observedAt, 5]]);
});

test('targets begin spread over the interval', async () => {
  await using bench = await open({ targets: (url) => [{ url: `${url}/m` }], random: 0.5 });
  await bench.clock.advance(7_499);
  assert.deepEqual(bench.server.asked, []);
  await bench.clock.advance(1);
  await bench.until(() => bench.kept() > 0);
  assert.deepEqual(bench.server.asked, ['/m']);
});

test('an end while a target is asked does not wait for its answer', async () => {
  await using bench = await open({ targets: (url) => [{ url: `${url}/m` }] });
  await bench.until(() => bench.kept() > 0);
  bench.server.set({ '/m': { never: true } });
  const asked = bench.server.asked.length;
  await bench.clock.advance(15_000);
  await bench.until(() => bench.server.asked.length > asked);
  await bench.collector[Symbol.asyncDispose]();
  assert.deepEqual(bench.fates(), { kept: 3 });
});

test('targets that cannot be told apart, or whose secrets are half given, are refused', () => {
  const paths = (prometheus: unknown) =>
    metricsConfig.safeParse({ prometheus }).error?.issues.map(({ path }) => path.join('.'));
  const url = 'http://h:1/m';
  assert.deepEqual(paths([{ url }, { url: `${url}?x=1` }]), ['prometheus']);
  assert.equal(paths([{ url }, { url, instance: 'b' }]), undefined);
  assert.deepEqual(paths([{ url: 'http://me:pw@h/m' }]), ['prometheus.0.url']);
  assert.deepEqual(paths([{ url: 'ftp://h/m' }]), ['prometheus.0.url']);
  assert.deepEqual(paths([{ url, user: 'me' }]), ['prometheus.0.passwordFile']);
  assert.deepEqual(paths([{ url, certificateFile: 'c' }]), ['prometheus.0.keyFile']);
  assert.deepEqual(paths([{ url, user: 'a', passwordFile: 'b', bearerTokenFile: 'c' }]), [
    'prometheus.0.bearerTokenFile',
  ]);
});
