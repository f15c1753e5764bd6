import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { MetricBench, MORNING, P } from '../../../test/support/metric-bench.ts';
import { AppError } from '../../errors/app-error.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../values/instant.ts';
import { openMetricReader } from './metric-reader.ts';

test('a new day of arrival begins a file, takes the checkpoints over, and reads join both', async () => {
  await using store = await MetricBench.open();
  await store.writer.write(store.block([[MORNING, 1]]), [{ source: 's', position: '1' }]);
  store.clock.leap(DAY_MS);
  await store.put([MORNING + 1, 2]);
  const raw = store.files().filter((name) => name.startsWith('metrics-'));
  assert.deepEqual(raw, ['metrics-2026-11-20.db', 'metrics-2026-11-21.db']);
  await store.reopen();
  assert.deepEqual(await store.writer.checkpoints(''), [{ source: 's', position: '1' }]);
  await store.put([MORNING + 2, 3]);
  const expected = [
    [MORNING, 1],
    [MORNING + 1, 2],
    [MORNING + 2, 3],
  ];
  assert.deepEqual(await store.read(), expected);
  await store.writer.maintain();
  assert.deepEqual(await store.read(), expected);
});

test('a point sent again after midnight counts once, in aggregates too', async () => {
  await using store = await MetricBench.open();
  await store.put([MORNING, 1], [MORNING + 1, 5]);
  store.clock.leap(DAY_MS);
  await store.writer.maintain();
  await store.put([MORNING, 2]);
  assert.deepEqual(await store.read(HOUR_MS, 'sum'), [[MORNING, 7]]);
  await store.writer.maintain();
  assert.deepEqual(await store.read(HOUR_MS, 'sum'), [[MORNING, 7]]);
  assert.deepEqual(await store.read(HOUR_MS, 'count'), [[MORNING, 2]]);
});

test('a late point in an hour that was aggregated is in its aggregates', async () => {
  await using store = await MetricBench.open();
  await store.put([MORNING, 4], [MORNING + MINUTE_MS, 6]);
  store.clock.leap(2 * HOUR_MS);
  await store.writer.maintain();
  assert.deepEqual(await store.read(HOUR_MS, 'mean'), [[MORNING, 5]]);
  await store.put([MORNING + 1, 20]);
  assert.deepEqual(await store.read(HOUR_MS, 'mean'), [[MORNING, 10]]);
  await store.writer.maintain();
  assert.deepEqual(await store.read(HOUR_MS, 'mean'), [[MORNING, 10]]);
});

test('raw points go after their time, minutes stay and answer for them, and go after theirs', async () => {
  await using store = await MetricBench.open();
  await store.put([MORNING, 4], [MORNING + 1, 8], [MORNING + MINUTE_MS, 1]);
  store.clock.leap(3 * DAY_MS + 16 * HOUR_MS);
  await store.put([store.clock.now(), 9]);
  await store.writer.maintain();
  assert.deepEqual(store.files(), ['metric-minutes-2026-11-20.db', 'metrics-2026-11-24.db']);
  const now = store.clock.now();
  assert.deepEqual(await store.read(0, 'max'), [
    [MORNING, 8],
    [MORNING + MINUTE_MS, 1],
    [now, 9],
  ]);
  assert.deepEqual(await store.read(HOUR_MS, 'count'), [
    [MORNING, 3],
    [now, 1],
  ]);
  const [latest] = await store.reader.latest(P, 'm', 0);
  assert.deepEqual([latest?.at, latest?.fields], [now, { f: 9 }]);
  store.clock.leap(40 * DAY_MS);
  await store.put([store.clock.now(), 10]);
  await store.writer.maintain();
  assert.equal(store.files().includes('metric-minutes-2026-11-20.db'), false);
});

test('files that are too large together lose their oldest, in parts of a day', async () => {
  await using store = await MetricBench.open({ maxBytes: 4_000_000, compactPoints: 5_000 });
  let state = 1;
  for (let round = 0; round < 120; round += 1) {
    const points = Array.from({ length: 5_000 }, (_, i) => {
      state = (state * 48_271) % 2_147_483_647;
      return [MORNING + round * 5_000 + i, state / 7] as const;
    });
    await store.put(...points);
  }
  const names = store.files();
  assert.ok(names.length >= 3, `${names}`);
  assert.equal(names.includes('metrics-2026-11-20.db'), false, 'the first part is gone');
  const read = (await store.read()) as [Instant, number][];
  assert.equal(read.at(-1)?.[0], MORNING + 599_999, 'the newest point is there');
  assert.ok(read.length > 50_000 && read.length < 600_000, `${read.length} points are left`);
});

test('a disk with less room than the reserve refuses the points and says what to do', async () => {
  await using store = await MetricBench.open({ diskReserveBytes: 1e18 });
  await assert.rejects(
    store.put([MORNING, 1]),
    (error) =>
      error instanceof AppError && error.code === 'DISK_FULL' && /free some/.test(error.message),
  );
});

test('a commit that fails leaves nothing, and the next one stores its points', async () => {
  await using store = await MetricBench.open();
  const good = store.block([[MORNING, 1]]);
  const bad = store.block([[MORNING + 0.5, 1]]);
  await assert.rejects(
    store.writer.write(bad, [{ source: 's', position: '1' }]),
    /whole milliseconds/,
  );
  assert.deepEqual(await store.read(), []);
  assert.deepEqual(await store.writer.checkpoints(''), []);
  await store.writer.write(good, []);
  assert.deepEqual(await store.read(), [[MORNING, 1]]);
});

test('writes shortly after a commit share the next one', async () => {
  await using store = await MetricBench.open({ commitIntervalMs: 200 });
  await store.put([MORNING, 1]);
  const second = store.put([MORNING + 1, 2]);
  const third = store.put([MORNING + 2, 3]);
  await Promise.resolve();
  assert.equal(((await store.read()) as unknown[]).length, 1);
  store.clock.leap(200);
  await Promise.all([second, third]);
  assert.equal(((await store.read()) as unknown[]).length, 3);
});

test('closing stores what waits for its commit, and refuses what comes later', async () => {
  await using store = await MetricBench.open({ commitIntervalMs: 60_000 });
  await store.put([MORNING, 1]);
  const waiting = store.put([MORNING + 1, 2]);
  await store.writer[Symbol.asyncDispose]();
  await waiting;
  await assert.rejects(store.put([MORNING + 2, 3]), AppError);
  assert.equal(((await store.read()) as unknown[]).length, 2);
});

test('kill −9 loses nothing acknowledged, and sending all again stores each point once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'metric-kill-'));
  const script = join(import.meta.dirname, '../../../test/support/metric-writer-child.ts');
  const acknowledged: number[] = [];
  for (const killAfter of [25, 90, 170]) {
    const child = spawn(process.execPath, [script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(Number(line));
      if (Number(line) === killAfter) child.kill('SIGKILL');
    }
    await exited;
  }
  const last = Math.max(...acknowledged);
  await using reader = await openMetricReader({ folder });
  for (const { tags, points } of await reader.query(P, {
    measurement: 'm',
    field: 'f',
    from: 0,
    until: 1e9,
    stepMs: 0,
    aggregate: 'last',
    limit: 50,
  })) {
    const times = points.map(([at]) => at / 1000);
    assert.deepEqual(
      times.slice(0, last + 1),
      Array.from({ length: last + 1 }, (_, i) => i),
    );
    assert.ok(times.length <= last + 10, 'each time is there once');
    for (const [at, value] of points) assert.equal(value, at / 10 + Number(tags['executor']));
  }
  await rm(folder, { recursive: true });
});
