import assert from 'node:assert/strict';
import test from 'node:test';
import { restApplication, restApplications } from '../../../shared/contracts/rest.ts';
import { HOUR_MS } from '../../../shared/values/instant.ts';
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

const PATH = '/v1/projects/team-a/applications';

/** Ids of all pages, in order. */
async function walk(api: AskingApi, query: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api.get(`${PATH}?${query}${more}`, restApplications);
    const limit = Number(new URLSearchParams(query).get('limit') ?? 100);
    assert.ok(page.applications.length <= limit, `${page.applications.length} of ${limit}`);
    ids.push(...page.applications.map(({ id }) => id));
    cursor = page.cursor;
  }
  return ids;
}

test('an application shows what it holds, costs and used, and where to look further', async () => {
  const links = { sparkUi: 'http://rm/proxy/{application}/' };
  await using api = await askingApi({
    deps: { clusters: [{ id: 'alpha', type: 'yarn', pool: 'main', links }] },
  });
  const activity = { slotMs: 15, usefulMs: 1, wastedMs: 2, idleMs: 3, tailMs: 4, startUpMs: 5 };
  const ref = { cluster: 'alpha', application: 'application_1_0001' };
  await api.stores.journalWriter.record(
    {
      facts: [],
      evidence: [],
      checkpoints: [],
      activity: [{ ...ref, attempt: '1', at: SAMPLE_HOUR, ...activity }],
    },
    SAMPLE_HOUR,
  );
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication({ tags: { team: 'x' } })],
      containers: [
        aContainer(),
        aContainer({ container: 'c2' }),
        aContainer({
          container: 'c3',
          state: 'ended',
          coverage: 'exact',
          accrued: 0n,
          perHour: 0n,
        }),
      ],
      charges: [aCharge()],
    }),
  );
  const application = await api.get(`${PATH}/alpha/application_1_0001`, restApplication);
  assert.deepEqual(application, {
    id: 'application_1_0001',
    cluster: 'alpha',
    project: 'team-a',
    name: 'nightly',
    user: 'alice',
    queue: 'root',
    attempts: ['1'],
    state: 'running',
    start: '2026-11-21T08:00:00.000Z',
    end: null,
    containers: { running: 2, total: 3 },
    resources: { cores: 5, memoryMib: 8_192, gpus: 2 },
    cost: {
      charged: '5',
      accrued: '4',
      total: '9',
      perHour: '6',
      coverage: { exact: '5', inferred: '0', estimated: '4' },
    },
    coverage: 'running',
    activity,
    tags: { team: 'x' },
    links: { sparkUi: 'http://rm/proxy/application_1_0001/', manager: null, logs: null },
  });
  const { applications } = await api.get(PATH, restApplications);
  assert.deepEqual(applications, [application]);
});

test('an ended application has an end, no running container and no burn rate', async () => {
  await using api = await askingApi();
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [anApplication({ ended: SAMPLE_HOUR + 1_800_000 })],
      containers: [
        aContainer({
          state: 'ended',
          coverage: 'exact',
          end: SAMPLE_HOUR + 1_800_000,
          perHour: 0n,
        }),
      ],
    }),
  );
  const ended = await api.get(`${PATH}/alpha/application_1_0001`, restApplication);
  assert.equal(ended.state, 'ended');
  assert.equal(ended.end, '2026-11-21T08:30:00.000Z');
  assert.deepEqual(ended.containers, { running: 0, total: 1 });
  assert.equal(ended.activity, null);
  assert.equal(ended.coverage, 'exact');
});

test('the applications of a project are nobody else’s: not listed, and 404 by name', async () => {
  await using api = await askingApi();
  await api.stores.ledgerWriter.settle(
    aSettlement({
      applications: [
        anApplication(),
        anApplication({ application: 'secret', project: 'team-b' as ProjectId }),
      ],
      containers: [aContainer(), aContainer({ application: 'secret', container: 's' })],
    }),
  );
  assert.deepEqual(await walk(api, ''), ['application_1_0001']);
  const theirs = await api.problem(api.ask(`${PATH}/alpha/secret`));
  const none = await api.problem(api.ask(`${PATH}/alpha/no-such`));
  assert.equal(theirs.status, 404);
  assert.deepEqual(
    { ...theirs, instance: '' },
    { ...none, instance: '' },
    'a refusal does not tell whether it exists',
  );
  assert.equal((await api.problem(api.ask(`${PATH}/beta/application_1_0001`))).status, 404);
  const own = await api.ask('/v1/projects/team-b/applications/alpha/secret');
  assert.equal(own.status, 200);
});

test('pages hold every application once, newest first, also among equal starts', async () => {
  await using api = await askingApi();
  const applications = Array.from({ length: 25 }, (_, i) =>
    anApplication({
      application: `app ${i}/ü`,
      start: SAMPLE_HOUR + Math.floor(i / 5) * HOUR_MS,
      ...(i % 2 === 0 ? { ended: SAMPLE_HOUR + 9 * HOUR_MS } : {}),
    }),
  );
  await api.stores.ledgerWriter.settle(aSettlement({ applications }));
  const all = await walk(api, 'limit=500');
  assert.deepEqual(
    all.map((id) => Math.floor(Number(/\d+/.exec(id)?.[0]) / 5)),
    Array.from({ length: 25 }, (_, i) => 4 - Math.floor(i / 5)),
    'newest first',
  );
  for (const limit of [1, 4, 5, 25]) assert.deepEqual(await walk(api, `limit=${limit}`), all);
  const isEven = (id: string): boolean => Number(/\d+/.exec(id)?.[0]) % 2 === 0;
  assert.deepEqual(await walk(api, 'limit=3&state=ended'), all.filter(isEven));
  assert.deepEqual(
    await walk(api, 'limit=3&state=running'),
    all.filter((id) => !isEven(id)),
  );
});

test('an id with slashes and letters of any script is an address when encoded', async () => {
  await using api = await askingApi();
  const application = 'local/../1 ü%?#';
  await api.stores.ledgerWriter.settle(
    aSettlement({ applications: [anApplication({ application })] }),
  );
  const path = `${PATH}/alpha/${encodeURIComponent(application)}`;
  assert.equal((await api.get(path, restApplication)).id, application);
});

test('a cursor that no page gave is a bad request', async () => {
  await using api = await askingApi();
  await api.stores.ledgerWriter.settle(aSettlement({ applications: [anApplication()] }));
  for (const cursor of ['x', 'WzFd', 'bnVsbA', '%00']) {
    const problem = await api.problem(api.ask(`${PATH}?cursor=${cursor}`));
    assert.equal(problem.code, 'BAD_REQUEST', cursor);
    assert.match(problem.detail, /cursor/);
  }
});

test('what is wrong with a listing is said, each part by its name', async () => {
  await using api = await askingApi();
  const problem = await api.problem(
    api.ask(`${PATH}?state=lost&limit=0&limitt=5&cursor=a&cursor=b`),
  );
  assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), [
    'query.cursor',
    'query.limit',
    'query.limitt',
    'query.state',
  ]);
  assert.match(JSON.stringify(problem.errors), /did you mean \\"limit\\"/);
});

test('a cost is exact beyond what a float holds', async () => {
  await using api = await askingApi();
  const amount = credits(9_000_000_000) + 1n;
  await api.stores.ledgerWriter.settle(
    aSettlement({ applications: [anApplication()], charges: [aCharge({ amount })] }),
  );
  const application = await api.get(`${PATH}/alpha/application_1_0001`, restApplication);
  assert.equal(application.cost.total, '9000000000.000000001');
});
