import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnforcementAction } from '../../../../shared/contracts/action.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../../shared/values/instant.ts';
import {
  aLook,
  anAction,
  anApplication,
  aPlanInput,
  aPolicy,
  ETL,
  firingAlert,
  NOW,
  STARTED,
  stopFailed,
} from '../../../../test/support/enforcement-builders.ts';
import { planEnforcement } from './plan-enforcement.ts';
import type { PlanInput } from './plan-input.ts';

const alerting = (more: Parameters<typeof firingAlert>[0]) => ({ alerts: [firingAlert(more)] });
const running = (more: Parameters<typeof anApplication>[0]) => ({
  applications: [anApplication(more)],
});

function due(more: Partial<PlanInput>, action: Partial<EnforcementAction> = {}) {
  const one = anAction(action);
  const plan = planEnforcement(aPlanInput({ actions: [stopFailed, one], ...more }));
  const word = plan.abort[0] ?? plan.wait[0];
  return plan.execute[0] === one.id ? 'execute' : word?.reason;
}

test('an announced action is due when its grace is over by both clocks, and not much later', () => {
  assert.equal(due({}), 'execute');
  assert.equal(due({}, { announcedAt: NOW - 10 * MINUTE_MS }), 'execute');
  assert.equal(due({}, { announcedAt: NOW - 10 * MINUTE_MS + 1 }), 'in-grace');
  assert.equal(due({}, { announcedSteadyMs: DAY_MS - 10 * MINUTE_MS + 1 }), 'in-grace');
  assert.equal(due({}, { extendedMs: HOUR_MS }), 'in-grace');
  assert.equal(due({}, { announcedAt: NOW - 71 * MINUTE_MS }), 'expired');
  const unheard = {
    announcedAt: undefined,
    announcedSteadyMs: undefined,
    state: 'proposed',
  } as const;
  assert.equal(due({}, { ...unheard, proposedSteadyMs: DAY_MS }), 'not-delivered');
});

test('a due action waits for evidence, and ends with its reason', () => {
  assert.equal(due(alerting({ verdict: 'stale' })), 'not-in-breach');
  assert.equal(due(alerting({ state: 'resolved' })), 'ended');
  assert.equal(due(alerting({ episode: 2 })), 'ended');
  assert.equal(due({ alerts: [] }), 'ended');
  assert.equal(due({ applications: [] }), 'ended');
  assert.equal(
    due({ applications: [], clusters: [aLook({ complete: false })] }),
    'look-incomplete',
  );
  assert.equal(due(running({ startedAt: STARTED + 1 })), 'another-incarnation');
  assert.equal(due(running({ queue: 'system' })), 'protected');
  assert.equal(due({ levels: [] }), 'level-off');
  assert.equal(due({ policies: [aPolicy({ version: 'v2' })] }), 'policy-changed');
  assert.equal(due({ switchedOn: { on: false, why: '' } }), 'switched-off');
});

test('an hour of actions counts by both clocks, over all policies', () => {
  const intents = [0, 1, 2, 3, 4].map((n) => ({
    ...{ key: `${n}`, action: `${n}`, level: 'kill' as const, project: undefined },
    target: { ...stopFailed.target, id: `${n}` },
    // Long ago by a clock that has jumped, just now by the steady one.
    ...{ at: NOW - DAY_MS, steadyMs: DAY_MS - MINUTE_MS },
  }));
  const clusters = [aLook({ live: 100 })];
  const input = aPlanInput({ actions: [stopFailed, anAction()], intents, clusters });
  const plan = planEnforcement(input);
  assert.match(plan.brake?.detail ?? '', /6 within an hour, 5 may be/);
  assert.deepEqual(plan.execute, []);
  const mine = intents.slice(0, 3).map((one) => ({ ...one, project: ETL }));
  assert.match(planEnforcement({ ...input, intents: mine }).brake?.detail ?? '', /4 of etl/);
});

test('a drop of what runs is believed only after it has lasted', () => {
  const state = (droppedSinceMs: number | undefined) => ({
    ...{ steadyMs: DAY_MS, wallMax: NOW },
    references: { 'yarn-1': { live: 10, droppedSinceMs } },
  });
  const at = (since: number | undefined) =>
    planEnforcement(aPlanInput({ state: state(since) })).hold?.reason;
  assert.equal(at(undefined), 'frozen');
  assert.equal(at(DAY_MS - 10 * MINUTE_MS + 1), 'frozen');
  assert.equal(at(DAY_MS - 10 * MINUTE_MS), undefined);
});
