import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HOUR_MS } from '../values/instant.ts';
import { streamCost } from './stream-cost.ts';

const hour = (n: number, amount: bigint, spanMs = HOUR_MS) => ({
  hour: n * HOUR_MS,
  amount,
  spanMs,
});
const ran = (query: string, n: number, share: number, rows: number) => ({
  ...{ query, hour: n * HOUR_MS, batches: 4, rows, triggerMs: share * HOUR_MS },
});

test('a query costs per million rows and per batch what it worked and idled', () => {
  const { charged, idle, queries } = streamCost([hour(0, 1_000n)], [ran('q', 0, 0.25, 500_000)]);
  assert.deepEqual([charged, idle], [1_000n, 750n]);
  assert.deepEqual(queries, [
    {
      ...{ query: 'q', batches: 4, rows: 500_000, triggerMs: HOUR_MS / 4 },
      ...{ worked: 250n, idle: 750n, perMillionRows: 2_000n, perBatch: 250n },
    },
  ]);
});

test('the price of each hour is paid by the batches of that hour', () => {
  const { queries } = streamCost(
    [hour(0, 1_000n), hour(1, 3_000n)],
    [ran('cheap', 0, 1, 10), ran('dear', 1, 1, 10)],
  );
  assert.deepEqual(
    queries.map(({ query, worked, idle }) => [query, worked, idle]),
    [
      ['dear', 3_000n, 0n],
      ['cheap', 1_000n, 0n],
    ],
  );
});

test('two queries share an hour by their batches, and idle time by those of the whole window', () => {
  const { idle, queries } = streamCost(
    [hour(0, 900n), hour(1, 300n)],
    [ran('a', 0, 0.5, 1), ran('b', 0, 0.25, 1), ran('a', 0, 0, 0)],
  );
  assert.equal(idle, 225n + 300n);
  assert.deepEqual(
    queries.map(({ query, worked, idle: part }) => [query, worked, part]),
    [
      ['a', 450n, 350n],
      ['b', 225n, 175n],
    ],
  );
});

test('batches that fill more than the hour leave nothing idle; a started hour is its span', () => {
  const full = streamCost([hour(0, 100n)], [ran('a', 0, 1, 1), ran('b', 0, 1, 1)]);
  assert.deepEqual([full.idle, full.queries.map(({ worked }) => worked)], [0n, [50n, 50n]]);
  const started = streamCost([hour(0, 100n, HOUR_MS / 2)], [ran('a', 0, 0.5, 1)]);
  assert.equal(started.idle, 0n);
});

test('what has no rows, no batches or no query has no price for them', () => {
  const quiet = streamCost([hour(0, 10n)], [{ ...ran('a', 0, 0, 0), batches: 0 }]);
  assert.deepEqual(
    [quiet.queries[0]?.perMillionRows, quiet.queries[0]?.perBatch, quiet.queries[0]?.idle],
    [undefined, undefined, 10n],
  );
  assert.deepEqual(streamCost([hour(0, 10n)], []), { charged: 10n, idle: 10n, queries: [] });
});

test('rows and queries of an hour that is not charged yet do not count', () => {
  const late = [ran('a', 1, 1, 1_000_000), ran('new', 1, 1, 1)];
  const { queries } = streamCost([hour(0, 100n)], [ran('a', 0, 0.5, 1_000_000), ...late]);
  assert.deepEqual(
    queries.map(({ query, rows, perMillionRows }) => [query, rows, perMillionRows]),
    [['a', 1_000_000, 100n]],
  );
});

test('queries add up to the charges, whatever was charged and reported', () => {
  const n = fc.integer({ min: 0, max: 5 });
  const amount = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 15n });
  const hours = fc.uniqueArray(fc.tuple(n, amount, fc.integer({ min: 0, max: HOUR_MS })), {
    selector: ([at]) => at,
  });
  const query = fc.constantFrom('a', 'b', 'c');
  const share = fc.double({ min: 0, max: 2, noNaN: true });
  const batches = fc.array(fc.tuple(query, n, share, fc.nat()), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(hours, batches, (some, reported) => {
      const cost = streamCost(
        some.map(([at, value, span]) => hour(at, value, span)),
        reported.map(([name, at, part, rows]) => ran(name, at, part, rows)),
      );
      const sum = cost.queries.reduce((total, one) => total + one.worked + one.idle, 0n);
      const idle = cost.queries.reduce((total, one) => total + one.idle, 0n);
      if (cost.queries.length === 0) assert.equal(cost.idle, cost.charged);
      else assert.deepEqual([sum, idle], [cost.charged, cost.idle]);
    }),
  );
});
