import assert from 'node:assert/strict';
import test from 'node:test';
import { quotesConfig } from '../../../services/api/quotes/config.ts';
import { restKeptQuote, restKeptQuotes, restQuote } from '../../../shared/contracts/rest-quote.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  anEpoch,
  aSettlement,
  credits,
  SAMPLE_HOUR,
} from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

const NOW = SAMPLE_HOUR + HOUR_MS;
const PROJECT = { project: 'team-a', application: 'nightly' };

const ask = (api: AskingApi, more: object = {}) =>
  api.postOk('/v1/quotes', { ...PROJECT, ...more }, restQuote);

/** Runs of an hour each, a day apart, that cost so many credits at 2.00 X. */
async function withRuns(api: AskingApi, ...costs: readonly number[]): Promise<void> {
  for (const [index, cost] of costs.entries()) {
    const application = `app-${index}`;
    const start = SAMPLE_HOUR - (index + 1) * DAY_MS;
    const own = { application, container: `${application}-c` };
    const ended = { state: 'ended', coverage: 'exact', accrued: 0n, perHour: 0n } as const;
    const span = { start, end: start + HOUR_MS, nextAt: undefined };
    await api.stores.ledgerWriter.settle(
      aSettlement({
        applications: [anApplication({ ...own, start, ended: start + HOUR_MS })],
        containers: [aContainer({ ...own, ...ended, ...span, chargedUntil: start + HOUR_MS })],
        charges: [aCharge({ ...own, hour: start, step: 2_000, amount: credits(cost) })],
      }),
    );
  }
}

test('Estimates shown as facts: a quote tells its range, and how many runs it rests on', async () => {
  await using api = await askingApi();
  await withRuns(api, 20, 10, 40, 30, 90);
  await api.stores.priceWriter.announce(anEpoch({ start: SAMPLE_HOUR, step: 1_500 }), 0);
  const quote = await ask(api);
  assert.deepEqual(quote.cost, {
    ...{ expected: '22.5', low: '15', high: '30' },
    ...{ basis: 'history', range: 'quartiles', runs: 5 },
  });
  assert.deepEqual(quote.durationMs, { expected: HOUR_MS, low: HOUR_MS, high: HOUR_MS });
  assert.deepEqual(
    [quote.price.multiplier, quote.price.forecast, quote.price.next],
    ['1.50', '1.50', null],
  );
  assert.deepEqual([quote.id, quote.locked, quote.start], [null, null, null]);
  assert.deepEqual([quote.fits, quote.limits, quote.failMode], [true, [], 'open']);
});

test('an announced price counts from its start on', async () => {
  await using api = await askingApi();
  await withRuns(api, 20);
  for (const [start, step] of [
    [SAMPLE_HOUR, 1_000],
    [NOW + 30 * MINUTE_MS, 2_000],
  ] as const) {
    await api.stores.priceWriter.announce(anEpoch({ start, step }), 0);
  }
  const quote = await ask(api, { maxMultiplier: '1.5' });
  assert.equal(quote.price.forecast, '1.50');
  assert.equal(quote.price.next?.multiplier, '2.00');
  assert.deepEqual([quote.cost?.expected, quote.cost?.range], ['15', 'extremes']);
  assert.deepEqual(
    quote.limits.map(({ kind, state }) => [kind, state]),
    [['max-multiplier', 'at-risk']],
  );
  const locked = await ask(api, { lockMinutes: 60, maxMultiplier: '1.5' });
  assert.deepEqual([locked.price.forecast, locked.cost?.expected], ['1.00', '10']);
  assert.equal(locked.limits[0]?.state, 'met');
});

test('a plan costs what its resources cost; without minutes, as long as the runs were', async () => {
  await using api = await askingApi();
  await api.stores.grants.register('team-a' as never);
  const resources = { cores: 1, memoryMib: 1_024 };
  const none = await ask(api, { resources });
  assert.deepEqual([none.cost, none.durationMs, none.perHour], [null, null, '3.6']);
  const plan = await ask(api, { resources, minutes: 30 });
  assert.deepEqual([plan.cost?.expected, plan.cost?.basis, plan.cost?.runs], ['1.8', 'plan', 0]);
  await withRuns(api, 20);
  const both = await ask(api, { resources });
  assert.deepEqual([both.cost?.expected, both.cost?.basis], ['3.6', 'plan-and-history']);
});

