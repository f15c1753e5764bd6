import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PointBlock, Series, SeriesRef } from '../../shared/contracts/metric-point.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import type {
  Aggregate,
  MetricQuery,
  MetricReader,
  MetricWriter,
} from '../../shared/stores/metric-store.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

export interface MetricStoreUnderTest extends AsyncDisposable {
  readonly writer: MetricWriter;
  readonly reader: MetricReader;
  /** Ends the writer and opens a new one on the same data. */
  reopen(): Promise<MetricWriter>;
  /** Does now what the store does with its points sooner or later. */
  settle(): Promise<void>;
}

/** A whole hour, before which and after which points can lie. */
const T = Date.UTC(2026, 10, 20, 8);
const ETL = 'etl' as ProjectId;
const AGGREGATES: readonly Aggregate[] = ['last', 'mean', 'min', 'max', 'sum', 'count'];

function series(field = 'jobs', tags: Record<string, string> = {}): Series {
  return { measurement: 'driver', field, tags: { project: ETL, cluster: 'c1', ...tags } };
}

function block(points: readonly (readonly [SeriesRef, Instant, number])[]): PointBlock {
  return {
    series: Uint32Array.from(points, ([ref]) => ref),
    at: Float64Array.from(points, ([, at]) => at),
    value: Float64Array.from(points, ([, , value]) => value),
    length: points.length,
  };
}

function raw(extra: Partial<MetricQuery> = {}): MetricQuery {
  return {
    measurement: 'driver',
    field: 'jobs',
    from: T - 24 * HOUR_MS,
    until: T + 24 * HOUR_MS,
    stepMs: 0,
    aggregate: 'last',
    limit: 100,
    ...extra,
  };
}

async function points(reader: MetricReader, query: MetricQuery): Promise<unknown> {
  return (await reader.query(ETL, query))[0]?.points ?? [];
}

