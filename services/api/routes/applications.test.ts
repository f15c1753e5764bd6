import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restApplication, restApplications } from '../../../shared/contracts/rest.ts';
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

test('an application shows what it cost so far: charged, and used since', async () => {
  await using api = await runningApi();
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication()],
      containers: [aContainer({ accrued: 250_000_000n, perHour: 7_200_000_000n })],
      charges: [aCharge({ amount: 1_000_000_000n })],
    }),
  );
  const path = '/v1/projects/etl/applications/yarn-1/app-1';
  const application = await api.get(path, restApplication);
  assert.deepEqual(application.cost, {
    charged: '1',
    accrued: '0.25',
    total: '1.25',
    perHour: '7.2',
  });
  assert.equal(application.state, 'running');
  assert.equal(application.end, null);
  assert.deepEqual(application.resources, { cores: 2, memoryMib: 4_096, gpus: 0 });
  assert.deepEqual(application.tags, { stage: 'prod' });
});

test('an application of another project is not there', async () => {
  await using api = await runningApi();
  await api.stores.grants.register(ML);
  await api.stores.ledgerWriter.settle(aSettlement({ applications: [anApplication()] }));
  const foreign = await fetch(`${api.url}/v1/projects/ml/applications/yarn-1/app-1`);
  const missing = await fetch(`${api.url}/v1/projects/ml/applications/yarn-1/app-9`);
  const [one, other] = [await problemOf(foreign, 404), await problemOf(missing, 404)];
  assert.equal(one.detail, other.detail, 'the words tell that it exists elsewhere');
  const { applications } = await api.get('/v1/projects/ml/applications', restApplications);
  assert.deepEqual(applications, []);
});

test('pages of applications join, newest first, narrowed by state', async () => {
  await using api = await runningApi();
  const applications = Array.from({ length: 5 }, (_, i) =>
    anApplication({
      application: `app-${i}`,
      start: T0 + i,
      ...(i % 2 === 0 ? { ended: T0 + 100 } : {}),
    }),
  );
  const containers = applications.map(({ application, start, ended }) =>
    aContainer({
      application,
      start,
      container: application,
      ...(ended ? { state: 'ended' } : {}),
    }),
  );
  await api.stores.ledgerWriter.settle(aSettlement({ applications, containers }));
  const names: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api.get(`/v1/projects/etl/applications?limit=2${more}`, restApplications);
    names.push(...page.applications.map(({ id }) => id));
    cursor = page.cursor;
  }
  assert.deepEqual(names, ['app-4', 'app-3', 'app-2', 'app-1', 'app-0']);
  const running = await api.get('/v1/projects/etl/applications?state=running', restApplications);
  assert.deepEqual(
    running.applications.map(({ id }) => id),
    ['app-3', 'app-1'],
  );
  const invalid = await fetch(`${api.url}/v1/projects/etl/applications?cursor=x&limit=2`);
  await problemOf(invalid, 400);
});
