import assert from 'node:assert/strict';
import test from 'node:test';
import {
  restActionHistory,
  restActions,
  restEnforcement,
  restExemption,
  restExemptions,
  restLevelSwitch,
  restReleased,
} from '../../../shared/contracts/rest-enforcement.ts';
import { ExtendLinks } from '../../../shared/tokens/extend-link.ts';
import { formatInstant, HOUR_MS } from '../../../shared/values/instant.ts';
import { askingApi } from '../../support/asking-api.ts';
import { aNewAction } from '../../support/enforcement-builders.ts';

const why = 'agreed with the team';

test('enforcement observes until a level is switched on, with who and why', async () => {
  await using api = await askingApi();
  const before = await api.get('/v1/enforcement', restEnforcement);
  assert.deepEqual([before.switch, before.brake], [null, null]);
  assert.deepEqual(
    before.policies[0]?.levels.map(({ level, on }) => [level, on]),
    [
      ['notify', false],
      ['deny-new-work', false],
      ['kill', false],
    ],
  );
  const body = { id: 'l1', policy: 'quota', level: 'notify', on: true, why };
  const level = await api.postOk('/v1/enforcement/levels', body, restLevelSwitch);
  assert.deepEqual([level.policyVersion, level.why], ['v1', why]);
  const after = await api.get('/v1/enforcement', restEnforcement);
  assert.deepEqual(after.policies[0]?.levels[0], { level: 'notify', on: true });
  assert.equal(after.policies[0]?.levels[2]?.on, false);
});

test('a level that a policy lacks, a policy that is not there, and no reason are refused', async () => {
  await using api = await askingApi();
  const ask = (more: object) =>
    api.problem(
      api.post('/v1/enforcement/levels', {
        ...{ id: 'l1', policy: 'quota', level: 'notify', on: true, why },
        ...more,
      }),
    );
  assert.match((await ask({ policy: 'nix' })).detail ?? '', /no policy nix; there are: quota/);
  assert.match(
    (await ask({ level: 'cap-executors' })).detail ?? '',
    /it has notify, deny-new-work/,
  );
  assert.equal((await ask({ why: ' ' })).status, 400);
  const { policies } = await api.get('/v1/enforcement', restEnforcement);
  assert.ok(policies[0]?.levels.every(({ on }) => !on));
});

test('the global switch is told with who turned it', async () => {
  await using api = await askingApi();
  const off = { id: 's1', on: false, why: 'incident 4711' };
  await api.postOk('/v1/enforcement/switch', off, restReleased);
  const { switch: told } = await api.get('/v1/enforcement', restEnforcement);
  assert.deepEqual([told?.on, told?.why], [false, 'incident 4711']);
});

test('an exemption has an owner, a reason, an end, and something it is narrowed to', async () => {
  await using api = await askingApi();
  const expiresAt = formatInstant(api.clock.now() + HOUR_MS);
  const good = { id: 'x1', owner: 'ana', project: 'etl', expiresAt, why };
  const made = await api.postOk('/v1/enforcement/exemptions', good, restExemption);
  assert.deepEqual([made.project, made.owner, made.expiresAt], ['etl', 'ana', expiresAt]);
  for (const bad of [
    { ...good, id: 'x2', project: undefined },
    { ...good, id: 'x3', owner: '' },
    { ...good, id: 'x4', expiresAt: formatInstant(api.clock.now()) },
    { ...good, id: 'x5', project: 'no such/name' },
  ]) {
    const problem = await api.problem(api.post('/v1/enforcement/exemptions', bad));
    assert.equal(problem.status, 400, bad.id);
  }
  const path = '/v1/enforcement/exemptions/x1/revocation';
  const left = await api.postOk(path, { id: 'r1', why }, restExemptions);
  assert.deepEqual(left.exemptions, []);
});

