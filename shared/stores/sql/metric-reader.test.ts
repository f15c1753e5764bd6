import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import fc from 'fast-check';
import { MetricBench, MORNING, P } from '../../../test/support/metric-bench.ts';
import type { Series } from '../../contracts/metric-point.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../values/instant.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { Aggregate, MetricQuery } from '../metric-store.ts';
import { openMetricReader, type SqliteMetricReader } from './metric-reader.ts';

const CHILD = join(import.meta.dirname, '../../../test/support/metric-writer-child.ts');

function ask(more: Partial<MetricQuery> = {}): MetricQuery {
  const time = { from: 0, until: MORNING + 99 * DAY_MS, stepMs: 0 };
  return { measurement: 'm', field: 'f', ...time, aggregate: 'last', limit: 99, ...more };
}

function series(more: Partial<Series> & { readonly executor?: string } = {}): Series {
  const { executor, ...rest } = more;
  const tags = { project: P, cluster: 'c', ...(executor === undefined ? {} : { executor }) };
  return { measurement: 'm', field: 'f', tags, ...rest };
}

async function put(bench: MetricBench, one: Series, ...points: (readonly [Instant, number])[]) {
  const ref = bench.writer.declare(one);
  const block = bench.block(points);
  await bench.writer.write({ ...block, series: block.series.fill(ref) }, []);
}

/** Compacts, seals and removes whatever the limits say. */
async function age(bench: MetricBench, ms: number): Promise<void> {
  bench.clock.leap(ms);
  await put(bench, series({ measurement: 'other' }), [bench.clock.now(), 0]);
  await bench.writer.maintain();
}

test('the latest values come from raw points and, where those are gone, from minutes', async () => {
  await using bench = await MetricBench.open();
  await put(bench, series({ executor: '1' }), [MORNING, 1], [MORNING + MINUTE_MS + 5, 2]);
  await put(bench, series({ executor: '2' }), [MORNING, 3]);
  await put(bench, series({ executor: '2', field: 'g' }), [MORNING + 7, 4]);
  await age(bench, 4 * DAY_MS);
  assert.equal(bench.files().includes('metrics-2026-11-20.db'), false);
  const now = bench.clock.now();
  await put(bench, series({ executor: '2' }), [now, 5]);
  const latest = await bench.reader.latest(P, 'm', 0);
  assert.deepEqual(
    latest.map(({ tags, at, fields }) => [tags['executor'], at, fields]),
    [
      ['1', MORNING + MINUTE_MS, { f: 2 }],
      ['2', now, { f: 5, g: 4 }],
    ],
  );
  const since = await bench.reader.latest(P, 'm', MORNING + MINUTE_MS);
  assert.deepEqual(
    since.map(({ tags, fields }) => [tags['executor'], fields]),
    [
      ['1', { f: 2 }],
      ['2', { f: 5 }],
    ],
  );
  assert.deepEqual(await bench.reader.latest(P, 'm', now + 1), []);
});

test('an older point that comes in later is not the latest, in whatever file it lies', async () => {
  await using bench = await MetricBench.open();
  await put(bench, series(), [MORNING + 10, 1]);
  await age(bench, DAY_MS);
  await put(bench, series(), [MORNING + 9, 2]);
  const newest = async () =>
    (await bench.reader.latest(P, 'm', 0)).map(({ at, fields }) => [at, fields]);
  assert.deepEqual(await newest(), [[MORNING + 10, { f: 1 }]]);
  await put(bench, series(), [MORNING + 10, 3]);
  assert.deepEqual(await newest(), [[MORNING + 10, { f: 3 }]]);
  await bench.writer.maintain();
  assert.deepEqual(await newest(), [[MORNING + 10, { f: 3 }]]);
});

