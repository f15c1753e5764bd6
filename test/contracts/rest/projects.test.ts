import assert from 'node:assert/strict';
import test from 'node:test';
import { restBalance, restProject, restProjects } from '../../../shared/contracts/rest.ts';
import { restGrant, restGrants } from '../../../shared/contracts/rest-grants.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  credits,
  SAMPLE_HOUR,
} from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

const GRANTS = '/v1/projects/team-a/grants';

async function withUse(api: AskingApi): Promise<void> {
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer()],
      charges: [aCharge()],
    }),
  );
}

test('a balance is granted − charged − accrued − reserved, exact, with its burn rate and the time of its evidence', async () => {
  await using api = await askingApi();
  await withUse(api);
  await api.postOk(GRANTS, { id: 'g1', credits: '10.000000001' }, restGrant);
  const balance = await api.get('/v1/projects/team-a/balance', restBalance);
  assert.deepEqual(balance, {
    project: 'team-a',
    granted: '10.000000001',
    charged: '5',
    accrued: '2',
    reserved: '0',
    balance: '3.000000001',
    burnPerHour: '3',
    coverage: { exact: '5', inferred: '0', estimated: '2' },
    unlimited: false,
    asOf: '2026-11-21T09:00:00.000Z',
  });
});

test('projects are listed with their balance and the number of running applications', async () => {
  await using api = await askingApi();
  await withUse(api);
  const theirs = { application: 'theirs', project: 'team-b' as ProjectId };
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication({ ...theirs, ended: SAMPLE_HOUR })],
      containers: [aContainer({ application: 'theirs', container: 'c2', state: 'ended' })],
    }),
  );
  await api.postOk(GRANTS, { id: 'g1', credits: '1' }, restGrant);
  const { projects } = await api.get('/v1/projects', restProjects);
  assert.deepEqual(
    projects.map(({ id, runningApplications, balance }) => [
      id,
      runningApplications,
      balance.unlimited,
    ]),
    [
      ['team-a', 1, false],
      ['team-b', 0, true],
    ],
  );
  const one = await api.get('/v1/projects/team-a', restProject);
  assert.deepEqual(one, projects[0]);
});

test('all running applications of a project are counted, however many', async () => {
  await using api = await askingApi();
  const names = Array.from({ length: 1_050 }, (_, i) => `application_1_${i}`);
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: names.map((application) => anApplication({ application })),
      containers: names.map((application) => aContainer({ application, container: application })),
    }),
  );
  const project = await api.get('/v1/projects/team-a', restProject);
  assert.equal(project.runningApplications, 1_050);
});

test('a project that nobody knows is 404 at each of its addresses', async () => {
  await using api = await askingApi();
  for (const path of [
    '',
    '/balance',
    '/grants',
    '/applications',
    '/applications/alpha/a',
    '/charges',
    '/logs',
    '/log-fingerprints',
    '/streaming-queries',
    '/metrics?measurement=jvm&field=heap',
  ]) {
    const problem = await api.problem(api.ask(`/v1/projects/nobody${path}`));
    assert.equal(problem.code, 'NOT_FOUND', path);
  }
});

test('what can be no project id is a project that nobody knows', async () => {
  await using api = await askingApi();
  for (const id of [
    '__proto__',
    'constructor%00',
    '%2e%2e%2fetc',
    'A%2F..%2Fb',
    'a b',
    'x'.repeat(64),
  ]) {
    assert.equal((await api.problem(api.ask(`/v1/projects/${id}/balance`))).status, 404, id);
  }
});

test('a project id is found whichever case it is written in', async () => {
  await using api = await askingApi();
  await api.stores.grants.register('team-a' as ProjectId);
  assert.equal((await api.get('/v1/projects/Team-A', restProject)).id, 'team-a');
});

test('the same grant again gives nothing twice and answers as the first time', async () => {
  await using api = await askingApi();
  const body = { id: 'g1', credits: '500', reason: 'budget 2026' };
  const first = await api.postOk(GRANTS, body, restGrant);
  await api.clock.advance(60_000);
  const again = await api.postOk(GRANTS, body, restGrant);
  assert.deepEqual(again, first);
  assert.equal((await api.post(GRANTS, body)).status, 201);
  assert.equal(first.grantedAt, '2026-11-21T09:00:00.000Z');
  const { grants } = await api.get(GRANTS, restGrants);
  assert.deepEqual(grants, [first]);
  assert.equal((await api.get('/v1/projects/team-a/balance', restBalance)).granted, '500');
});

test('grants sent at the same time are all kept, and equal ones once', async () => {
  await using api = await askingApi();
  const bodies = Array.from({ length: 20 }, (_, i) => ({ id: `g${i % 10}`, credits: '1' }));
  await Promise.all(bodies.map((body) => api.postOk(GRANTS, body, restGrant)));
  assert.equal((await api.get('/v1/projects/team-a/balance', restBalance)).granted, '10');
});

test('the id of a grant used for another amount, reason or project is a conflict', async () => {
  await using api = await askingApi();
  await api.postOk(GRANTS, { id: 'g1', credits: '500' }, restGrant);
  for (const [path, body] of [
    [GRANTS, { id: 'g1', credits: '501' }],
    [GRANTS, { id: 'g1', credits: '500', reason: 'other' }],
    ['/v1/projects/team-b/grants', { id: 'g1', credits: '500' }],
  ] as const) {
    const problem = await api.problem(api.post(path, body));
    assert.equal(problem.status, 409);
    assert.match(problem.detail, /grant g1 .* use a new id/);
  }
  const ids = (await api.get('/v1/projects', restProjects)).projects.map(({ id }) => id);
  assert.deepEqual(ids, ['team-a'], 'a refused grant makes no project');
});

test('a negative grant takes back', async () => {
  await using api = await askingApi();
  await api.postOk(GRANTS, { id: 'g1', credits: '5' }, restGrant);
  await api.postOk(GRANTS, { id: 'g2', credits: '-7.5', reason: 'mistake' }, restGrant);
  assert.equal((await api.get('/v1/projects/team-a/balance', restBalance)).balance, '-2.5');
  assert.equal(
    (await api.stores.ledgerReader.balance('team-a' as ProjectId))?.granted,
    credits(-5) / 2n,
  );
});

test('all that is wrong with a grant is said at once', async () => {
  await using api = await askingApi();
  const body = { id: '', credits: '1e9', reason: 7, reasn: 'x' };
  const problem = await api.problem(api.post(`${GRANTS}?dry=1`, body));
  assert.equal(problem.status, 400);
  const paths = ['body.credits', 'body.id', 'body.reasn', 'body.reason', 'query.dry'];
  assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), paths);
  for (const path of paths) assert.ok(problem.detail.includes(path), path);
  assert.match(JSON.stringify(problem.errors), /did you mean \\"reason\\"/);
});

test('an amount that is none, not exact, or more than one can hold is refused', async () => {
  await using api = await askingApi();
  for (const amount of ['0', '0.0000000001', '', 'NaN', '1'.repeat(31), '9'.repeat(29), 10]) {
    const problem = await api.problem(api.post(GRANTS, { id: 'g', credits: amount }));
    assert.equal(problem.code, 'BAD_REQUEST', String(amount));
  }
  assert.equal((await api.problem(api.ask('/v1/projects/team-a'))).status, 404);
});
