import assert from 'node:assert/strict';
import test from 'node:test';
import { restPrices } from '../../../shared/contracts/rest.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import { anEpoch, SAMPLE_HOUR } from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

const NOW = SAMPLE_HOUR + HOUR_MS;

async function announce(api: AskingApi, ...steps: [start: number, step: number][]) {
  for (const [start, step] of steps) {
    await api.stores.priceWriter.announce(anEpoch({ start, step }), 0);
  }
}

async function mainPool(api: AskingApi, query = '') {
  const { pools } = await api.get(`/v1/prices?pool=main${query}`, restPrices);
  assert.equal(pools.length, 1);
  return pools[0];
}

test('a pool whose load never moved its price has the base price, without an end', async () => {
  await using api = await askingApi();
  const { pools } = await api.get('/v1/prices', restPrices);
  assert.deepEqual(
    pools.map(({ pool }) => pool),
    ['main', 'spot'],
  );
  for (const { now, next, history } of pools) {
    assert.deepEqual([now.multiplier, now.reason, now.end, next], ['1.00', 'base', null, null]);
    assert.deepEqual(history, [now]);
  }
});

test('the price now, the announced next and those before follow each other without a gap', async () => {
  await using api = await askingApi();
  const starts = [NOW - HOUR_MS, NOW - 10 * MINUTE_MS, NOW + 5 * MINUTE_MS] as const;
  await announce(api, [starts[0], 1_150], [starts[1], 1_200], [starts[2], 1_250]);
  const pool = await mainPool(api);
  assert.equal(pool?.now.multiplier, '1.20');
  assert.equal(pool?.now.start, '2026-11-21T08:50:00.000Z');
  assert.equal(pool?.now.end, '2026-11-21T09:05:00.000Z');
  assert.deepEqual(pool?.next, {
    start: '2026-11-21T09:05:00.000Z',
    end: null,
    multiplier: '1.25',
    reason: 'load 0.9',
  });
  assert.deepEqual(
    pool?.history.map(({ multiplier, end }) => [multiplier, end]),
    [
      ['1.00', '2026-11-21T08:00:00.000Z'],
      ['1.15', '2026-11-21T08:50:00.000Z'],
      ['1.20', '2026-11-21T09:05:00.000Z'],
    ],
  );
  await api.clock.advance(5 * MINUTE_MS);
  const later = await mainPool(api);
  assert.deepEqual([later?.now.multiplier, later?.next], ['1.25', null]);
});

test('a first change that is announced ends the base price at its start', async () => {
  await using api = await askingApi();
  await announce(api, [NOW + 5 * MINUTE_MS, 1_050]);
  const pool = await mainPool(api);
  assert.deepEqual(
    [pool?.now.multiplier, pool?.now.end, pool?.next?.multiplier],
    ['1.00', '2026-11-21T09:05:00.000Z', '1.05'],
  );
});

test('a window before the first change tells the base price, not the price now', async () => {
  await using api = await askingApi();
  await announce(api, [NOW - HOUR_MS, 1_500]);
  const pool = await mainPool(api, '&from=-5h&until=-3h');
  assert.deepEqual(
    pool?.history.map(({ multiplier }) => multiplier),
    ['1.00'],
  );
  assert.equal(pool?.now.multiplier, '1.50');
});

test('a window in the middle holds the prices that touch it', async () => {
  await using api = await askingApi();
  const hours = [-4, -3, -2, -1].map((hour): [number, number] => [
    NOW + hour * HOUR_MS,
    1_000 - hour * 100,
  ]);
  await announce(api, ...hours);
  const pool = await mainPool(api, '&from=-150m&until=-90m');
  assert.deepEqual(
    pool?.history.map(({ multiplier }) => multiplier),
    ['1.30', '1.20'],
  );
});

test('a pool that there is not, and a window that is none, are refused by name', async () => {
  await using api = await askingApi();
  for (const [query, ...paths] of [
    ['pool=gpu', 'query.pool'],
    ['from=now&until=-1h', 'query.from'],
    ['from=yesterday&x=1', 'query.from', 'query.x'],
  ]) {
    const problem = await api.problem(api.ask(`/v1/prices?${query}`));
    assert.equal(problem.code, 'BAD_REQUEST');
    assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), paths, query ?? '');
  }
});
