import assert from 'node:assert/strict';
import test from 'node:test';
import { restBalance, restQuotaCheck } from '../../../shared/contracts/rest.ts';
import { restGrant } from '../../../shared/contracts/rest-grants.ts';
import {
  restReservation,
  restReservationStep,
  restReservations,
} from '../../../shared/contracts/rest-reservations.ts';
import { NO_LIMITS } from '../../../shared/rating/evaluate-limits.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { aContainer, anApplication, aSettlement, credits } from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

const PATH = '/v1/projects/team-a/reservations';
const HOLD = {
  id: 'r1',
  application: 'nightly',
  resources: { cores: 1.5, memoryMib: 4_096, gpus: 0, executors: 2 },
  maxCost: '12.5',
  leaseSeconds: 60,
};

async function granted(amount: string, limits = NO_LIMITS): Promise<AskingApi> {
  const api = await askingApi({ deps: { limitsOf: () => limits } });
  await api.postOk('/v1/projects/team-a/grants', { id: 'g', credits: amount }, restGrant);
  return api;
}

const hold = (api: AskingApi, body: object = {}) =>
  api.postOk(PATH, { ...HOLD, ...body }, restReservationStep);

const put = (api: AskingApi, path: string, body: unknown) =>
  api.ask(path, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('a hold says what it holds and until when, and the balance has it everywhere', async () => {
  await using api = await granted('20');
  const response = await api.post(PATH, HOLD);
  assert.equal(response.status, 201);
  const held = restReservationStep.parse(await response.json());
  assert.deepEqual(held, {
    ...{ id: 'r1', project: 'team-a', application: 'nightly', state: 'held' },
    ...{ held: '12.5', spent: '0', pending: '12.5', resources: HOLD.resources },
    ...{ multiplierCap: null, quote: null, applications: [], repeated: false },
    createdAt: '2026-11-21T09:00:00.000Z',
    expiresAt: '2026-11-21T09:01:00.000Z',
    resolvedAt: null,
    balance: await api.get('/v1/projects/team-a/balance', restBalance),
  });
  assert.deepEqual([held.balance.reserved, held.balance.balance], ['12.5', '7.5']);
  const check = await api.postOk('/v1/quota-checks', { project: 'team-a' }, restQuotaCheck);
  assert.equal(check.balance, '7.5');
  assert.equal((await hold(api)).repeated, true);
  const one = await api.get(`${PATH}/r1`, restReservation);
  assert.deepEqual(await api.get(PATH, restReservations), { reservations: [one] });
});

test('a refusal is a problem with every limit that refuses', async () => {
  const limits = { ...NO_LIMITS, millicores: 1_000, creditLine: credits(1) };
  await using api = await granted('10', limits);
  const response = await api.post(PATH, HOLD);
  assert.equal(response.status, 403);
  assert.equal(response.headers.get('retry-after'), null, 'no wait helps');
  const problem = await api.problem(response);
  assert.equal(problem.code, 'QUOTA_EXCEEDED');
  assert.deepEqual(problem.reasons, [
    {
      ...{ kind: 'credits', limit: '11', used: '0', asOf: null, stale: false },
      ...{ code: 'estimate-exceeds-balance', retryAfter: null },
      message: 'the job would cost 12.5 credits, 11 are left, with its credit line of 1',
    },
    {
      ...{ kind: 'cores', limit: '1', used: '0', asOf: null, stale: false },
      ...{ code: 'cores-exceeded', retryAfter: null },
      message: '0 of 1 cores are in use or held, and the job asks for 1.5',
    },
  ]);
  const check = await api.postOk(
    '/v1/quota-checks',
    { project: 'team-a', resources: { cores: 1.5 } },
    restQuotaCheck,
  );
  assert.deepEqual([check.allowed, check.reason], [false, 'cores-exceeded']);
  assert.deepEqual(
    check.reasons.map(({ code }) => code),
    ['cores-exceeded'],
  );
  assert.deepEqual(
    check.limits.map(({ kind, limit }) => [kind, limit]),
    [
      ['credits', '11'],
      ['cores', '1'],
    ],
  );
});

test('a project has its limits however its name is spelled', async () => {
  const limited = { ...NO_LIMITS, millicores: 1_000 };
  const limitsOf = (project: string) => (project === 'team-a' ? limited : NO_LIMITS);
  await using api = await askingApi({ deps: { limitsOf } });
  await api.stores.grants.register('team-a' as ProjectId);
  for (const project of ['team-a', ' Team-A ']) {
    const body = { project, resources: { cores: 2 } };
    const check = await api.postOk('/v1/quota-checks', body, restQuotaCheck);
    assert.equal(check.reason, 'cores-exceeded', project);
  }
  const upper = await api.problem(api.post('/v1/projects/TEAM-A/reservations', HOLD));
  assert.equal(upper.reasons?.[0]?.code, 'cores-exceeded');
});

test('who is refused only by what others hold is told when to ask again', async () => {
  await using api = await granted('20');
  await hold(api);
  const response = await api.post(PATH, { ...HOLD, id: 'r2' });
  assert.equal(response.headers.get('retry-after'), '30');
  const problem = await api.problem(response);
  assert.deepEqual(problem.reasons?.[0]?.retryAfter, 30);
});

test('a lease is renewed, says its application, and ends by itself', async () => {
  await using api = await granted('20');
  await hold(api);
  const lease = `${PATH}/r1/lease`;
  await api.clock.advance(30_000);
  const renewed = await put(api, lease, {
    leaseSeconds: 60,
    application: { cluster: 'alpha', id: 'application_1_0001' },
  });
  const step = restReservationStep.parse(await renewed.json());
  assert.deepEqual(
    [step.expiresAt, step.applications],
    ['2026-11-21T09:01:30.000Z', [{ cluster: 'alpha', id: 'application_1_0001' }]],
  );
  await api.stores.ledgerWriter.settle(
    aSettlement({ applications: [anApplication()], containers: [aContainer()] }),
  );
  const one = await api.get(`${PATH}/r1`, restReservation);
  assert.deepEqual([one.spent, one.pending], ['2', '10.5']);
  await api.clock.advance(60_000);
  const gone = await api.get(`${PATH}/r1`, restReservation);
  assert.deepEqual(
    [gone.state, gone.pending, gone.resolvedAt],
    ['expired', '0', '2026-11-21T09:01:30.000Z'],
  );
  const balance = await api.get('/v1/projects/team-a/balance', restBalance);
  assert.deepEqual([balance.reserved, balance.balance], ['0', '18']);
  const late = await api.problem(put(api, lease, { leaseSeconds: 60 }));
  assert.equal(late.status, 409);
  assert.match(late.detail, /expired at 2026-11-21T09:01:30.000Z .* new id/);
});

test('posting and voiding release, once; the other end is a conflict', async () => {
  await using api = await granted('20');
  for (const [id, end, other] of [
    ['r1', 'post', 'void'],
    ['r2', 'void', 'post'],
  ]) {
    await hold(api, { id });
    const done = await api.postOk(`${PATH}/${id}/${end}`, {}, restReservationStep);
    assert.deepEqual([done.repeated, done.pending, done.balance.balance], [false, '0', '20']);
    const again = await api.postOk(`${PATH}/${id}/${end}`, {}, restReservationStep);
    assert.deepEqual([again.repeated, again.state], [true, done.state]);
    assert.equal((await api.problem(api.post(`${PATH}/${id}/${other}`, {}))).status, 409);
  }
  const posted = await api.get(`${PATH}?state=posted`, restReservations);
  assert.deepEqual(
    posted.reservations.map(({ id }) => id),
    ['r1'],
  );
});

test('what is not there, or another body, or another project, is a problem', async () => {
  await using api = await granted('20');
  await hold(api);
  await api.stores.grants.register('team-b' as ProjectId);
  const problems = [
    [await api.problem(api.post(PATH, { ...HOLD, maxCost: '1' })), 409],
    [await api.problem(api.post('/v1/projects/nobody/reservations', HOLD)), 404],
    [await api.problem(api.ask('/v1/projects/team-b/reservations/r1')), 404],
    [await api.problem(api.post('/v1/projects/team-b/reservations/r1/post', {})), 404],
    [await api.problem(api.ask(`${PATH}/r9`)), 404],
    [await api.problem(api.ask('/v1/projects/nobody/reservations')), 404],
    [await api.problem(put(api, `${PATH}/r9/lease`, { leaseSeconds: 60 })), 404],
  ] as const;
  assert.deepEqual(
    problems.map(([{ status }]) => status),
    problems.map(([, status]) => status),
  );
});

test('a bad hold is told all that is wrong with it, and holds nothing', async () => {
  await using api = await granted('20');
  const problem = await api.problem(
    api.post(PATH, {
      ...{ id: 'a b', application: '', maxCost: '-1', leaseSeconds: 1, more: 1 },
      resources: { cores: -1, gpus: 0.5 },
    }),
  );
  assert.equal(problem.status, 400);
  const paths = (problem.errors ?? []).map(({ path }) => path);
  for (const part of ['id', 'application', 'maxCost', 'leaseSeconds', 'resources.cores']) {
    assert.ok(paths.includes(`body.${part}`), `${part} in ${paths}`);
  }
  assert.deepEqual(await api.get(PATH, restReservations), { reservations: [] });
});

test('a token that may only check quotas may hold', async () => {
  await using api = await askingApi();
  const token = await api.token(['quota-check'], { projects: ['team-a'] });
  await api.stores.grants.register('team-a' as ProjectId);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const body = JSON.stringify(HOLD);
  assert.equal((await api.ask(PATH, { method: 'POST', headers, body })).status, 201);
  assert.equal((await api.ask(PATH, { headers })).status, 403);
});
