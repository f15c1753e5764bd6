import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  restBalance,
  restCharges,
  restGrant,
  restGrants,
  restProject,
  restProjects,
} from '../../../shared/contracts/rest.ts';
import { T0 } from '../../../test/support/fact-builders.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ML,
} from '../../../test/support/ledger-builders.ts';
import { problemOf } from '../../../test/support/problem-of.ts';
import { runningApi } from '../../../test/support/running-api.ts';

const GRANT = { id: 'grant-1', credits: '10.000000001', reason: 'November' };

test('a balance is what was granted less what is charged and what running containers used', async () => {
  await using api = await runningApi();
  assert.equal((await api.post('/v1/projects/etl/grants', GRANT)).status, 201);
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer({ accrued: 500_000_000n, perHour: 3_600_000_000n })],
      charges: [aCharge({ amount: 2_000_000_000n })],
    }),
  );
  assert.deepEqual(await api.get('/v1/projects/etl/balance', restBalance), {
    project: 'etl',
    granted: '10.000000001',
    charged: '2',
    accrued: '0.5',
    balance: '7.500000001',
    burnPerHour: '3.6',
    unlimited: false,
    asOf: new Date(T0 + 200).toISOString(),
  });
  const project = await api.get('/v1/projects/ETL', restProject);
  assert.equal(project.id, 'etl');
  assert.equal(project.runningApplications, 1);
});

test('all projects are listed, each with its own balance and running applications', async () => {
  await using api = await runningApi();
  const ended = aContainer({ application: 'app-2', container: 'c2', state: 'ended' });
  await api.stores.grants.register(ML);
  await api.post('/v1/projects/etl/grants', GRANT);
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [
        anApplication(),
        anApplication({ application: 'app-2', project: ML, ended: T0 }),
      ],
      containers: [aContainer(), ended],
    }),
  );
  const { projects } = await api.get('/v1/projects', restProjects);
  assert.deepEqual(
    projects.map(({ id, runningApplications, balance }) => [
      ...[id, runningApplications, balance.unlimited],
    ]),
    [
      ['etl', 1, false],
      ['ml', 0, true],
    ],
  );
});

test('a grant sent again grants once, and its id means one grant for ever', async () => {
  await using api = await runningApi();
  for (let i = 0; i < 3; i += 1) {
    const response = await api.post('/v1/projects/etl/grants', GRANT);
    assert.equal(restGrant.parse(await response.json()).credits, GRANT.credits);
  }
  const other = { ...GRANT, credits: '11' };
  const problem = await problemOf(await api.post('/v1/projects/etl/grants', other), 409);
  assert.equal(problem.code, 'CONFLICT');
  await problemOf(await api.post('/v1/projects/ml/grants', GRANT), 409);
  const { grants } = await api.get('/v1/projects/etl/grants', restGrants);
  assert.deepEqual(
    grants.map(({ id, credits, reason }) => ({ id, credits, reason })),
    [GRANT],
  );
});

test('an amount that is not exact is refused', async () => {
  await using api = await runningApi();
  for (const credits of ['1e3', '0.0000000001', 'ten', '0', '']) {
    await problemOf(await api.post('/v1/projects/etl/grants', { ...GRANT, credits }), 400);
  }
  await problemOf(await api.post('/v1/projects/etl/grants', { ...GRANT, credits: 10 }), 400);
  await problemOf(await fetch(`${api.url}/v1/projects/etl`), 404);
});

test('a project that nobody knows is not there, whatever is asked of it', async () => {
  await using api = await runningApi();
  const paths = ['', '/balance', '/grants', '/applications', '/charges', '/streaming-queries'];
  const searches = ['/logs', '/log-fingerprints', '/metrics?measurement=jvm&field=x'];
  for (const project of ['nobody', '__proto__', 'A%2F..%2Fb', 'x'.repeat(80)]) {
    for (const path of [...paths, ...searches]) {
      const response = await fetch(`${api.url}/v1/projects/${project}${path}`);
      assert.equal((await problemOf(response, 404)).code, 'NOT_FOUND');
    }
  }
});

test('charges come in pages that join, exact, and only of their project', async () => {
  await using api = await runningApi({ now: T0 + 60_000 });
  const rows = [1_000, 1_050, 1_100].map((step) => aCharge({ step, amount: 1n }));
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication(), anApplication({ application: 'x', project: ML })],
      charges: [...rows, aCharge({ digest: 'd2', project: ML })],
    }),
  );
  const first = await api.get('/v1/projects/etl/charges?limit=2', restCharges);
  assert.deepEqual(
    first.charges.map(({ multiplier, amount, mibMs }) => [multiplier, amount, mibMs]),
    [
      ['1.00', '0.000000001', '9007199254740993'],
      ['1.05', '0.000000001', '9007199254740993'],
    ],
  );
  const next = `/v1/projects/etl/charges?limit=2&cursor=${first.cursor}`;
  const second = await api.get(next, restCharges);
  assert.deepEqual([second.charges[0]?.multiplier, second.charges.length], ['1.10', 1]);
  assert.equal(second.cursor, null);
});
