import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '../../../shared/errors/app-error.ts';
import { type Clock, systemClock } from '../../../shared/runtime/clock.ts';
import type { MetricReader, MetricWriter } from '../../../shared/stores/metric-store.ts';
import type { QuarantinedRecord } from '../../../shared/stores/quarantine.ts';
import { openMetricReader } from '../../../shared/stores/sql/metric-reader.ts';
import { openMetricWriter } from '../../../shared/stores/sql/metric-writer.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { MapQuarantine } from '../../../test/support/map-quarantine.ts';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { metricsConfig } from './config.ts';
import { type MetricsCollector, type MetricsDeps, startMetrics } from './start.ts';

/** Soon after the samples were taken. */
const NOW = 1_795_248_000_000;
const clock: Clock = { ...systemClock, now: () => NOW };
const ETL = 'etl' as ProjectId;

interface Running extends AsyncDisposable {
  readonly collector: MetricsCollector;
  readonly reader: MetricReader;
  readonly quarantine: MapQuarantine;
  readonly metrics: Metrics;
  /** Ends the collector, so that everything it read is stored. */
  finish(): Promise<void>;
}

interface Options {
  readonly config?: Record<string, unknown>;
  readonly source?: Record<string, unknown>;
  readonly projectOf?: MetricsDeps['projectOf'];
  readonly wrap?: (writer: MetricWriter) => MetricWriter;
}