test('the latest value agrees with the points, whatever was written and settled when', async () => {
  const step = fc.oneof(
    fc.record({ at: fc.nat(4).map((n) => MORNING + n * 25 * MINUTE_MS), value: fc.integer() }),
    fc.constantFrom('settle' as const, 'next day' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      await using bench = await MetricBench.open();
      const expected = new Map<Instant, number>();
      for (const one of steps) {
        if (one === 'settle') await bench.writer.maintain();
        else if (one === 'next day') bench.clock.leap(DAY_MS / 2);
        else {
          await put(bench, series(), [one.at, one.value]);
          expected.set(one.at, one.value);
        }
      }
      const points = [...expected].sort(([a], [b]) => a - b);
      const [found] = await bench.reader.query(P, ask());
      assert.deepEqual(found?.points ?? [], points);
      for (const from of [0, MORNING + 25 * MINUTE_MS, MORNING + 26 * MINUTE_MS]) {
        const last = points.findLast(([at]) => at >= from);
        const latest = await bench.reader.latest(P, 'm', from);
        assert.deepEqual(
          latest.map(({ at, fields }) => [at, fields['f']]),
          last === undefined ? [] : [last],
        );
      }
    }),
    { numRuns: 15 },
  );
});

test('a window that cuts sealed hours counts what is in it, to the millisecond', async () => {
  await using bench = await MetricBench.open();
  const points = Array.from({ length: 181 }, (_, i) => [MORNING + i * MINUTE_MS, i] as const);
  await bench.put(...points);
  bench.clock.leap(5 * HOUR_MS);
  await bench.writer.maintain();
  const count = async (from: Instant, until: Instant): Promise<number> => {
    const query = ask({ from, until, stepMs: HOUR_MS, aggregate: 'count' });
    const [found] = await bench.reader.query(P, query);
    return (found?.points ?? []).reduce((sum, [, n]) => sum + n, 0);
  };
  for (const [from, until] of [
    [MORNING, MORNING + 3 * HOUR_MS],
    [MORNING + 1, MORNING + 3 * HOUR_MS],
    [MORNING + 30 * MINUTE_MS, MORNING + 150 * MINUTE_MS],
    [MORNING + 30 * MINUTE_MS, MORNING + 40 * MINUTE_MS + 1],
    [MORNING + HOUR_MS, MORNING + HOUR_MS],
    [MORNING + 181 * MINUTE_MS, MORNING + DAY_MS],
  ] as const) {
    const wanted = points.filter(([at]) => at >= from && at < until).length;
    assert.equal(await count(from, until), wanted, `${from - MORNING} to ${until - MORNING}`);
  }
});

test('steps begin at multiples of themselves since 1970, not at the window', async () => {
  await using bench = await MetricBench.open();
  await bench.put([MORNING + 59_999, 1], [MORNING + 60_000, 2], [MORNING + 100_000, 4]);
  const query = ask({ from: MORNING + 30_000, stepMs: MINUTE_MS, aggregate: 'sum' });
  assert.deepEqual((await bench.reader.query(P, query))[0]?.points, [
    [MORNING, 1],
    [MORNING + MINUTE_MS, 6],
  ]);
});

test('series of the same tags are one in the answer, over files with other ids for them', async () => {
  await using bench = await MetricBench.open();
  await put(bench, series({ executor: '1' }), [MORNING, 1]);
  await put(bench, series({ executor: '2' }), [MORNING, 2]);
  bench.clock.leap(DAY_MS);
  await put(bench, series({ executor: '2' }), [MORNING + 1, 20]);
  await put(bench, series({ executor: '3' }), [MORNING + 1, 30]);
  await put(bench, series({ executor: '1' }), [MORNING + 1, 10]);
  const found = await bench.reader.query(P, ask());
  assert.deepEqual(
    found.map(({ tags, points }) => [tags['executor'], points.map(([, value]) => value)]).sort(),
    [
      ['1', [1, 10]],
      ['2', [2, 20]],
      ['3', [30]],
    ],
  );
  await assert.rejects(bench.reader.query(P, ask({ limit: 2 })), { code: 'BAD_REQUEST' });
  assert.equal((await bench.reader.query(P, ask({ limit: 2, until: MORNING + 1 }))).length, 2);
});

