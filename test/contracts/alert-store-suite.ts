import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert } from '../../shared/contracts/alert.ts';
import { must } from '../../shared/errors/assert.ts';
import type { AlertTransition } from '../../shared/stores/alert-store.ts';
import type { AlertStores } from '../../shared/stores/sql/open-alert-stores.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { anAlert, ended } from '../support/alert-builders.ts';
import { T0 } from '../support/fact-builders.ts';

const NOTHING = { alerts: [], transitions: [], health: [] };
const LONG_MS = 600_000;
const ML = 'ml' as ProjectId;

const idsOf = (alerts: readonly Alert[]): string[] => alerts.map(({ id }) => id);
const fired = (
  alert: string,
  at: number,
  over: Partial<AlertTransition> = {},
): AlertTransition => ({
  alert,
  episode: 1,
  at,
  from: 'pending',
  to: 'firing',
  why: '91.5 % is above 80 %',
  ...over,
});

/** What every store of alerts does, whatever it is stored in. */
export function alertStoreSuite(engine: string, open: () => Promise<AlertStores>): void {
  test(`${engine}: an alert comes back as it was saved, and the last save stands`, async () => {
    await using stores = await open();
    const { alerts } = stores;
    const hostile = anAlert('a', {
      labels: { __proto__x: '\u0000\ud800"\'; DROP', project: '{{x}}' },
      project: undefined,
      value: undefined,
      cost: undefined,
    });
    await alerts.save({ ...NOTHING, alerts: [anAlert('a'), hostile, anAlert('b')] }, undefined);
    assert.deepEqual(await alerts.alert('a'), hostile);
    assert.equal(await alerts.alert('none'), undefined);
    await alerts.save({ ...NOTHING, alerts: [ended(hostile, T0 + 5)] }, undefined);
    assert.deepEqual(await alerts.alert('a'), ended(hostile, T0 + 5));
    assert.deepEqual(await alerts.known(['b', 'none', 'a', 'a']), [
      ended(hostile, T0 + 5),
      anAlert('b'),
    ]);
  });

  test(`${engine}: what is open is what isn't over, or is since a moment`, async () => {
    await using stores = await open();
    const { alerts } = stores;
    const list = [
      anAlert('firing'),
      anAlert('pending', { state: 'pending', firedAt: undefined }),
      anAlert('never', { state: 'inactive', firedAt: undefined, evaluatedAt: T0 + 10 }),
      ended(anAlert('old'), T0 + 10),
      ended(anAlert('new'), T0 + 11, 'gone'),
    ];
    await alerts.save({ ...NOTHING, alerts: list }, undefined);
    assert.deepEqual(idsOf(await alerts.open(T0 + 10)), ['firing', 'new', 'pending']);
    assert.equal((await alerts.open(T0)).length, 5);
    await alerts.save({ ...NOTHING, alerts: [anAlert('old', { episode: 2 })] }, undefined);
    assert.ok(idsOf(await alerts.open(T0 + 99)).includes('old'), 'fires again');
  });

  test(`${engine}: many alerts are saved at once`, async () => {
    await using stores = await open();
    const many = Array.from({ length: 1_001 }, (_one, i) => anAlert(`a${i}`));
    await stores.alerts.save({ ...NOTHING, alerts: many }, undefined);
    assert.equal((await stores.alerts.open(T0)).length, 1_001);
    assert.equal((await stores.alerts.known(idsOf(many))).length, 1_001);
  });

  test(`${engine}: alerts are found by project, rule and state, newest first`, async () => {
    await using stores = await open();
    const { alerts } = stores;
    const list = [
      anAlert('a', { activeSince: T0 + 1 }),
      anAlert('b', { activeSince: T0 + 2, project: ML }),
      ended(anAlert('c', { activeSince: T0 + 3 }), T0 + 9),
      anAlert('d', { activeSince: T0 + 4, rule: 'other' }),
    ];
    await alerts.save({ ...NOTHING, alerts: list }, undefined);
    assert.deepEqual(idsOf(await alerts.alerts({ limit: 9 })), ['d', 'c', 'b', 'a']);
    assert.deepEqual(idsOf(await alerts.alerts({ limit: 2 })), ['d', 'c']);
    assert.deepEqual(idsOf(await alerts.alerts({ limit: 9, project: ML })), ['b']);
    assert.deepEqual(idsOf(await alerts.alerts({ limit: 9, rule: 'cluster-idle' })), [
      'c',
      'b',
      'a',
    ]);
    assert.deepEqual(idsOf(await alerts.alerts({ limit: 9, state: 'resolved' })), ['c']);
  });

  test(`${engine}: history has one moment for an alert and instant, the newest first`, async () => {
    await using stores = await open();
    const { alerts } = stores;
    const resolved = fired('a', T0 + 9, { from: 'firing', to: 'resolved', why: 'a\u0000b' });
    await alerts.save({ ...NOTHING, transitions: [fired('a', T0), resolved] }, undefined);
    await alerts.save(
      { ...NOTHING, transitions: [fired('a', T0, { why: 'later' }), fired('b', T0)] },
      undefined,
    );
    assert.deepEqual(await alerts.transitions('a', 9), [
      { ...resolved, why: 'a\ufffdb' },
      fired('a', T0, { why: 'later' }),
    ]);
    assert.equal((await alerts.transitions('a', 1)).length, 1);
  });

  test(`${engine}: which alerts fired often is counted since a moment`, async () => {
    await using stores = await open();
    const { alerts } = stores;
    const transitions = [
      fired('a', T0 - 1),
      fired('a', T0),
      fired('a', T0 + 2),
      fired('b', T0 - 1),
      fired('b', T0 + 1),
      fired('b', T0 + 2, { from: 'firing', to: 'resolved' }),
    ];
    await alerts.save({ ...NOTHING, transitions }, undefined);
    assert.deepEqual([...(await alerts.firedOften(T0, 2))], ['a']);
    assert.deepEqual([...(await alerts.firedOften(T0 - 1, 2))].sort(), ['a', 'b']);
  });

  test(`${engine}: a rule's health is its last`, async () => {
    await using stores = await open();
    const { alerts } = stores;
    const healthy = {
      rule: 'r',
      ruleVersion: 'v',
      evaluatedAt: T0,
      outcome: 'ok' as const,
      why: '',
      durationMs: 1.5,
    };
    const failing = { ...healthy, evaluatedAt: T0 + 1, outcome: 'error' as const, why: 'no store' };
    await alerts.save({ ...NOTHING, health: [healthy, { ...healthy, rule: 'q' }] }, undefined);
    await alerts.save({ ...NOTHING, health: [failing] }, undefined);
    assert.deepEqual(await alerts.health(), [{ ...healthy, rule: 'q' }, failing]);
  });

  test(`${engine}: the revision rises with alerts only`, async () => {
    await using stores = await open();
    const { alerts } = stores;
    const before = await alerts.revision();
    await alerts.save({ ...NOTHING, transitions: [fired('a', T0)] }, undefined);
    assert.equal(await alerts.revision(), before);
    await alerts.save({ ...NOTHING, alerts: [anAlert('a')] }, undefined);
    assert.ok((await alerts.revision()) > before);
  });

  test(`${engine}: what is over is forgotten, what is open stays`, async () => {
    await using stores = await open();
    const { alerts } = stores;
    const list = [anAlert('a'), ended(anAlert('b'), T0 + 9), ended(anAlert('c'), T0 + 10)];
    await alerts.save(
      { ...NOTHING, alerts: list, transitions: [fired('a', T0 + 9), fired('a', T0 + 10)] },
      undefined,
    );
    assert.equal(await alerts.forget(T0 + 10), 2);
    assert.deepEqual(idsOf(await alerts.open(T0)), ['a', 'c']);
    assert.equal((await alerts.transitions('a', 9)).length, 1);
  });

  test(`${engine}: who has lost the lease saves nothing`, async () => {
    await using stores = await open();
    const { alerts, leases } = stores;
    const old = must(await leases.acquire('alerter/rules', 'a', LONG_MS), 'lease');
    await leases.release(old);
    const held = must(await leases.acquire('alerter/rules', 'b', LONG_MS), 'lease');
    const change = { ...NOTHING, alerts: [anAlert('a')], transitions: [fired('a', T0)] };
    await assert.rejects(alerts.save(change, old), { code: 'FENCED' });
    assert.deepEqual(await alerts.open(0), []);
    assert.deepEqual(await alerts.transitions('a', 1), []);
    await alerts.save(change, held);
    assert.equal((await alerts.open(0)).length, 1);
  });
}
