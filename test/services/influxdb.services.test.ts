import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Series } from '../../shared/contracts/metric-point.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { checkInflux } from '../../shared/stores/influx/check-influx.ts';
import { type InfluxConfig, influxConfig } from '../../shared/stores/influx/config.ts';
import { initInflux } from '../../shared/stores/influx/init-influx.ts';
import type { MetricQuery } from '../../shared/stores/metric-store.ts';
import { DAY_MS, HOUR_MS, utcHour } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { type MetricStoreUnderTest, metricStoreSuite } from '../contracts/metric-store-suite.ts';
import { AnsweringServer } from '../support/answering-server.ts';
import { InfluxDatabase } from '../support/influx-database.ts';
import { freePort } from '../support/running-tollgate.ts';
import { type RunningInfluxdb, startInfluxdb } from './servers/influxdb.ts';

const ETL = 'etl' as ProjectId;
const T = utcHour(systemClock.now()) - HOUR_MS;
let server: RunningInfluxdb;

before(async () => {
  server = await startInfluxdb();
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

async function open(): Promise<MetricStoreUnderTest> {
  const config = await InfluxDatabase.config(server);
  let database = await InfluxDatabase.open(config);
  const { reader } = database;
  return {
    get writer() {
      return database.writer;
    },
    reader,
    async reopen() {
      await database.writer[Symbol.asyncDispose]();
      const { saved } = database.checkpoints;
      database = await InfluxDatabase.open(config);
      for (const [source, position] of saved) database.checkpoints.saved.set(source, position);
      return database.writer;
    },
    settle: () => Promise.resolve(),
    async [Symbol.asyncDispose]() {
      assert.deepEqual([database.refused, database.fates.size], [[], 0]);
      await database[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
    },
  };
}

metricStoreSuite('InfluxDB', open);

function series(field: string, tags: Record<string, string> = {}, measurement = 'driver'): Series {
  return { measurement, field, tags: { project: ETL, cluster: 'c1', ...tags } };
}

function raw(extra: Partial<MetricQuery> = {}): MetricQuery {
  return {
    measurement: 'driver',
    field: 'jobs',
    from: T - DAY_MS,
    until: T + DAY_MS,
    stepMs: 0,
    aggregate: 'last',
    limit: 1_000,
    ...extra,
  };
}

test('whatever text names a metric and its tags is read back as it was', async () => {
  const text = fc.oneof(
    fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }),
    fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'\\,= "\'%\n\r\t#_:;/*$()') }),
    fc.constantFrom('time', '_field', '_measurement', '__proto__', 'a\\', '\\', '%_', '%0A', ' '),
  );
  const value = fc.oneof(text, fc.constant(''));
  await using database = await InfluxDatabase.create(server, { measurements: [] });
  const { config } = database;
  const names = new Set<string>();
  await fc.assert(
    fc.asyncProperty(text, text, fc.dictionary(text, value, { maxKeys: 4 }), async (m, f, tags) => {
      const measurement = m.startsWith('tollgate_') ? 'm' : m;
      names.add(measurement);
      const run = `${names.size}-${f}`;
      await using own = await InfluxDatabase.open({
        ...config,
        measurements: [{ measurement, fields: ['*'] }],
      });
      const written = series(f, { ...tags, run }, measurement);
      await own.put([[written, T, 1.5]]);
      assert.deepEqual([own.refused, [...own.fates]], [[], []]);
      const found = await own.reader.query(ETL, raw({ measurement, field: f, tags: written.tags }));
      assert.deepEqual(
        found.map(({ tags: t, points }) => [Object.entries(t).sort(), points]),
        [[Object.entries(written.tags).sort(), [[T, 1.5]]]],
      );
    }),
    { numRuns: 150 },
  );
});

test('no text of a query reaches beyond its project', async () => {
  await using database = await InfluxDatabase.create(server);
  const ml = { ...series('jobs'), tags: { project: 'ml', cluster: 'c1' } };
  await database.put([[ml, T, 1]]);
  const hostile = [
    "' OR 1=1 --",
    'etl\' OR "project" = \'ml',
    "\\' OR project::tag = \\'ml",
    'x" FROM "raw"."driver"; DROP MEASUREMENT "driver"; --',
    "x'; DROP MEASUREMENT driver; SELECT 'x",
    "etl\n' OR 'a'='a",
  ];
  for (const text of hostile) {
    const asked = raw({ field: text, tags: { [text]: text, executor: text } });
    assert.deepEqual(await database.reader.query(ETL, asked), []);
    assert.deepEqual(await database.reader.query(ETL, raw({ tags: { [text]: text } })), []);
    assert.deepEqual(await database.reader.query(text as ProjectId, raw()), []);
    assert.deepEqual(await database.reader.latest(text as ProjectId, 'driver', 0), []);
  }
  assert.equal((await database.reader.query('ml' as ProjectId, raw())).length, 1);
});

