import assert from 'node:assert/strict';
import test from 'node:test';
import { PriceSetter } from '../../../services/metering/ledger/price-setter.ts';
import { restPrices } from '../../../shared/contracts/rest.ts';
import { restPriceFreeze, restPriceFreezes } from '../../../shared/contracts/rest-prices.ts';
import { DEFAULT_PRICE_RULE } from '../../../shared/price/price-rule.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { anEpoch, SAMPLE_HOUR } from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';
import { loadFact } from '../../support/fact-builders.ts';
import { journalBatch } from '../../support/journal-batch.ts';

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

/** An hour of full load on a pool's cluster, thought about each minute. */
async function anHourOfLoad(api: AskingApi): Promise<void> {
  const { journalReader, journalWriter, priceWriter, priceFreezes } = api.stores;
  const stores = { journal: journalReader, prices: priceWriter, priceFreezes };
  const clusters = async () => ['yarn-1'];
  const setter = new PriceSetter(stores, { id: 'main', clusters, rule: DEFAULT_PRICE_RULE });
  const project = 'team-secret' as ProjectId;
  const resources = { millicores: 10_000, memoryMib: 0, gpus: 0 };
  const waiting = { pending: resources, pendingBy: [{ project, resources }] };
  for (let minute = 0; minute < 60; minute += 1) {
    const at = NOW - HOUR_MS + minute * MINUTE_MS;
    const facts = [0, 10, 20, 30, 40, 50].map((s) => loadFact(at + s * 1_000, 0.7, waiting));
    await journalWriter.record(journalBatch({ facts }), at);
    await setter.evaluate(at + MINUTE_MS);
  }
}

test('a price tells why it is what it is, and why it stays', async () => {
  await using api = await askingApi();
  await anHourOfLoad(api);
  const pool = await mainPool(api, '&why=true');
  assert.ok((pool?.history.length ?? 0) > 5);
  const why = pool?.now.why;
  assert.deepEqual([why?.share, why?.allocated.cores, why?.pending.cores], [0.8, 70, 10]);
  assert.match(
    why?.text ?? '',
    /^smoothed load of \d+ % \(80 % then\) asks for \d\.\d\d X; at most 0\.10 X at once$/,
  );
  assert.equal(pool?.history[0]?.why, null, 'nobody recorded why a price was never moved');
  assert.match(pool?.history[1]?.why?.text ?? '', /^the first price/);
  assert.match(pool?.thought?.why.text ?? '', /asks for 2\.00 X/);
  assert.equal(pool?.thought?.at, '2026-11-21T09:00:00.000Z');
  assert.equal(pool?.thought?.freeze, null);
  const silent = await mainPool(api);
  assert.equal(silent?.now.why, undefined);
  assert.equal(silent?.thought, undefined);
});

test('why a price moved names no project that waits', async () => {
  await using api = await askingApi();
  await anHourOfLoad(api);
  const text = await (await api.ask('/v1/prices?why=true')).text();
  assert.match(text, /"pending":\{"cores":10/);
  assert.doesNotMatch(text, /team-secret/);
});

test('a price is frozen once, by whom and why is kept, and it is freed again', async () => {
  await using api = await askingApi();
  const path = '/v1/prices/main/freezes';
  const first = await api.postOk(
    path,
    { id: 'f1', frozen: true, reason: 'migration' },
    restPriceFreeze,
  );
  assert.deepEqual([first.pool, first.frozen, first.reason], ['main', true, 'migration']);
  const again = { id: 'f1', frozen: true, reason: ' migration ' };
  assert.deepEqual(await api.postOk(path, again, restPriceFreeze), first);
  await api.clock.advance(1_000);
  await api.postOk(path, { id: 'f2', frozen: false, reason: 'done' }, restPriceFreeze);
  const { freezes } = await api.get(path, restPriceFreezes);
  assert.deepEqual(
    freezes.map(({ id, frozen }) => [id, frozen]),
    [
      ['f2', false],
      ['f1', true],
    ],
  );
  assert.deepEqual((await api.get('/v1/prices/spot/freezes', restPriceFreezes)).freezes, []);
});

test('a switch of no pool, without a reason, or in other words is refused', async () => {
  await using api = await askingApi();
  const path = '/v1/prices/main/freezes';
  const body = { id: 'f1', frozen: true, reason: 'migration' };
  await api.postOk(path, body, restPriceFreeze);
  const refusals = [
    ['/v1/prices/nope/freezes', body, 404],
    [path, { ...body, reason: ' ' }, 400],
    [path, { ...body, frozen: 'yes' }, 400],
    [path, { ...body, until: 'noon' }, 400],
    [path, { ...body, frozen: false }, 409],
  ] as const;
  for (const [to, what, status] of refusals) {
    assert.equal((await api.problem(api.post(to, what))).status, status, JSON.stringify(what));
  }
});

test('who may not speak for all projects freezes nothing', async () => {
  await using api = await askingApi();
  const bound = await api.token(['admin'], { projects: ['team-a'] });
  const reader = await api.token(['read']);
  for (const token of [bound, reader]) {
    const response = await api.ask('/v1/prices/main/freezes', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ id: 'f1', frozen: true, reason: 'why not' }),
    });
    assert.equal((await api.problem(response)).status, 403);
  }
  assert.deepEqual(await api.stores.priceFreezes.ofPool('main', 9), []);
});