test('a locked price is kept, read back, and cut to what may be promised', async () => {
  const quoting = quotesConfig.parse({ lockMaxMinutes: 30, locksMax: 2 });
  await using api = await askingApi({ deps: { quoting } });
  await api.stores.grants.register('team-a' as never);
  const quote = await ask(api, { lockMinutes: 600 });
  assert.deepEqual(quote.locked, {
    multiplier: '1.00',
    from: '2026-11-21T09:00:00.000Z',
    until: '2026-11-21T09:30:00.000Z',
  });
  assert.match(quote.id ?? '', /^[0-9a-f]{32}$/);
  const kept = await api.get(`/v1/projects/team-a/quotes/${quote.id}`, restKeptQuote);
  assert.deepEqual([kept.id, kept.application, kept.pool], [quote.id, 'nightly', 'main']);
  const { quotes } = await api.get('/v1/projects/team-a/quotes', restKeptQuotes);
  assert.deepEqual(quotes, [kept]);
  await ask(api, { lockMinutes: 1 });
  const third = await api.problem(api.post('/v1/quotes', { ...PROJECT, lockMinutes: 1 }));
  assert.deepEqual([third.status, third.code], [429, 'OVERLOADED']);
  const foreign = await api.problem(api.ask(`/v1/projects/team-b/quotes/${quote.id}`));
  assert.equal(foreign.status, 404);
});

test('when the price comes down: now, as announced, as in earlier weeks, or unknown', async () => {
  await using api = await askingApi();
  await api.stores.grants.register('team-a' as never);
  assert.equal((await ask(api, { maxMultiplier: '1' })).start?.state, 'now');
  const week = 7 * DAY_MS;
  for (const back of [3, 2, 1]) {
    const start = NOW - back * week;
    await api.stores.priceWriter.announce(anEpoch({ start, step: 1_500 }), 0);
    await api.stores.priceWriter.announce(anEpoch({ start: start + HOUR_MS, step: 1_000 }), 0);
  }
  await api.stores.priceWriter.announce(anEpoch({ start: NOW - MINUTE_MS, step: 1_500 }), 0);
  const dear = await ask(api, { maxMultiplier: '1.2' });
  assert.equal(dear.fits, false);
  assert.deepEqual([dear.start?.state, dear.start?.at], ['predicted', '2026-11-21T10:00:00.000Z']);
  assert.match(dear.start?.message ?? '', /of 3 earlier times at this hour of the week/);
  const never = await ask(api, { maxMultiplier: '0.9' });
  assert.deepEqual([never.start?.state, never.start?.at], ['unknown', null]);
  const next = anEpoch({ start: NOW + MINUTE_MS, step: 1_100 });
  await api.stores.priceWriter.announce(next, 0);
  assert.equal((await ask(api, { maxMultiplier: '1.2' })).start?.state, 'announced');
});

test('a price that the rate card fixes is the one that is told and locked', async () => {
  await using api = await askingApi({ deps: { fixedSteps: new Map([['team-a', 1_100]]) } });
  await api.stores.grants.register('team-a' as never);
  await api.stores.priceWriter.announce(anEpoch({ start: SAMPLE_HOUR, step: 1_500 }), 0);
  await api.stores.priceWriter.announce(anEpoch({ start: NOW + MINUTE_MS, step: 1_600 }), 0);
  const plan = { resources: { cores: 1, memoryMib: 1_024 }, minutes: 60 };
  const quote = await ask(api, { ...plan, lockMinutes: 10, maxMultiplier: '1' });
  assert.deepEqual([quote.price.multiplier, quote.price.next], ['1.10', null]);
  assert.deepEqual([quote.locked?.multiplier, quote.cost?.expected], ['1.10', '3.96']);
  assert.equal(quote.start?.state, 'unknown');
});

test('a project states what it does while no Tollgate answers', async () => {
  const quoting = quotesConfig.parse({ failModes: { 'team-a': 'closed' } });
  await using api = await askingApi({ deps: { quoting } });
  await api.stores.grants.register('team-a' as never);
  assert.equal((await ask(api)).failMode, 'closed');
});

test('bad input is told all at once, and nothing is kept', async () => {
  await using api = await askingApi();
  await api.stores.grants.register('team-a' as never);
  const problem = await api.problem(
    api.post('/v1/quotes', {
      ...{ project: 'team-a', lockMinutes: 1.5, maxMultiplier: '-1', maxCost: '1e9' },
      ...{ deadline: 'tomorrow', resources: { cores: -1 }, minutes: 0, speed: 9 },
    }),
  );
  assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), [
    'body.application',
    'body.deadline',
    'body.lockMinutes',
    'body.maxCost',
    'body.maxMultiplier',
    'body.minutes',
    'body.resources.cores',
    'body.speed',
  ]);
  const pool = await api.problem(api.post('/v1/quotes', { ...PROJECT, pool: 'x', lockMinutes: 9 }));
  assert.equal(pool.status, 400);
  const unknown = await api.problem(api.post('/v1/quotes', { ...PROJECT, project: 'nobody' }));
  assert.deepEqual([unknown.status, unknown.code], [404, 'NOT_FOUND']);
  assert.deepEqual((await api.get('/v1/projects/team-a/quotes', restKeptQuotes)).quotes, []);
});
