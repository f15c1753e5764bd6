import assert from 'node:assert/strict';
import test from 'node:test';
import { restBalance } from '../../../shared/contracts/rest.ts';
import { restForecast, restGrant, restGrants } from '../../../shared/contracts/rest-grants.ts';
import { HOUR_MS, utcDay } from '../../../shared/values/instant.ts';
import { aCharge, anApplication, aSettlement, credits } from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';
import { runningApi } from '../../support/running-api.ts';

const GRANTS = '/v1/projects/team-a/grants';
const HOUR = Date.UTC(2026, 10, 21, 8);

async function charge(api: AskingApi, rows: readonly { hour: number; amount: bigint }[]) {
  const charges = rows.map((row, n) => aCharge({ ...row, container: `c${n}` }));
  await api.stores.ledgerWriter.settle(aSettlement({ charges, applications: [anApplication()] }));
}

test('grants are told with who paid what, and the history of it', async () => {
  await using api = await askingApi();
  await charge(api, [{ hour: HOUR, amount: credits(30) }]);
  const day = { id: 'day', credits: '20', expiresAt: '2026-11-22T00:00:00Z', priority: 1 };
  await api.postOk(GRANTS, { ...day, validFrom: '2026-11-21T08:00:00Z' }, restGrant);
  await api.postOk(GRANTS, { id: 'month', credits: '100', monthly: {}, priority: 2 }, restGrant);
  const { grants, segments, debt } = await api.get(GRANTS, restGrants);
  assert.deepEqual(
    grants.map(({ id, priority, used, left, expired }) => [id, priority, used, left, expired]),
    [
      ['day', 1, '20', '0', '0'],
      ['month', 2, '10', '90', '0'],
    ],
  );
  assert.deepEqual(grants[1]?.months, [
    { month: '2026-11', rolledIn: '0', granted: '100', used: '10', left: '90', expired: '0' },
  ]);
  assert.deepEqual(segments.at(-1)?.burns, [
    { grant: 'day', credits: '20' },
    { grant: 'month/2026-11', credits: '10' },
  ]);
  assert.equal(debt, '0');
  assert.equal((await api.get('/v1/projects/team-a/balance', restBalance)).balance, '90');
});

test('a monthly grant sent again in another month is the same one', async () => {
  await using api = await runningApi({ now: Date.UTC(2026, 10, 30, 23, 59) });
  const body = { id: 'm', credits: '5', monthly: { maxRollover: '2' } };
  const give = async () => restGrant.parse(await (await api.post(GRANTS, body)).json());
  const first = await give();
  await api.clock.advance(60_000);
  const again = await give();
  assert.equal(again.validFrom, first.validFrom);
  assert.deepEqual(
    again.months.map(({ month, granted, left }) => [month, granted, left]),
    [
      ['2026-11', '5', '0'],
      ['2026-12', '7', '7'],
    ],
  );
  assert.equal((await api.get('/v1/projects/team-a/balance', restBalance)).balance, '7');
});

test('an expiry is seen at its instant in balance and check, with nobody to write it', async () => {
  await using api = await runningApi({ now: Date.UTC(2026, 10, 21, 9, 59, 59) });
  const body = { id: 'g', credits: '5', expiresAt: '2026-11-21T10:00:00Z' };
  assert.equal((await api.post(GRANTS, body)).status, 201);
  await api.clock.advance(999);
  assert.equal((await api.get('/v1/projects/team-a/balance', restBalance)).balance, '5');
  await api.clock.advance(1);
  assert.equal((await api.get('/v1/projects/team-a/balance', restBalance)).balance, '0');
  const check = await api.post('/v1/quota-checks', { project: 'team-a' });
  assert.match(await check.text(), /"reason":"balance-exhausted"/);
  assert.equal((await api.get(GRANTS, restGrants)).grants[0]?.expired, '5');
});

test('all that is wrong with the terms of a grant is said at once, and nothing is given', async () => {
  await using api = await askingApi();
  const body = {
    ...{ id: 'g', credits: '-5', priority: 5_000, validFrom: '2026-11-21 10:00' },
    ...{ expiresAt: '2020-01-01T00:00:00Z', monthly: { minRollover: '9', maxRollover: '1e3' } },
  };
  const problem = await api.problem(api.post(GRANTS, body));
  const paths = new Set(problem.errors?.map(({ path }) => path));
  for (const path of [
    'body.validFrom',
    'body.monthly.maxRollover',
    'body.expiresAt',
    'body.priority',
    'body.reason',
    'body.rollover',
  ]) {
    assert.ok(paths.has(path), path);
  }
  assert.equal((await api.problem(api.ask(GRANTS))).status, 404);
  await api.postOk(GRANTS, { id: 'g', credits: '5' }, restGrant);
  const other = api.post(GRANTS, { id: 'g', credits: '5', priority: 1 });
  assert.equal((await api.problem(other)).code, 'CONFLICT');
});

test('a forecast tells the end and its band, or why it can not', async () => {
  await using api = await askingApi();
  const path = '/v1/projects/team-a/forecast';
  assert.equal((await api.problem(api.ask(path))).status, 404);
  await api.postOk(GRANTS, { id: 'g', credits: '200' }, restGrant);
  const early = await api.get(path, restForecast);
  assert.equal(early.outcome, 'unknown');
  const today = utcDay(api.clock.now());
  const rows = Array.from({ length: 120 }, (_, n) => ({
    hour: today - (n + 1) * HOUR_MS,
    amount: credits(1),
  }));
  await charge(api, rows);
  const told = await api.get(`${path}?days=10`, restForecast);
  // 80 are left at 09:00, of which the present hour takes none: nothing runs.
  const end = new Date(api.clock.now() + 80 * HOUR_MS).toISOString();
  assert.deepEqual([told.outcome, told.earliest, told.ends, told.latest], ['ends', end, end, end]);
  assert.equal(told.historyDays, 5);
  assert.equal((await api.problem(api.ask(`${path}?days=1`))).status, 400);
});