test('points that conflict are handed over one by one, and all others are kept', async () => {
  await using database = await InfluxDatabase.create(server, {
    batchPoints: 1_000,
    requestsInFlight: 2,
  });
  await database.writeLines(`driver,project=other bad="text" ${T}\n`);
  const bad = new Set([0, 1, 500, 1_234, 2_999]);
  const points = Array.from({ length: 3_000 }, (_, i) => {
    const executor = `${i % 7}`;
    return [series(bad.has(i) ? 'bad' : 'jobs', { executor }), T + i, i] as const;
  });
  await database.put(points, [{ source: 'kafka:1', position: '3000' }]);
  assert.deepEqual(
    database.refused.map(({ series: { field }, value, reason }) => [field, value, reason]).sort(),
    [...bad].map((i) => ['bad', i, 'type-conflict']).sort(),
  );
  assert.ok(database.refused.every(({ detail }) => detail.includes('already exists as type')));
  assert.deepEqual([...database.fates], [['type-conflict', bad.size]]);
  const found = await database.reader.query(ETL, raw());
  const stored = found.flatMap(({ points: p }) => p.map(([, value]) => value));
  assert.equal(new Set(stored).size, 3_000 - bad.size);
  assert.equal(database.checkpoints.saved.get('kafka:1')?.position, '3000');
});

test('points of any other fate are counted, and their batch is kept', async () => {
  await using database = await InfluxDatabase.create(server, {
    rawRetentionMs: 48 * HOUR_MS,
    measurements: [
      { measurement: 'jvm', fields: ['heap.*'], into: 'spark' },
      { measurement: 'driver', fields: ['*'] },
    ],
    maxFields: 3,
    maxRawSeries: 12,
  });
  const many = Array.from({ length: 20 }, (_, i) => series('jobs', { executor: `${i}` }));
  await database.put([
    [series('heap.used', {}, 'jvm'), T, 1],
    [series('pools.x', {}, 'jvm'), T, 1],
    [series('x', {}, 'other'), T, 1],
    [series('jobs'), T, Number.NaN],
    [series('jobs'), T, Number.POSITIVE_INFINITY],
    [series('jobs'), 9e15, 1],
    [series('jobs'), T - 49 * HOUR_MS, 1],
    [series('jobs', { long: 'x'.repeat(65_536) }), T, 1],
    ...['a', 'b', 'c', 'd'].map((field) => [series(field), T, 1] as const),
    ...many.map((one) => [one, T, 1] as const),
  ]);
  assert.deepEqual(Object.fromEntries(database.fates), {
    'not-allowed': 2,
    'not-a-number': 2,
    'time-implausible': 1,
    'beyond-retention': 1,
    'key-too-long': 1,
    // jobs, a and b have their places.
    'field-limit': 2,
    // Two of twelve are those of jvm and of driver without executor.
    'series-limit': 10,
  });
  assert.equal((await database.reader.query(ETL, raw())).length, 10);
  const heap = raw({ measurement: 'jvm', field: 'heap.used' });
  assert.deepEqual((await database.reader.query(ETL, heap))[0]?.points, [[T, 1]]);
  const latest = await database.reader.latest(ETL, 'jvm', 0);
  assert.deepEqual(latest[0]?.fields, { 'heap.used': 1 });
});

test("points that only the server's clock finds too old are counted", async () => {
  const earlier = { ...systemClock, now: () => systemClock.now() - 6 * HOUR_MS };
  const extra = { rawRetentionMs: 48 * HOUR_MS, batchPoints: 100 };
  await using database = await InfluxDatabase.create(server, extra, earlier);
  const old = systemClock.now() - 49 * HOUR_MS;
  const points = Array.from({ length: 300 }, (_, i) => {
    return [series('jobs', { executor: `${i}` }), i % 10 === 0 ? old : T, i] as const;
  });
  await database.put(points);
  assert.deepEqual([...database.fates], [['beyond-retention', 30]]);
  assert.equal((await database.reader.query(ETL, raw())).length, 270);
});