/** The contract of MetricWriter and MetricReader, for every adapter. `now` is T + 2 h for the store. */
export function metricStoreSuite(name: string, open: () => Promise<MetricStoreUnderTest>): void {
  const behaves = (
    sentence: string,
    check: (store: MetricStoreUnderTest) => Promise<void>,
  ): void => {
    test(`${name}: ${sentence}`, async () => {
      await using store = await open();
      await check(store);
    });
  };

  behaves('the same series has one ref, whatever the order of its tags', async ({ writer }) => {
    const a = writer.declare(series('jobs', { x: '1', y: '2' }));
    assert.equal(writer.declare(series('jobs', { y: '2', x: '1' })), a);
    assert.notEqual(writer.declare(series('jobs', { x: '1' })), a);
    assert.notEqual(writer.declare(series('stages', { x: '1', y: '2' })), a);
  });

  behaves('a written point can be read at once and after settling', async (store) => {
    const ref = store.writer.declare(series());
    await store.writer.write(block([[ref, T + 1, 1.25]]), []);
    assert.deepEqual(await points(store.reader, raw()), [[T + 1, 1.25]]);
    await store.settle();
    assert.deepEqual(await points(store.reader, raw()), [[T + 1, 1.25]]);
    await store.writer.write(block([[ref, T + 2, -7]]), []);
    assert.deepEqual(await points(store.reader, raw()), [
      [T + 1, 1.25],
      [T + 2, -7],
    ]);
  });

  behaves('a window holds its start and not its end', async ({ writer, reader }) => {
    const ref = writer.declare(series());
    await writer.write(
      block([
        [ref, T - 1, 1],
        [ref, T, 2],
        [ref, T + 9, 3],
        [ref, T + 10, 4],
      ]),
      [],
    );
    assert.deepEqual(await points(reader, raw({ from: T, until: T + 10 })), [
      [T, 2],
      [T + 9, 3],
    ]);
    assert.deepEqual(await reader.query(ETL, raw({ from: T + 1, until: T + 5 })), []);
  });

  behaves('of points with one series and time the later written one stands', async (store) => {
    const ref = store.writer.declare(series());
    await store.writer.write(
      block([
        [ref, T, 1],
        [ref, T, 2],
        [ref, T - 5, 9],
      ]),
      [],
    );
    assert.deepEqual(await points(store.reader, raw()), [
      [T - 5, 9],
      [T, 2],
    ]);
    await store.settle();
    const writer = await store.reopen();
    await writer.write(block([[writer.declare(series()), T, 3]]), []);
    const expected = [
      [T - 5, 9],
      [T, 3],
    ];
    assert.deepEqual(await points(store.reader, raw()), expected);
    await store.settle();
    assert.deepEqual(await points(store.reader, raw()), expected);
    assert.deepEqual(
      await points(store.reader, raw({ stepMs: HOUR_MS, aggregate: 'count', from: T - HOUR_MS })),
      [
        [T - HOUR_MS, 1],
        [T, 1],
      ],
    );
  });

  let runs = 0;
  behaves(
    'any writes, repeats and settling in between read as the last value of each time',
    (store) =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.array(
              fc.tuple(
                fc.nat(2),
                fc.integer({ min: -90, max: 90 }).map((m) => T + m * MINUTE_MS),
                fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
              ),
              { maxLength: 20 },
            ),
            { maxLength: 5 },
          ),
          async (writes) => {
            runs += 1;
            const run = `${runs}`;
            const expected = new Map<number, Map<number, number>>();
            const refs = [0, 1, 2].map((n) =>
              store.writer.declare(series('jobs', { run, executor: `${n}` })),
            );
            for (const write of writes) {
              await store.writer.write(block(write.map(([n, at, v]) => [refs[n] ?? 0, at, v])), []);
              for (const [n, at, v] of write) {
                expected.set(n, (expected.get(n) ?? new Map()).set(at, v));
              }
              if (write.length % 3 === 0) await store.settle();
            }
            await sameAs(store.reader, run, expected);
          },
        ),
        { numRuns: 20 },
      ),
  );

  behaves('a project reaches its own points only', async ({ writer, reader }) => {
    const other = writer.declare({ ...series(), tags: { ...series().tags, project: 'ml' } });
    await writer.write(block([[other, T, 1]]), []);
    assert.deepEqual(await reader.query(ETL, raw()), []);
    assert.deepEqual(await reader.query(ETL, raw({ tags: { project: 'ml' } })), []);
    assert.deepEqual(await reader.latest(ETL, 'driver', 0), []);
    assert.equal((await reader.query('ml' as ProjectId, raw())).length, 1);
  });

  behaves('tags select series exactly, hostile ones too', async ({ writer, reader }) => {
    const hostile = JSON.parse('{"__proto__":"p","constructor":"\\u0000\\u0007\\"\\n%"}');
    const a = writer.declare(series('jobs', { ...hostile, executor: '1' }));
    const b = writer.declare(series('jobs', { executor: '2' }));
    await writer.write(
      block([
        [a, T, 1],
        [b, T, 2],
      ]),
      [],
    );
    const found = await reader.query(ETL, raw({ tags: { executor: '1' } }));
    assert.deepEqual(
      found.map(({ tags, points }) => [Object.entries(tags).sort(), points]),
      [[Object.entries({ ...series().tags, ...hostile, executor: '1' }).sort(), [[T, 1]]]],
    );
    assert.deepEqual(await reader.query(ETL, raw({ tags: { toString: 'x' } })), []);
    assert.equal((await reader.query(ETL, raw())).length, 2);
  });

  behaves('more series than the limit are an error that says so', async ({ writer, reader }) => {
    const refs = [1, 2, 3].map((n) => writer.declare(series('jobs', { executor: `${n}` })));
    await writer.write(block(refs.map((ref) => [ref, T, 1])), []);
    assert.equal((await reader.query(ETL, raw({ limit: 3 }))).length, 3);
    await assert.rejects(
      reader.query(ETL, raw({ limit: 2 })),
      (error) => error instanceof AppError && error.code === 'BAD_REQUEST',
    );
  });

  behaves('the latest value of every field comes grouped by tags', async (store) => {
    const { writer, reader } = store;
    const rows = series('rows', { query: 'q1' });
    const lag = series('__proto__', { query: 'q1' });
    const other = series('rows', { query: 'q2' });
    const [r, l, o] = [writer.declare(rows), writer.declare(lag), writer.declare(other)];
    await writer.write(
      block([
        [r, T, 1],
        [r, T + 10, 2],
        [l, T + 5, 7],
        [o, T - 100, 5],
      ]),
      [],
    );
    await store.settle();
    await writer.write(
      block([
        [r, T + 3, 99],
        [l, T + 5, 8],
      ]),
      [],
    );
    const latest = (await reader.latest(ETL, 'driver', T)).map(({ tags, at, fields }) => ({
      query: tags['query'],
      at,
      fields: Object.entries(fields).sort(),
    }));
    assert.deepEqual(latest, [
      {
        query: 'q1',
        at: T + 10,
        fields: [
          ['__proto__', 8],
          ['rows', 2],
        ],
      },
    ]);
    assert.equal((await reader.latest(ETL, 'driver', T - 100)).length, 2);
  });

  behaves('checkpoints come with their points, and survive reopening', async (store) => {
    const ref = store.writer.declare(series());
    await store.writer.write(block([[ref, T, 1]]), [
      { source: 'file:a', position: '{"offset":1}' },
    ]);
    await store.writer.write(block([]), [
      { source: 'file:a', position: '{"offset":2}' },
      { source: 'file:b', position: '{}' },
      { source: 'tcp', position: 'x' },
    ]);
    const expected = [
      { source: 'file:a', position: '{"offset":2}' },
      { source: 'file:b', position: '{}' },
    ];
    assert.deepEqual(await store.writer.checkpoints('file:'), expected);
    assert.deepEqual(await (await store.reopen()).checkpoints('file:'), expected);
    assert.deepEqual(await points(store.reader, raw()), [[T, 1]]);
  });

  behaves('a released ref that is declared again writes to the new series', async (store) => {
    const { writer, reader } = store;
    const ref = writer.declare(series('jobs', { executor: '1' }));
    writer.declare(series('jobs', { executor: '1' }));
    await writer.write(block([[ref, T, 1]]), []);
    writer.release([ref]);
    assert.equal(writer.declare(series('jobs', { executor: '1' })), ref, 'still declared once');
    writer.release([ref, ref]);
    const next = writer.declare(series('jobs', { executor: '2' }));
    await writer.write(block([[next, T, 2]]), []);
    assert.deepEqual(
      (await reader.query(ETL, raw())).map(({ tags, points }) => [tags['executor'], points]),
      [
        ['1', [[T, 1]]],
        ['2', [[T, 2]]],
      ],
    );
  });
}

