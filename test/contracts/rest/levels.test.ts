import assert from 'node:assert/strict';
import test from 'node:test';
import { restBalance, restQuotaCheck } from '../../../shared/contracts/rest.ts';
import { restGrant, restLevels } from '../../../shared/contracts/rest-grants.ts';
import { hierarchyConfig, levelsOf } from '../../../shared/grants/hierarchy-config.ts';
import { aCharge, anApplication, aSettlement, credits } from '../../support/api-samples.ts';
import { type AskingApi, askingApi } from '../../support/asking-api.ts';

/** An hour of one core and no memory costs 3.24 credits. */
const HOUR_OF_A_CORE = { resources: { cores: 1 }, durationMs: 3_600_000 };

async function withHierarchy(team: object, organisation: object = {}): Promise<AskingApi> {
  const teams = [{ id: 'data', projects: ['team-a', 'team-b'], ...team }];
  const hierarchy = hierarchyConfig.parse([{ id: 'acme', teams, ...organisation }]);
  const { above, levels } = levelsOf(hierarchy);
  let reader: AskingApi['stores']['levels'] | undefined;
  const api = await askingApi({
    deps: {
      levels: { above, reader: { uses: async (keys) => (await reader?.uses(keys)) ?? new Map() } },
    },
  });
  reader = api.stores.levels;
  for (const [project, amount] of [
    ['team-a', '10'],
    ['team-b', '50'],
  ]) {
    await api.postOk(
      `/v1/projects/${project}/grants`,
      { id: `g-${project}`, credits: amount },
      restGrant,
    );
  }
  const charges = [aCharge({ amount: credits(9) })];
  await api.stores.ledgerWriter.settle(aSettlement({ charges, applications: [anApplication()] }));
  await api.stores.levels.keep(levels, api.clock.now());
  return api;
}

async function check(api: AskingApi, project: string) {
  const response = await api.post('/v1/quota-checks', { project, ...HOUR_OF_A_CORE });
  return restQuotaCheck.parse(await response.json());
}

test('a check is refused by the lowest level without room, and names it', async () => {
  await using api = await withHierarchy({ monthlyLimit: '11' }, { monthlyLimit: '12' });
  const team = await check(api, 'team-b');
  assert.deepEqual(
    [team.allowed, team.reason, team.level],
    [false, 'estimate-exceeds-level', 'team/data'],
  );
  const own = await check(api, 'team-a');
  assert.deepEqual([own.reason, own.level], ['estimate-exceeds-balance', null]);
  const levels = await api.get('/v1/projects/team-b/levels', restLevels);
  assert.deepEqual(
    levels.levels.map(({ level, monthlyLimit, used, left }) => [level, monthlyLimit, used, left]),
    [
      ['team/data', '11', '9', '2'],
      ['organisation/acme', '12', '9', '3'],
    ],
  );
});

test('an organisation refuses where its teams have room', async () => {
  await using api = await withHierarchy({}, { monthlyLimit: '9' });
  const { allowed, reason, level } = await check(api, 'team-b');
  assert.deepEqual([allowed, reason, level], [false, 'level-exhausted', 'organisation/acme']);
});

test('a hold needs room at every level too, and may use what can be borrowed', async () => {
  await using api = await withHierarchy({ monthlyLimit: '20', borrowMax: '5' });
  const hold = (id: string, project: string, maxCost: string) =>
    api.post(`/v1/projects/${project}/reservations`, {
      ...{ id, application: 'job', maxCost, leaseSeconds: 600 },
      resources: { cores: 1, memoryMib: 0, gpus: 0, executors: 1 },
    });
  const refused = await api.problem(hold('a', 'team-b', '12'));
  assert.equal(refused.code, 'QUOTA_EXCEEDED');
  assert.match(refused.detail, /team\/data has 11 of its limit of the month/);
  // One is left of its own, five can be borrowed.
  assert.equal((await hold('b', 'team-a', '6.000000001')).status, 403);
  assert.equal((await hold('b', 'team-a', '6')).status, 201);
  assert.equal((await hold('b', 'team-a', '6')).status, 201);
});

test('borrowing lets a project start on what its siblings have left, and is shown', async () => {
  await using api = await withHierarchy({ borrowMax: '5' });
  const answer = await check(api, 'team-a');
  assert.deepEqual([answer.allowed, answer.balance, answer.level], [true, '1', null]);
  const spent = [aCharge({ amount: credits(4), container: 'c2' })];
  await api.stores.ledgerWriter.settle(
    aSettlement({ charges: spent, applications: [anApplication()] }),
  );
  const { borrowed } = await api.get('/v1/projects/team-a/levels', restLevels);
  assert.equal(borrowed, '3');
  assert.equal((await check(api, 'team-a')).reason, 'estimate-exceeds-balance');
  // The next grant pays it before anything else.
  const more = { id: 'next', credits: '4' };
  await api.postOk('/v1/projects/team-a/grants', more, restGrant);
  assert.equal((await api.get('/v1/projects/team-a/balance', restBalance)).balance, '1');
  assert.equal((await api.get('/v1/projects/team-a/levels', restLevels)).borrowed, '0');
});