test('hostile names are names, in what is written and in what is asked', async () => {
  await using bench = await MetricBench.open();
  const names = [
    '__proto__',
    "'; DROP TABLE series --",
    'nul\0',
    '%',
    '{"a":1}',
    'x'.repeat(100_000),
  ];
  for (const name of names) {
    const tags = { ...series().tags, executor: name, [name]: 'tag' };
    await put(bench, { measurement: name, field: name, tags }, [MORNING, 1]);
  }
  await bench.writer.maintain();
  for (const name of names) {
    const query = ask({ measurement: name, field: name, tags: { executor: name } });
    assert.equal((await bench.reader.query(P, query)).length, 1, name.slice(0, 30));
    const [latest] = await bench.reader.latest(P, name, 0);
    assert.deepEqual(Object.entries(latest?.fields ?? {}), [[name, 1]]);
    assert.deepEqual(await bench.reader.query(name as ProjectId, query), []);
  }
  assert.deepEqual(await bench.reader.query(P, ask({ measurement: '_' })), []);
});

test('values keep every bit through compaction: no numbers, no ends, no sign lost', async () => {
  await using bench = await MetricBench.open();
  const values = [Number.NaN, Number.NEGATIVE_INFINITY, -0, 5e-324, 2 ** 53, 1e308, 0.1 + 0.2];
  const points = values.map((value, i) => [MORNING + i, value] as const);
  await bench.put(...points);
  await bench.writer.maintain();
  const read = (await bench.read()) as [Instant, number][];
  assert.deepEqual(read, points);
  assert.ok(Object.is(read[2]?.[1], -0));
});

test('a folder that is not there, and a file that is just being made, hold nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'metric-reader-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await using none = await openMetricReader({ folder: join(folder, 'none') });
  assert.deepEqual(await none.query(P, ask()), []);
  for (const name of ['metrics-2026-11-20.db', 'metric-minutes-2026-11-19.db']) {
    writeFileSync(join(folder, name), '');
  }
  await using reader = await openMetricReader({ folder });
  assert.deepEqual(await reader.query(P, ask()), []);
  assert.deepEqual(await reader.latest(P, 'm', 0), []);
});

test('a damaged file is an error that names it', async () => {
  await using bench = await MetricBench.open();
  await bench.put([MORNING, 1]);
  const damaged = join(bench.folder, 'metrics-2026-11-01.db');
  writeFileSync(damaged, 'no database, but long enough '.repeat(99));
  await assert.rejects(bench.reader.query(P, ask()), {
    code: 'STORE_UNAVAILABLE',
    message: /metrics-2026-11-01\.db is damaged/,
  });
});

/** What is there of each series: as many points as ticks, without a gap and none twice. */
async function ticks(reader: SqliteMetricReader, aggregate: Aggregate, stepMs: number) {
  const found = await reader.query(P, ask({ until: 1e9, stepMs, aggregate }));
  const lengths = new Set<number>();
  for (const { points } of found) {
    if (stepMs === 0) assert.ok(points.every(([at], i) => at === i * 1_000));
    lengths.add(stepMs === 0 ? points.length : points.reduce((sum, [, n]) => sum + n, 0));
  }
  assert.ok(lengths.size <= 1, `series differ: ${[...lengths]}`);
  return [...lengths][0] ?? 0;
}

test('readers beside a writer that compacts see every acknowledged commit whole', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'metric-beside-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await using one = await openMetricReader({ folder });
  await using two = await openMetricReader({ folder });
  const child = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let before = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const acknowledged = Number(line) + 1;
    // One compaction takes 40 commits, so that this sees some of them.
    if (acknowledged % 20 !== 0 || child.killed) continue;
    for (const reader of [one, two]) {
      for (const read of [ticks(reader, 'last', 0), ticks(reader, 'count', HOUR_MS)]) {
        const seen = await read;
        assert.ok(seen >= acknowledged && seen >= before, `${seen} of ${acknowledged}`);
        before = seen;
      }
      const latest = await reader.latest(P, 'm', 0);
      assert.ok(latest.every(({ at }) => at >= (before - 1) * 1_000));
    }
    if (acknowledged >= 200) child.kill('SIGKILL');
  }
  await exited;
});
