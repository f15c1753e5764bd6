import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { PointBlock } from '../../shared/contracts/metric-point.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { HOUR_MS, utcHour } from '../../shared/values/instant.ts';
import { InfluxDatabase } from '../support/influx-database.ts';
import { CuttingProxy } from './servers/cutting-proxy.ts';
import { type RunningInfluxdb, startInfluxdb } from './servers/influxdb.ts';
import type { ServerProcess } from './servers/server-process.ts';

const SERIES = 200;
const TICKS = 10;
const POINTS = SERIES * TICKS;
const T = utcHour(systemClock.now()) - 2 * HOUR_MS;
/** Three times the limit that the README states. */
const RECOVERY_MS = 3 * 30_000;
const COUNT = 'SELECT count("jobs") FROM "raw"."driver"';
let server: RunningInfluxdb;

before(async () => {
  server = await startInfluxdb();
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

function ownProcess(): ServerProcess {
  assert.ok(server.process, 'faults need a server of their own: unset TOLLGATE_TEST_INFLUXDB_URL');
  return server.process;
}

/** The nth block of a load: the same points at every call. */
function blockOf(database: InfluxDatabase, n: number): PointBlock {
  const refs = Array.from({ length: SERIES }, (_, i) =>
    database.writer.declare({
      measurement: 'driver',
      field: 'jobs',
      tags: { project: 'etl', cluster: 'c', executor: `${i}` },
    }),
  );
  return {
    series: Uint32Array.from({ length: POINTS }, (_, i) => refs[i % SERIES] ?? 0),
    at: Float64Array.from({ length: POINTS }, (_, i) => T + n * TICKS + Math.floor(i / SERIES)),
    value: Float64Array.from({ length: POINTS }, (_, i) => n * POINTS + i),
    length: POINTS,
  };
}

/** Writes blocks one after the other as a collector does, and again what fails. */
async function load(
  database: InfluxDatabase,
  blocks: number,
  onStored: (n: number) => void,
): Promise<{ failed: number }> {
  let failed = 0;
  for (let n = 0; n < blocks; ) {
    try {
      await database.writer.write(blockOf(database, n), [{ source: 's', position: `${n}` }]);
      onStored(n);
      n += 1;
    } catch (error) {
      assert.ok(error instanceof AppError && error.code === 'STORE_UNAVAILABLE', String(error));
      failed += 1;
    }
  }
  return { failed };
}

async function assertWhole(database: InfluxDatabase, blocks: number): Promise<void> {
  assert.equal(await database.number(COUNT), blocks * POINTS);
  const sum = (blocks * POINTS * (blocks * POINTS - 1)) / 2;
  assert.equal(await database.number('SELECT sum("jobs") FROM "raw"."driver"'), sum);
  assert.deepEqual([database.refused, [...database.fates]], [[], []]);
  assert.equal(database.checkpoints.saved.get('s')?.position, `${blocks - 1}`);
}

test('kill -9 in the middle of load loses no acknowledged point', async (t) => {
  const influxd = ownProcess();
  await using database = await InfluxDatabase.create(server, { retryMs: 500 });
  const blocks = 60;
  let stored = -1;
  const loading = load(database, blocks, (n) => {
    stored = n;
  });
  for (const kill of [10, 25, 40]) {
    while (stored < kill) await wait(2);
    await influxd.kill();
    const acknowledged = stored + 1;
    const before = stored;
    await influxd.start();
    const ready = performance.now();
    const there = await database.number(`${COUNT} WHERE time < ${T + acknowledged * TICKS}ms`);
    assert.equal(there, acknowledged * POINTS, 'every acknowledged point is there');
    while (stored === before) await wait(2);
    const ms = performance.now() - ready;
    t.diagnostic(`written again ${Math.round(ms)} ms after the server was ready`);
    assert.ok(ms < RECOVERY_MS);
  }
  const { failed } = await loading;
  await assertWhole(database, blocks);
  t.diagnostic(`${blocks * POINTS} points sent and counted, ${failed} writes failed on the way`);
});

test('a cut wire loses nothing and doubles nothing', async (t) => {
  const { hostname, port } = new URL(server.url);
  await using proxy = await CuttingProxy.start({ host: hostname, port: Number(port) });
  const config = await InfluxDatabase.config(server, { retryMs: 500 });
  const url = `http://127.0.0.1:${proxy.port}`;
  await using database = await InfluxDatabase.open(config, systemClock, url);
  const blocks = 40;
  let stored = -1;
  const loading = load(database, blocks, (n) => {
    stored = n;
  });
  for (const cut of [5, 15, 25]) {
    while (stored < cut) await wait(1);
    proxy.cut();
    await wait(700);
    const before = stored;
    proxy.mend();
    const mended = performance.now();
    while (stored === before) await wait(1);
    t.diagnostic(`written again ${Math.round(performance.now() - mended)} ms after the mending`);
  }
  await loading;
  await assertWhole(database, blocks);
});

test('a server that answers slowly, or stands still, is waited for within bounds', async () => {
  const { hostname, port } = new URL(server.url);
  await using proxy = await CuttingProxy.start({ host: hostname, port: Number(port) });
  const config = await InfluxDatabase.config(server, { requestTimeoutMs: 400, retryMs: 300 });
  const url = `http://127.0.0.1:${proxy.port}`;
  await using database = await InfluxDatabase.open(config, systemClock, url);
  proxy.slow(100);
  const blocks = 5;
  const { failed } = await load(database, blocks, () => undefined);
  assert.equal(failed, 0);
  await assertWhole(database, blocks);
  const influxd = ownProcess();
  influxd.pause();
  try {
    const write = database.writer.write(blockOf(database, blocks), []);
    await assert.rejects(write, /doesn't answer within 400 ms/);
  } finally {
    influxd.resume();
  }
  // What stood in the paused server's sockets may come in late: it is the same points.
  await load(database, blocks + 1, () => undefined);
  await assertWhole(database, blocks + 1);
});

test('a whole load delivered twice, by two writers at once, is stored once', async () => {
  await using database = await InfluxDatabase.create(server);
  await using second = await InfluxDatabase.open(database.config);
  const blocks = 10;
  await Promise.all([
    load(database, blocks, () => undefined),
    load(second, blocks, () => undefined),
  ]);
  await load(database, blocks, () => undefined);
  await assertWhole(database, blocks);
});