async function sameAs(
  reader: MetricReader,
  run: string,
  expected: ReadonlyMap<number, ReadonlyMap<number, number>>,
): Promise<void> {
  const found = await reader.query(ETL, raw({ tags: { run } }));
  assert.equal(found.length, expected.size);
  for (const { tags, points: got } of found) {
    const want = [...(expected.get(Number(tags['executor'])) ?? [])].sort(([a], [b]) => a - b);
    assert.deepEqual(
      got.map(([at, value]) => [at, value]),
      want,
    );
  }
  for (const stepMs of [45_000, 30 * MINUTE_MS]) {
    for (const aggregate of AGGREGATES) {
      const stepped = await reader.query(ETL, raw({ tags: { run }, stepMs, aggregate }));
      for (const { tags, points: got } of stepped) {
        const want = [...(expected.get(Number(tags['executor'])) ?? [])].sort(([a], [b]) => a - b);
        assertAggregates(got, want, { stepMs, aggregate });
      }
    }
  }
}

/** Compares with aggregates made from all points here, sums within rounding. */
function assertAggregates(
  got: readonly (readonly [Instant, number])[],
  points: readonly (readonly [Instant, number])[],
  { stepMs, aggregate }: { stepMs: number; aggregate: Aggregate },
): void {
  const windows = Map.groupBy(points, ([at]) => Math.floor(at / stepMs) * stepMs);
  assert.deepEqual(
    got.map(([at]) => at),
    [...windows.keys()],
  );
  for (const [at, value] of got) {
    const values = (windows.get(at) ?? []).map(([, v]) => v);
    const sum = values.reduce((a, b) => a + b, 0);
    const want = {
      last: values.at(-1) ?? 0,
      mean: sum / values.length,
      min: Math.min(...values),
      max: Math.max(...values),
      sum,
      count: values.length,
    }[aggregate];
    const scale = values.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
    assert.ok(
      Object.is(value, want) || value === want || Math.abs(value - want) <= scale * 1e-9,
      `${aggregate} at ${at}: ${value} is not ${want}`,
    );
  }
}
