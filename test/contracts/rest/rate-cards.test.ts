import assert from 'node:assert/strict';
import test from 'node:test';
import { creditPriceOf, meteringConfig, tariffBookOf } from '../../../services/metering/config.ts';
import { restQuotaCheck } from '../../../shared/contracts/rest.ts';
import { restGrant } from '../../../shared/contracts/rest-grants.ts';
import { restPeriodReport, restRateCards } from '../../../shared/contracts/rest-periods.ts';
import { restQuote } from '../../../shared/contracts/rest-quote.ts';
import { aCharge, anApplication, aSettlement, credits } from '../../support/api-samples.ts';
import { askingApi } from '../../support/asking-api.ts';

const CONFIG = meteringConfig.parse({
  pools: [
    { id: 'main', clusters: ['*'] },
    { id: 'spot', clusters: ['emr'] },
  ],
  rateCard: { id: 'base', currency: { code: 'EUR', perCredit: '0.125' } },
  rateCards: [
    { id: 'emr', pool: 'spot', coreSecond: '0.002', gibSecond: '0.5', rule: 'dominant' },
    { id: 'cheap', market: 'spot', coreSecond: '0.0001', minimum: '0.01' },
  ],
});
const deps = { tariff: tariffBookOf(CONFIG), creditPrice: creditPriceOf(CONFIG) };

test('the cards are told with pool, market, rule and minimum', async () => {
  await using api = await askingApi({ deps });
  const { rateCards } = await api.get('/v1/rate-cards', restRateCards);
  assert.deepEqual(
    rateCards.map(({ id, pool, market, rule, minimum }) => [id, pool, market, rule, minimum]),
    [
      ['base', null, null, 'additive', '0'],
      ['emr', 'spot', null, 'dominant', '0'],
      ['cheap', null, 'spot', 'additive', '0.01'],
    ],
  );
  const { id: _id, ...cheap } = rateCards[2] ?? assert.fail();
  assert.deepEqual(
    [cheap.coreSecond, cheap.gibSecond, cheap.gpuSecond],
    ['0.0001', '0.0001', '0.02'],
  );
  assert.equal(cheap.validFrom, '1970-01-01T00:00:00.000Z');
});

test('a plan is estimated by the card of its pool', async () => {
  await using api = await askingApi({ deps });
  const plan = { project: 'x', resources: { cores: 2, memoryMib: 4_096 }, durationMs: 10_000 };
  const estimate = async (pool: string) =>
    (await api.postOk('/v1/quota-checks', { ...plan, pool }, restQuotaCheck)).estimate;
  assert.equal(await estimate('main'), '0.022');
  assert.equal(await estimate('spot'), '20', 'four GiB are dearer than two cores');
});

test('an estimate counts the minimum charge of each container, in checks and in quotes', async () => {
  const book = tariffBookOf(
    meteringConfig.parse({
      pools: [{ id: 'main', clusters: ['*'] }],
      rateCard: { id: 'base', minimum: '0.5' },
    }),
  );
  await using api = await askingApi({ deps: { tariff: book, pools: ['main'] } });
  await api.postOk('/v1/projects/etl/grants', { id: 'g', credits: '2' }, restGrant);
  const check = (resources: object) =>
    api.postOk(
      '/v1/quota-checks',
      {
        project: 'etl',
        resources: { cores: 2, memoryMib: 4_096, ...resources },
        durationMs: 1_000,
      },
      restQuotaCheck,
    );
  assert.equal((await check({})).estimate, '0.5');
  assert.deepEqual([(await check({ containers: 4 })).allowed], [true]);
  const five = await check({ containers: 5 });
  assert.deepEqual([five.estimate, five.reason], ['2.5', 'estimate-exceeds-balance']);
  const resources = { cores: 2, memoryMib: 4_096, containers: 40 };
  const plan = { project: 'etl', application: 'nightly', resources, minutes: 1 };
  const quote = await api.postOk('/v1/quotes', { ...plan, maxCost: '19' }, restQuote);
  assert.deepEqual([quote.cost?.expected, quote.perHour, quote.fits], ['20', '20', false]);
});

test('a month comes to money once, beside the report that is hashed', async () => {
  await using api = await askingApi({ deps });
  const hour = Date.UTC(2026, 9, 5);
  const charges = [1, 2, 3].map((i) =>
    aCharge({ hour, container: `c${i}`, amount: credits(1) + 40_000_000n, storedAt: hour }),
  );
  const asOf = api.clock.now();
  await api.stores.ledgerWriter.settle(
    aSettlement({ asOf, applications: [anApplication()], charges }),
  );
  const path = '/v1/projects/team-a/periods/2026-10';
  const { money, hash } = await api.get(path, restPeriodReport);
  // 3.12 credits; each of 1.04 alone would be 0.13.
  assert.deepEqual(money, { currency: 'EUR', perCredit: '0.125', amount: '0.39' });
  await using plain = await askingApi();
  await plain.stores.ledgerWriter.settle(
    aSettlement({ asOf, applications: [anApplication()], charges }),
  );
  const without = await plain.get(path, restPeriodReport);
  assert.deepEqual([without.money, without.hash], [null, hash]);
});