async function start(options: Options = {}): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'metrics-'));
  const limits = { commitIntervalMs: 0, diskReserveBytes: 0 };
  const writer = await openMetricWriter({ folder, clock, limits });
  const reader = await openMetricReader({ folder });
  const quarantine = new MapQuarantine();
  const metrics = new Metrics();
  const collector = await startMetrics({
    config: metricsConfig.parse({
      graphite: [{ port: 0, cluster: 'c1', project: 'etl', ...options.source }],
      ...options.config,
    }),
    writer: options.wrap?.(writer) ?? writer,
    quarantine,
    clock,
    random: () => 0,
    logger: silentLogger,
    metrics,
    ...(options.projectOf && { projectOf: options.projectOf }),
  });
  let running: Promise<void> | undefined;
  const finish = (): Promise<void> => {
    running ??= Promise.resolve(collector[Symbol.asyncDispose]());
    return running;
  };
  return {
    collector,
    reader,
    quarantine,
    metrics,
    finish,
    async [Symbol.asyncDispose]() {
      await finish();
      await writer[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

/** Sends over one connection and waits until the peer has closed its side. */
async function send(collector: MetricsCollector, ...pieces: (string | Buffer)[]): Promise<void> {
  const socket = connect({ ...collector.tcpAddress, port: collector.tcpAddress?.port ?? 0 });
  socket.resume();
  for (const piece of pieces) {
    if (!socket.write(piece)) await once(socket, 'drain');
  }
  const closed = once(socket, 'close');
  socket.end();
  await closed;
}

function fates(metrics: Metrics): Record<string, number> {
  return Object.fromEntries(
    [...metrics.values('tollgate_records_total')].map(([labels, count]) => {
      const fate = /fate="(\w*)"/.exec(labels)?.[1] ?? '';
      const reason = /reason="([\w-]*)"/.exec(labels)?.[1] ?? '';
      return [reason === '' ? fate : `${fate} ${reason}`, count];
    }),
  );
}

function query(measurement: string, field: string, tags: Record<string, string> = {}) {
  const window = { from: NOW - 24 * HOUR_MS, until: NOW + HOUR_MS };
  return {
    measurement,
    field,
    tags,
    ...window,
    stepMs: 0,
    aggregate: 'last',
    limit: 1000,
  } as const;
}

for (const file of ['spark4/graphite-4.1.2-standalone.txt', 'spark4/graphite-3.5.8-local.txt']) {
  test(`every line of ${file} that has a value is in the store with it`, async () => {
    const lines = readFileSync(sharedDataFile(file), 'utf8').trimEnd().split('\n');
    await using running = await start();
    await send(running.collector, readFileSync(sharedDataFile(file)));
    await running.finish();
    assert.equal(running.quarantine.records.size, 0);
    const undefinedValues = lines.filter((line) => /\.jvm\..*\.(max|init) -1 /.test(line)).length;
    assert.deepEqual(fates(running.metrics), {
      kept: lines.length - undefinedValues,
      'dropped value-undefined': undefinedValues,
    });
    for (const line of lines) await holds(running.reader, line);
  });
}

/** Looks a sample's line up by its parts, which are found here in a way of their own. */
async function holds(reader: MetricReader, line: string): Promise<void> {
  const [name = '', value = '', seconds = ''] = line.split(' ');
  if (value === '-1' && name.includes('.jvm.')) return;
  const spark = /^prod\.([^.]+)\.(driver|\d+)\.(.*)$/.exec(name);
  const streaming = /^spark\.streaming\.([^.]+)\.(.*)$/.exec(spark?.[3] ?? '');
  const daemon = /^prod\.(master|worker)\.(.*)$/.exec(name);
  const application = /^prod\.application\.(.*)\.\d+\.(\w+)$/.exec(name);
  const plain = /^([^.]+)\.(.*)$/.exec(spark?.[3] ?? '');
  let wanted = query(plain?.[1] ?? '', plain?.[2] ?? '');
  if (streaming) wanted = query('streaming', streaming[2] ?? '', { query: streaming[1] ?? '' });
  if (daemon) wanted = query(daemon[1] ?? '', daemon[2] ?? '');
  if (application) wanted = query('application', application[2] ?? '');
  const owner = spark === null ? {} : { application: spark[1] ?? '', executor: spark[2] ?? '' };
  const found = await reader.query(ETL, {
    ...wanted,
    tags: { ...wanted.tags, ...owner, prefix: 'prod', cluster: 'c1' },
  });
  assert.equal(found.length, 1, line);
  const at = Number(seconds) * 1000;
  assert.deepEqual(
    found[0]?.points.find((point) => point[0] === at),
    [at, Number(value)],
    line,
  );
}

test('each line meets a named fate, and none stops the ones behind it', async () => {
  const at = NOW / 1000;
  await using running = await start({ config: { maxLineBytes: 4096 } });
  await send(
    running.collector,
    `p.app-20261121072159-0000.1.executor.runTime.count 5 ${at}\n`,
    `p.app-20261121072159-0000.1.executor.a NaN ${at}\n`,
    `p.app-20261121072159-0000.1.executor.a -Infinity ${at}\n`,
    `p.app-20261121072159-0000.1.executor.a 1 99\n`,
    `p.app-20261121072159-0000.1.executor.a 1 ${at + 99_999_999}\n`,
    `p.app-20261121072159-0000.1.jvm.pools.Metaspace.usage -65229656.00 ${at}\n`,
    'not graphite at all\n\n',
    `__proto__ 1 ${at}\n`,
    Buffer.from([0xff, 0xfe, 0x2e, 0x61, 0x20, 0x31, 0x20, 0x31, 0x0a]),
    `p.app-20261121072159-0000.1.executor.\u0001\u0007 1 ${at}\n`,
    `${'x'.repeat(1_000_000)}.driver.jvm.heap.used 1 ${at}\n`,
    `${'y'.repeat(2_000)}.driver.jvm.heap.used 1 ${at}\n`,
    `p.app-20261121072159-0000.1.executor.runTime.count 9007199254740993 ${at + 1}\n`,
    `p.app-20261121072159-0000.1.executor.runTime.count 7 ${at + 2}`,
  );
  await running.finish();
  assert.deepEqual(fates(running.metrics), {
    kept: 2,
    'dropped not-a-number': 2,
    'dropped time-implausible': 2,
    'dropped value-undefined': 1,
    'dropped empty-line': 1,
    'dropped line-too-long': 1,
    'dropped partial-line': 1,
    'quarantined malformed-line': 1,
    'quarantined unknown-name': 1,
    'quarantined not-utf8': 1,
    'quarantined control-character': 1,
    'quarantined name-too-long': 1,
  });
  const [found] = await running.reader.query(ETL, query('executor', 'runTime.count'));
  assert.deepEqual(found?.points, [
    [NOW, 5],
    [NOW + 1000, Number('9007199254740993')],
  ]);
});

test('a project beyond its series limit loses the new series, counted, and keeps the old ones', async () => {
  await using running = await start({ config: { maxSeriesPerProject: 2 } });
  const line = (n: number, at: number): string =>
    `p.local-1.driver.executor.metric${n} ${n} ${NOW / 1000 + at}\n`;
  await send(running.collector, line(1, 0), line(2, 0), line(3, 0), line(3, 1), line(1, 1));
  await running.finish();
  assert.deepEqual(fates(running.metrics), { kept: 3, 'dropped series-limit': 2 });
});

test('the project comes from the prefix, or is asked for again until it is known', async () => {
  const known = new Map<string, ProjectId>();
  await using running = await start({
    source: { project: undefined },
    projectOf: (cluster, application) => known.get(`${cluster} ${application}`),
  });
  const line = `prod.local-1.driver.jvm.heap.used 1 ${NOW / 1000}\n`;
  await send(running.collector, line);
  known.set('c1 local-1', ETL);
  await running.finish();
  const unknown = await running.reader.query(
    'unattributed' as ProjectId,
    query('jvm', 'heap.used'),
  );
  assert.equal(unknown.length, 1);
  await using prefixed = await start({ source: { project: undefined, projectFromPrefix: true } });
  await send(prefixed.collector, line.replace('prod', 'ML'), line.replace('prod', '!'));
  await prefixed.finish();
  assert.equal(
    (await prefixed.reader.query('ml' as ProjectId, query('jvm', 'heap.used'))).length,
    1,
  );
  const rest = await prefixed.reader.query('unattributed' as ProjectId, query('jvm', 'heap.used'));
  assert.equal(rest.length, 1);
});

test('a burst down one connection arrives whole while the store is slow', async () => {
  const points = 100_000;
  await using running = await start({
    config: { batchPoints: 2_000 },
    wrap: (writer) => ({
      declare: (series) => writer.declare(series),
      release: (refs) => writer.release(refs),
      checkpoints: (prefix) => writer.checkpoints(prefix),
      write: async (block, checkpoints) => {
        await new Promise((resolve) => setImmediate(resolve));
        await writer.write(block, checkpoints);
      },
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    }),
  });
  const lines: string[] = [];
  for (let i = 0; i < points; i += 1) {
    lines.push(`p.local-1.driver.executor.m${i % 50} ${i} ${NOW / 1000 - Math.floor(i / 50)}\n`);
  }
  await send(running.collector, lines.join(''));
  await running.finish();
  assert.deepEqual(fates(running.metrics), { kept: points });
  const counted = await running.reader.query(ETL, {
    ...query('executor', 'm7'),
    stepMs: 24 * HOUR_MS,
    aggregate: 'count',
  });
  const total = counted[0]?.points.reduce((sum, [, count]) => sum + count, 0);
  assert.equal(total, points / 50);
});

function body(...lines: unknown[]): Uint8Array {
  return Buffer.from(
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
}

const PUSH = { project: ETL, cluster: 'c9', receivedAt: NOW };
const POINT = { measurement: 'app', field: 'rows', at: NOW, value: 3, tags: { executor: '1' } };

test('pushed records are stored when the answer comes, with a verdict for each refused line', async () => {
  await using running = await start();
  const answer = await running.collector.ingest({
    ...PUSH,
    body: body(
      POINT,
      '',
      { ...POINT, at: '2026-11-21T08:00:00.000Z', project: 'ML', value: -0.5 },
      { ...POINT, value: 'NaN' },
      { ...POINT, at: 12 },
      '{broken',
      { ...POINT, field: undefined },
      '{"measurement":"a","field":"b","at":1,"value":1,"tags":{"__proto__":"x"}}',
    ),
  });
  assert.deepEqual(answer, {
    stored: 2,
    duplicates: 0,
    dropped: 2,
    quarantined: 3,
    verdicts: [
      { line: 4, fate: 'dropped', reason: 'not-a-number' },
      { line: 5, fate: 'dropped', reason: 'time-implausible' },
      { line: 6, fate: 'quarantined', reason: 'not-json' },
      { line: 7, fate: 'quarantined', reason: 'bad-field' },
      { line: 8, fate: 'quarantined', reason: 'bad-tags' },
    ],
  });
  const [own] = await running.reader.query(ETL, query('app', 'rows'));
  assert.deepEqual(own, {
    tags: { cluster: 'c9', executor: '1', project: 'etl' },
    points: [[NOW, 3]],
  });
  assert.equal((await running.reader.query('ml' as ProjectId, query('app', 'rows'))).length, 1);
  assert.equal(running.quarantine.records.size, 3);
});

test('more pushed at a time than is allowed is refused as overloaded', async () => {
  await using running = await start({ config: { maxRequestBytes: 100 } });
  const first = running.collector.ingest({ ...PUSH, body: body(POINT) });
  await assert.rejects(
    running.collector.ingest({ ...PUSH, body: body(POINT) }),
    (error) => error instanceof AppError && error.code === 'OVERLOADED',
  );
  assert.equal((await first).stored, 1);
});

test('a replay stores what can now be read, and the rest stays in quarantine', async () => {
  await using running = await start();
  const record = {
    collector: 'metrics',
    reason: 'unknown-name',
    project: '',
    observedAt: NOW,
  } as const;
  const records: QuarantinedRecord[] = [
    {
      ...record,
      id: 'a',
      source: 'graphite:c1',
      raw: `x.local-1.driver.jvm.heap.used 5 ${NOW / 1000}`,
    },
    { ...record, id: 'b', source: 'graphite:c1', raw: 'still nonsense' },
    { ...record, id: 'c', source: 'http:c9', project: 'etl', raw: JSON.stringify(POINT) },
  ];
  await running.quarantine.put(records);
  const answer = await running.collector.replay(records);
  assert.deepEqual(answer, { stored: 2, duplicates: 0, dropped: 0, quarantined: 1, verdicts: [] });
  assert.equal(running.quarantine.records.has('a'), false);
  assert.equal(running.quarantine.records.has('b'), true);
  assert.equal(running.quarantine.records.has('c'), false);
  const [found] = await running.reader.query(ETL, query('jvm', 'heap.used'));
  assert.deepEqual(found?.points, [[NOW, 5]]);
});

test('a store that is away holds the points back until it is there again', async () => {
  let failures = 2;
  await using running = await start({
    wrap: (writer) => ({
      declare: (series) => writer.declare(series),
      release: (refs) => writer.release(refs),
      checkpoints: (prefix) => writer.checkpoints(prefix),
      write: (block, checkpoints) => {
        failures -= 1;
        return failures >= 0
          ? Promise.reject(new AppError('DISK_FULL', 'no room'))
          : writer.write(block, checkpoints);
      },
      [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
    }),
  });
  await send(running.collector, `p.local-1.driver.jvm.heap.used 5 ${NOW / 1000}\n`);
  await running.finish();
  assert.deepEqual(fates(running.metrics), { kept: 1 });
  assert.equal((await running.reader.query(ETL, query('jvm', 'heap.used'))).length, 1);
});