test('init can be repeated, and brings the retention to what is configured', async () => {
  const config = await InfluxDatabase.config(server, { rawRetentionMs: 48 * HOUR_MS });
  await initInflux(config);
  await initInflux({ ...config, rawRetentionMs: 72 * HOUR_MS });
  await using database = await InfluxDatabase.open(config);
  assert.deepEqual(await database.retention('raw'), { keptMs: 72 * HOUR_MS, shardMs: 9 * HOUR_MS });
  const { version } = await checkInflux(config);
  assert.match(version, server.login.token === undefined ? /^1\.8\.10$/ : /^2\.\d+\.\d+$/);
});

async function problem(config: InfluxConfig): Promise<string> {
  try {
    await checkInflux(config);
  } catch (error) {
    if (error instanceof AppError) {
      assert.doesNotMatch(error.message, /geheim/);
      return `${error.code}: ${error.message}`;
    }
    throw error;
  }
  return 'none';
}

test('a wrong address, version or missing database is told apart', async () => {
  const name = { database: 'nowhere', bucket: 'nowhere' };
  const config = influxConfig.parse({ url: server.url, ...server.login, ...name });
  const missing = /MISCONFIGURED.* no (database|bucket) nowhere.*; run "tollgate stores/;
  assert.match(await problem(config), missing);
  const closed = `http://user:geheim@127.0.0.1:${await freePort()}`;
  assert.match(await problem({ ...config, url: closed }), /^STORE_UNAVAILABLE: .*can't be reached/);
  const is2 = server.login.token !== undefined;
  const wrong = { ...config, org: 'o', token: is2 ? '' : 'geheim' };
  const advice = is2
    ? /is version 2\.\S+; give org, bucket and/
    : /is version 1\.8\.10; give username/;
  assert.match(await problem(wrong), advice);
  await using page = await AnsweringServer.open();
  page.set({ '/ping': { text: '<html>' } });
  assert.match(
    await problem({ ...config, url: page.url }),
    /MISCONFIGURED.*is this the address of InfluxDB/,
  );
});

test('a server with users: wrong password, missing rights and policy are told apart', async () => {
  await using locked = await startInfluxdb({ auth: true, version: '1.8.10' });
  const admin = (q: string, login = true) =>
    fetch(`${locked.url}/query?${new URLSearchParams({ q })}`, {
      method: 'POST',
      ...(login && { headers: { authorization: 'Token admin:geheim' } }),
    });
  await admin("CREATE USER admin WITH PASSWORD 'geheim' WITH ALL PRIVILEGES", false);
  const config = influxConfig.parse({
    url: locked.url,
    username: 'admin',
    password: 'geheim',
    measurements: [{ measurement: 'driver', fields: ['*'] }],
  });
  await assert.rejects(initInflux({ ...config, password: 'geheim?' }), /accept the user/);
  await initInflux(config);
  assert.equal(await problem(config), 'none');
  assert.match(await problem({ ...config, password: 'geheim?' }), /MISCONFIGURED.*accept the user/);
  await admin("CREATE USER reader WITH PASSWORD 'geheim'");
  await admin('GRANT READ ON "tollgate" TO "reader"');
  const reader = { ...config, username: 'reader' };
  assert.match(await problem(reader), /MISCONFIGURED.*gives no right to write to tollgate\/raw/);
  await assert.rejects(initInflux(reader), /no right to create databases/);
  await using refused = await InfluxDatabase.open(reader);
  await assert.rejects(
    refused.put([[series('jobs'), T, 1]]),
    (error) => error instanceof AppError && error.code === 'STORE_MISCONFIGURED',
  );
  await admin('REVOKE READ ON "tollgate" FROM "reader"');
  await admin('GRANT WRITE ON "tollgate" TO "reader"');
  assert.match(await problem(reader), /MISCONFIGURED.*gives no right to read tollgate/);
  await using database = await InfluxDatabase.open(config);
  await database.put([[series('jobs'), T, 1]]);
  assert.equal((await database.reader.query(ETL, raw())).length, 1);
  await admin('DROP RETENTION POLICY "long" ON "tollgate"');
  assert.match(await problem(config), /MISCONFIGURED.*no retention policy long on database/);
});
