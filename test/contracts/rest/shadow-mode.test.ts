import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restBalance, restProjects, restQuotaCheck } from '../../../shared/contracts/rest.ts';
import { restQuotaSuggestion } from '../../../shared/contracts/rest-suggestion.ts';
import { shadowProjects } from '../../../shared/rating/shadow-mode.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  credits,
  SAMPLE_HOUR,
} from '../../support/api-samples.ts';
import { askingApi } from '../../support/asking-api.ts';

const inShadow = (...ids: string[]) =>
  shadowProjects({ shadow: false, projects: ids.map((id) => ({ id, shadow: true })) });
const broke = { id: 'g', credits: '0.5', reason: '' };

test('a project in shadow mode is charged and told, and passes every check', async () => {
  await using api = await askingApi({ deps: { isShadow: inShadow('team-a') } });
  for (const project of ['team-a', 'team-b']) {
    await api.post(`/v1/projects/${project}/grants`, { ...broke, id: project });
  }
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer()],
      charges: [aCharge()],
    }),
  );
  const check = (project: string) =>
    api.postOk('/v1/quota-checks', { project, pool: 'main' }, restQuotaCheck);
  const shadow = await check('Team-A');
  assert.deepEqual([shadow.allowed, shadow.reason], [true, 'shadow']);
  assert.match(shadow.message, /would have been refused .*no credits are left/);
  assert.equal(shadow.balance, '-6.5');
  const plan = { resources: { cores: 8 }, durationMs: 3_600_000 };
  const strict = await api.postOk(
    '/v1/quota-checks',
    { project: 'team-b', pool: 'main', ...plan },
    restQuotaCheck,
  );
  assert.deepEqual([strict.allowed, strict.reason], [false, 'estimate-exceeds-balance']);
  assert.equal((await check('nobody')).reason, 'unknown-project');
  const hold = {
    application: 'nightly',
    maxCost: '1000',
    resources: { cores: 4 },
    leaseSeconds: 60,
  };
  const held = async (project: string) =>
    (await api.post(`/v1/projects/${project}/reservations`, { ...hold, id: project })).status;
  assert.deepEqual([await held('team-a'), await held('team-b')], [201, 403]);
  const balance = await api.get('/v1/projects/team-a/balance', restBalance);
  assert.deepEqual([balance.shadow, balance.charged], [true, '5']);
  const { projects } = await api.get('/v1/projects', restProjects);
  assert.deepEqual(
    projects.map((one) => [one.id, one.balance.shadow]),
    [
      ['team-a', true],
      ['team-b', undefined],
    ],
  );
});

test('with shadow mode for all, an unknown project passes; a foreign one stays unknown', async () => {
  await using api = await askingApi({ deps: { isShadow: () => true } });
  await api.post('/v1/projects/team-a/grants', broke);
  const body = { project: 'nobody', pool: 'main' };
  const shadow = await api.postOk('/v1/quota-checks', body, restQuotaCheck);
  assert.deepEqual([shadow.allowed, shadow.reason], [true, 'shadow']);
  const token = await api.token(['quota-check'], { projects: ['team-b'] });
  const asked = await api.ask('/v1/quota-checks', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ project: 'team-a', pool: 'main' }),
  });
  assert.equal(restQuotaCheck.parse(await asked.json()).reason, 'unknown-project');
});

test('a suggestion comes from the hours that were charged; its question is checked', async () => {
  await using api = await askingApi();
  const quantity = { containerMs: 1n, millicoreMs: 9_000n * 3_600_000n, mibMs: 0n, gpuMs: 0n };
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer()],
      charges: [
        aCharge({ quantity }),
        aCharge({ hour: SAMPLE_HOUR - 3_600_000, amount: credits(1) }),
      ],
    }),
  );
  const path = '/v1/projects/team-a/quota-suggestion';
  const suggested = await api.get(`${path}?headroom=0`, restQuotaSuggestion);
  assert.deepEqual(
    { ...suggested, from: '', until: '' },
    {
      ...{ project: 'team-a', from: '', until: '', headroomPercent: 0, hours: 2, weeks: 0 },
      // 6 credits in 2 h are 2,191.5 in a month.
      ...{ growth: '1.00', charged: '6', monthlyBudget: '2200', cores: 9, reservationPerHour: '5' },
    },
  );
  const problem = await api.problem(api.ask(`${path}?days=0&headroom=-1`));
  assert.deepEqual(problem.errors?.map((one) => one.path).sort(), ['query.days', 'query.headroom']);
  assert.equal((await api.problem(api.ask(path.replace('team-a', 'no')))).status, 404);
});