test('nothing was done yet, and an action that is not there is 404', async () => {
  await using api = await askingApi();
  assert.deepEqual(await api.get('/v1/enforcement/actions', restActions), { actions: [] });
  assert.deepEqual(await api.get('/v1/projects/etl/actions', restActions), { actions: [] });
  assert.equal((await api.ask('/v1/enforcement/actions/act-1')).status, 404);
  const release = { id: 'b1', why };
  const { released } = await api.postOk('/v1/enforcement/brake-releases', release, restReleased);
  assert.equal(released, false, 'it was not on');
});

test('an action is told with its frozen evidence and a chain that is whole, to whom it belongs', async () => {
  await using api = await askingApi();
  const { enforcement: store, leases } = api.alertStores;
  const lease = await leases.acquire('alerter/enforce', 'test', 60_000);
  assert.ok(lease);
  const action = aNewAction({ id: `act-${'a'.repeat(32)}` });
  await store.propose([action], lease);
  const { actions } = await api.get('/v1/projects/etl/actions', restActions);
  assert.deepEqual(
    actions.map(({ id, state, dueAt }) => [id, state, dueAt]),
    [[action.id, 'proposed', null]],
  );
  const path = `/v1/enforcement/actions/${action.id}`;
  const told = await api.get(path, restActionHistory);
  assert.equal(told.frozen, action.frozen);
  assert.deepEqual([told.chain.whole, told.chain.entries], [true, 1]);
  assert.deepEqual(
    told.history.map(({ kind }) => kind),
    ['proposed'],
  );
  const early = await api.post(`${path}/resolution`, { id: 'r1', outcome: 'failed', why });
  assert.equal((await api.problem(early)).code, 'CONFLICT', 'its outcome is not unknown');
  const token = await api.token(['read'], { projects: ['ads'] });
  const foreign = await api.ask(path, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(foreign.status, 404);
});

test('the link of an announcement shows on GET, puts off on POST, once, and ends with its action', async () => {
  const links = new ExtendLinks({ secret: 'a secret of this test', baseUrl: 'https://t' });
  await using api = await askingApi();
  const { enforcement: store, leases } = api.alertStores;
  const policies = api.deps.enforcement.policies;
  await using linked = await askingApi({ deps: { enforcement: { store, policies, links } } });
  const lease = await leases.acquire('alerter/enforce', 'test', 60_000);
  assert.ok(lease);
  const id = `act-${'b'.repeat(32)}`;
  const target = { ...aNewAction().target, id: 'application_1_0001 <b>' };
  await store.propose([aNewAction({ id, policy: 'quota', target })], lease);
  const path = `/enforcement/extend/${links.token({ id, extensions: 0 })}`;
  for (let i = 0; i < 2; i += 1) {
    const shown = await linked.ask(path);
    const text = await shown.text();
    assert.equal(shown.status, 200);
    assert.match(text, /application_1_0001 &lt;b&gt;.*puts it off by 1 h, once/);
  }
  assert.equal((await store.action(id))?.extensions, 0, 'looking changes nothing');
  assert.equal((await linked.ask(path, { method: 'POST' })).status, 200);
  const extended = await store.action(id);
  assert.deepEqual([extended?.extensions, extended?.extendedMs], [1, HOUR_MS]);
  assert.equal((await linked.ask(path, { method: 'POST' })).status, 404, 'used');
  assert.equal((await linked.ask(path)).status, 404);
  const next = links.token({ id, extensions: 1 });
  assert.equal((await linked.ask(`/enforcement/extend/${next.replace('.1.', '.0.')}`)).status, 404);
  assert.equal((await api.ask(`/enforcement/extend/${next}`)).status, 404, 'no secret, no links');
  const action = await store.action(id);
  assert.ok(action);
  await store.change(action, { state: 'aborted', reason: '', detail: '' }, api.clock.now(), lease);
  assert.equal((await linked.ask(`/enforcement/extend/${next}`)).status, 404, 'its action is over');
});
