import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import { restPrices } from '../../../shared/contracts/rest.ts';
import { formatInstant, HOUR_MS } from '../../../shared/values/instant.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import { problemOf } from '../../../test/support/problem-of.ts';
import { runningApi } from '../../../test/support/running-api.ts';

function epoch(start: number, step: number): PriceEpoch {
  const rest = { end: undefined, ruleVersion: 'v1', reason: `to ${step}`, inputs: '{}' };
  return { id: `e${start}`, pool: 'cpu', step, start, ...rest };
}

test('a pool whose load never moved it has the base price', async () => {
  await using api = await runningApi();
  const { pools } = await api.get('/v1/prices', restPrices);
  assert.equal(pools.length, 1);
  assert.equal(pools[0]?.now.multiplier, '1.00');
  assert.equal(pools[0]?.next, null);
});

test('the price now, the announced one and the history are told apart', async () => {
  await using api = await runningApi({ now: T0 });
  const epochs = [epoch(T0 - 9 * HOUR_MS, 1_000), epoch(T0 - HOUR_MS, 1_150)];
  for (const one of [...epochs, epoch(T0 + 60_000, 1_200)]) {
    await api.stores.priceWriter.announce(one, T0);
  }
  const [pool] = (await api.get('/v1/prices?from=-2h', restPrices)).pools;
  assert.deepEqual(pool?.now, {
    start: formatInstant(T0 - HOUR_MS),
    end: formatInstant(T0 + 60_000),
    multiplier: '1.15',
    reason: 'to 1150',
  });
  assert.equal(pool?.next?.multiplier, '1.20');
  assert.deepEqual(
    pool?.history.map(({ multiplier }) => multiplier),
    ['1.00', '1.15'],
  );
});

test('an unknown pool and a window that ends before it begins are refused', async () => {
  await using api = await runningApi();
  await problemOf(await fetch(`${api.url}/v1/prices?pool=gpu`), 400);
  await problemOf(await fetch(`${api.url}/v1/prices?from=now&until=-1h`), 400);
  const problem = await problemOf(await fetch(`${api.url}/v1/prices?from=yesterday&x=1`), 400);
  assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), ['query.from', 'query.x']);
});
