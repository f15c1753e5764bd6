import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../shared/errors/assert.ts';
import { verifyHistory } from '../../shared/stores/enforcement-history.ts';
import type { Audit, EnforcementStore, Intent } from '../../shared/stores/enforcement-store.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import { aNewAction, ETL, NOW } from '../support/enforcement-builders.ts';

interface OpenEnforcement extends AsyncDisposable {
  readonly enforcement: EnforcementStore;
  readonly leases: LeaseStore;
}

const audit = (id: string): Audit => ({ id, by: 'ada', why: 'agreed', at: NOW });

async function fenceOf({ leases }: OpenEnforcement) {
  return must(await leases.acquire('alerter/enforce', 'a', 600_000), 'lease');
}

const intentOf = (action: string, key = 'k1'): Intent => {
  const { level, project, target } = aNewAction();
  return { key, action, level, project, target, at: NOW + 5, steadyMs: 7 };
};
const looked = { queueBefore: 'root.etl', restore: undefined, recheck: '{"seen":1}' };

/** What every store of enforcement does, whatever it is stored in. */
export function enforcementSuite(engine: string, open: () => Promise<OpenEnforcement>): void {
  test(`${engine}: an action goes from state to state, and the chain tells each`, async () => {
    await using stores = await open();
    const { enforcement: store } = stores;
    const fence = await fenceOf(stores);
    await store.propose([aNewAction()], fence);
    await store.propose([aNewAction({ graceMs: 1 })], fence);
    const [proposed] = await store.open();
    assert.deepEqual(
      [proposed?.state, proposed?.version, proposed?.graceMs],
      ['proposed', 1, 600_000],
    );
    const told = { announcedAt: NOW + 3, announcedSteadyMs: 3 };
    const words = { reason: '', detail: '' };
    await store.change(
      must(proposed, 'one'),
      { state: 'announced', ...words, ...told },
      NOW + 3,
      fence,
    );
    await store.intend(intentOf('act-1'), { ...looked, version: 2 }, fence);
    const begun = must(await store.action('act-1'), 'one');
    assert.equal(begun.state, 'intended');
    assert.equal(begun.queueBefore, 'root.etl');
    assert.deepEqual(
      [begun.intendedAt, begun.intendedSteadyMs, begun.announcedAt],
      [NOW + 5, 7, NOW + 3],
    );
    await store.change(begun, { state: 'verified', ...words }, NOW + 9, fence);
    assert.deepEqual(await store.open(), []);
    assert.equal((await store.ofOccurrence('alert-1', 1))[0]?.state, 'verified');
    assert.deepEqual(await store.ofOccurrence('alert-1', 2), []);
    assert.equal((await store.actions({ project: ETL, state: 'verified', limit: 9 })).length, 1);
    const history = await store.history(0, 99);
    const kinds = history.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['proposed', 'announced', 'intended', 'verified']);
    assert.match(history[2]?.body ?? '', /\\"seen\\":1/);
    const verdict = verifyHistory(history);
    assert.deepEqual(verdict, { whole: true, seq: 4, hash: history[3]?.hash });
    assert.deepEqual(await store.historyOf('act-1'), history);
  });

  test(`${engine}: a chain that was changed, cut or mixed shows where`, async () => {
    await using stores = await open();
    const { enforcement: store } = stores;
    for (const id of ['a', 'b', 'c']) await store.switchAll({ ...audit(id), on: true });
    const history = await store.history(0, 99);
    const [a, b, c] = history.map((entry) => must(entry, 'three'));
    assert.ok(a && b && c);
    const seqOf = (entries: (typeof history)[number][]) => {
      const verdict = verifyHistory(entries);
      return verdict.whole ? 'whole' : verdict.seq;
    };
    assert.equal(seqOf([a, b, c]), 'whole');
    assert.equal(seqOf([a, { ...b, body: '{}' }, c]), 2);
    assert.equal(seqOf([a, { ...b, at: 1 }, c]), 2);
    assert.equal(seqOf([a, c]), 2);
    assert.equal(seqOf([b, c]), 1);
    assert.equal(seqOf([a, c, b]), 2);
  });

  test(`${engine}: a key is begun once, and only an announced action is begun`, async () => {
    await using stores = await open();
    const { enforcement: store } = stores;
    const fence = await fenceOf(stores);
    await store.propose([aNewAction(), aNewAction({ id: 'act-2' })], fence);
    const early = store.intend(intentOf('act-1'), { ...looked, version: 1 }, fence);
    await assert.rejects(early, { code: 'CONFLICT' });
    for (const action of await store.open()) {
      await store.change(action, { state: 'announced', reason: '', detail: '' }, NOW, fence);
    }
    await store.intend(intentOf('act-1'), { ...looked, version: 2 }, fence);
    const again = store.intend(intentOf('act-1', 'k2'), { ...looked, version: 3 }, fence);
    await assert.rejects(again, { code: 'CONFLICT' });
    const other = store.intend(intentOf('act-2'), { ...looked, version: 2 }, fence);
    await assert.rejects(other, { code: 'CONFLICT' }, 'the key was used');
    assert.equal((await store.action('act-2'))?.state, 'announced', 'nothing half written');
    assert.deepEqual(await store.intents({ at: NOW, steadyMs: 99 }), [intentOf('act-1')]);
    assert.equal((await store.intents({ at: NOW + 9, steadyMs: 6 })).length, 1);
    assert.equal((await store.intents({ at: NOW + 9, steadyMs: 7 })).length, 0);
  });

  test(`${engine}: who lost the lease writes nothing`, async () => {
    await using stores = await open();
    const { enforcement: store, leases } = stores;
    const old = await fenceOf(stores);
    await store.propose([aNewAction()], old);
    await leases.release(old);
    await leases.acquire('alerter/enforce', 'b', 600_000);
    const [action] = await store.open();
    const fenced = { code: 'FENCED' };
    const words = { reason: '', detail: '' };
    const state = { steadyMs: 1, wallMax: 1, references: {} };
    await assert.rejects(store.keepState(state, old), fenced);
    await assert.rejects(store.propose([aNewAction({ id: 'x' })], old), fenced);
    const change = store.change(must(action, 'one'), { state: 'aborted', ...words }, NOW, old);
    await assert.rejects(change, fenced);
    await assert.rejects(store.intend(intentOf('act-1'), { ...looked, version: 1 }, old), fenced);
    await assert.rejects(store.brake({ reason: 'r', detail: '', at: NOW }, old), fenced);
    assert.deepEqual((await store.state()).steadyMs, 0);
    assert.equal((await store.history(0, 99)).length, 1);
  });

  test(`${engine}: an action that was changed since it was read is left as it is`, async () => {
    await using stores = await open();
    const { enforcement: store } = stores;
    const fence = await fenceOf(stores);
    await store.propose([aNewAction()], fence);
    const read = must((await store.open())[0], 'one');
    await store.extend('act-1', { extensions: 0, byMs: 5 }, audit('e1'));
    const change = store.change(read, { state: 'aborted', reason: '', detail: '' }, NOW, fence);
    await assert.rejects(change, { code: 'CONFLICT' });
    assert.equal((await store.action('act-1'))?.extendedMs, 5);
    const used = store.extend('act-1', { extensions: 0, byMs: 5 }, audit('e2'));
    await assert.rejects(used, { code: 'CONFLICT' });
    await assert.rejects(store.extend('x', { extensions: 0, byMs: 5 }, audit('e')), {
      code: 'CONFLICT',
    });
  });

  test(`${engine}: levels and the switch are turned with a name and a reason; the newest stands`, async () => {
    await using stores = await open();
    const { enforcement: store } = stores;
    const level = { policy: 'p', policyVersion: 'v', level: 'kill', on: true } as const;
    await store.switchLevel({ ...audit('1'), ...level });
    await store.switchLevel({ ...audit('2'), ...level, on: false, at: NOW - 99 });
    await store.switchLevel({ ...audit('2'), ...level, on: false });
    const levels = await store.levels();
    assert.deepEqual(
      levels.map(({ id, on }) => [id, on]),
      [['2', false]],
    );
    await assert.rejects(store.switchLevel({ ...audit('2'), ...level }), { code: 'CONFLICT' });
    await assert.rejects(store.switchLevel({ ...audit('3'), ...level, why: ' ' }), {
      code: 'BAD_REQUEST',
    });
    assert.equal(await store.globalSwitch(), undefined);
    await store.switchAll({ ...audit('s1'), on: false });
    assert.equal((await store.globalSwitch())?.on, false);
    assert.equal((await store.history(0, 9)).length, 3, 'repeating is no entry');
  });

  test(`${engine}: an exemption is narrow, owned and ends`, async () => {
    await using stores = await open();
    const { enforcement: store } = stores;
    const exemption = {
      ...{ ...audit('x1'), owner: 'team', project: ETL, cluster: '', application: '' },
      ...{ workload: 'orders', expiresAt: NOW + 100 },
    };
    await store.exempt(exemption);
    assert.deepEqual(await store.exemptions(NOW), [exemption]);
    assert.deepEqual(await store.exemptions(NOW + 100), []);
    const wide = {
      ...exemption,
      id: 'x2',
      project: undefined,
      workload: '',
      owner: '',
      expiresAt: NOW,
    };
    await assert.rejects(store.exempt(wide), /a project.*an owner, an end to come/);
    await store.revokeExemption('x1', audit('r1'));
    await store.revokeExemption('x1', audit('r1'));
    assert.deepEqual(await store.exemptions(NOW), []);
    assert.equal((await store.history(0, 9)).length, 2);
  });

  test(`${engine}: the brake stays until it is released, an unknown outcome until it is resolved`, async () => {
    await using stores = await open();
    const { enforcement: store } = stores;
    const fence = await fenceOf(stores);
    await store.brake({ reason: 'over-budget', detail: '9', at: NOW }, fence);
    await store.brake({ reason: 'another', detail: '', at: NOW }, fence);
    assert.equal((await store.brakeOn())?.reason, 'over-budget');
    assert.equal(await store.releaseBrake(audit('b')), true);
    assert.equal(await store.releaseBrake(audit('b')), false);
    assert.equal(await store.brakeOn(), undefined);
    await store.propose([aNewAction()], fence);
    await assert.rejects(store.resolve('act-1', 'failed', audit('q')), { code: 'CONFLICT' });
    const read = must((await store.open())[0], 'one');
    await store.change(read, { state: 'unknown', reason: '', detail: '' }, NOW, fence);
    await store.resolve('act-1', 'failed', audit('q'));
    const action = must(await store.action('act-1'), 'one');
    assert.deepEqual(
      [action.state, action.reason, action.detail],
      ['failed', 'resolved', 'ada: agreed'],
    );
  });

  test(`${engine}: what is remembered between two rounds is kept, and a wrong clock can be forgotten`, async () => {
    await using stores = await open();
    const { enforcement: store } = stores;
    const references = { 'yarn-1': { live: 7, droppedSinceMs: 5 } };
    const state = { steadyMs: 12, wallMax: NOW + 99, references };
    await store.keepState(state, await fenceOf(stores));
    assert.deepEqual(await store.state(), state);
    await store.resetClock(audit('c'));
    assert.equal((await store.state()).wallMax, NOW);
  });
}
