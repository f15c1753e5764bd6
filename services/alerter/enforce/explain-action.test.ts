import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnforcementAction } from '../../../shared/contracts/action.ts';
import { occurrenceOf } from '../../../shared/contracts/alert.ts';
import { must } from '../../../shared/errors/assert.ts';
import { openSqliteAlertStores } from '../../../shared/stores/sql/open-alert-stores.ts';
import { ExtendLinks } from '../../../shared/tokens/extend-link.ts';
import { HOUR_MS, MINUTE_MS } from '../../../shared/values/instant.ts';
import {
  aLook,
  anApplication,
  aPlanInput,
  firingAlert,
  NOW,
} from '../../../test/support/enforcement-builders.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { actionId } from './action-identity.ts';
import { consequencesOf } from './consequences.ts';
import { explainAction, replayProposal } from './explain-action.ts';
import { type FrozenInput, freezeInput } from './freeze-input.ts';
import { planEnforcement } from './plan/plan-enforcement.ts';

const links = new ExtendLinks({ secret: 's', baseUrl: 'https://t' });

async function withAction() {
  const stores = openSqliteAlertStores({ file: ':memory:', clock: new FakeClock() });
  const fence = must(await stores.leases.acquire('x', 'a', HOUR_MS), 'lease');
  const others = ['2', '3'].map((id) => anApplication({ id }));
  const noise = firingAlert({ id: 'other', target: { ...firingAlert().target, id: '2' } });
  const input = aPlanInput({
    applications: [anApplication(), ...others],
    alerts: [firingAlert(), { ...noise, breaches: 1 }],
    clusters: [aLook({ live: 50 })],
  });
  const proposal = must(planEnforcement(input).propose[0], 'one');
  const id = actionId(proposal, NOW);
  const frozen = freezeInput(input, proposal);
  const made = { ...proposal, id, frozen, proposedAt: NOW, proposedSteadyMs: 0 };
  await stores.enforcement.propose([made], fence);
  return { stores, store: stores.enforcement, fence, id, frozen };
}

test('an action is explained by what it was decided from, which leads to it again', async () => {
  const { stores, store, id, frozen } = await withAction();
  await using _ = stores;
  const told = must(await explainAction(store, id), 'known');
  assert.deepEqual([told.replay?.same, told.replay?.left], [true, []]);
  assert.equal(told.chain.whole, true);
  assert.deepEqual(
    told.entries.map(({ kind }) => kind),
    ['proposed'],
  );
  const { input } = JSON.parse(frozen) as FrozenInput;
  assert.deepEqual(
    input.applications.map((app) => app.id),
    ['application_1_0001'],
  );
  assert.deepEqual(
    input.alerts.map((alert) => alert.id),
    ['alert-1'],
  );
  assert.equal(await explainAction(store, 'act-none'), undefined);
});

test('an action that does not follow from its frozen input shows it', async () => {
  const { stores, store, id, frozen } = await withAction();
  await using _ = stores;
  const action = must(await store.action(id), 'one');
  const stored = JSON.parse(frozen) as FrozenInput;
  const replay = (more: Partial<EnforcementAction>) =>
    replayProposal({ ...action, ...more } as EnforcementAction, stored);
  assert.equal(replay({}).same, true);
  assert.equal(replay({ graceMs: 1 }).same, false);
  const alerts = [{ ...must(stored.input.alerts[0], 'one'), breaches: 1 }];
  const other = replayProposal(action, { ...stored, input: { ...stored.input, alerts } });
  assert.deepEqual([other.same, other.left[0]?.reason], [false, 'breached-once']);
});

test('messages say what will be done, when, and how to stop it', async () => {
  const { stores, store, fence, id } = await withAction();
  await using _ = stores;
  const extensionsMax = () => 2;
  const ask = (now: number) =>
    consequencesOf({ store, links, extensionsMax }, occurrenceOf(firingAlert()), now);
  const [one] = await ask(NOW + MINUTE_MS);
  assert.equal(one?.does, 'application application_1_0001 is stopped between two batches');
  assert.equal(one?.at, NOW + 11 * MINUTE_MS, 'not announced yet: from now on at the earliest');
  assert.ok(one?.extendUrl?.includes(id));
  const audit = { id: 'e1', by: 'ada', why: 'by the link', at: NOW };
  await store.extend(id, { extensions: 0, byMs: HOUR_MS }, audit);
  const [later] = await ask(NOW + MINUTE_MS);
  assert.equal(later?.at, NOW + HOUR_MS + 11 * MINUTE_MS);
  const action = must(await store.action(id), 'one');
  await store.change(action, { state: 'aborted', reason: '', detail: '' }, NOW, fence);
  assert.deepEqual(await ask(NOW), []);
});
