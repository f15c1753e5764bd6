import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIVITY_SIGNALS } from '../../../../shared/clusters/cluster-actuator.ts';
import { HOUR_MS, MINUTE_MS } from '../../../../shared/values/instant.ts';
import {
  aLook,
  allLevels,
  anAction,
  anApplication,
  aPlanInput,
  aPolicy,
  aRung,
  ETL,
  firingAlert,
  NOW,
  STARTED,
  someRules,
  stopFailed,
} from '../../../../test/support/enforcement-builders.ts';
import { planEnforcement } from './plan-enforcement.ts';
import type { LeftReason, PlanInput } from './plan-input.ts';

const [evidence] = firingAlert().evidence;
assert.ok(evidence);
const alerting = (more: Parameters<typeof firingAlert>[0]) => ({ alerts: [firingAlert(more)] });
const running = (more: Parameters<typeof anApplication>[0]) => ({
  applications: [anApplication(more)],
});
const said = (more: Partial<typeof evidence>) => alerting({ evidence: [{ ...evidence, ...more }] });

const LEFT: readonly (readonly [LeftReason, string, Partial<PlanInput>])[] = [
  ['not-in-breach', 'verdict ok', alerting({ verdict: 'ok' })],
  ['not-in-breach', 'no data', alerting({ verdict: 'no_data' })],
  ['not-in-breach', 'stale', alerting({ verdict: 'stale' })],
  ['not-in-breach', 'an error', alerting({ verdict: 'error' })],
  ['not-in-breach', 'clearing', alerting({ clearingSince: NOW })],
  ['breached-once', 'one breach', alerting({ breaches: 1 })],
  ['evidence-incomplete', 'no evidence', alerting({ evidence: [] })],
  ['evidence-incomplete', 'a part of it', said({ complete: false })],
  ['evidence-incomplete', 'a missing subject', alerting({ missingSince: NOW })],
  ['evidence-stale', 'an old watermark', said({ watermark: NOW - 5 * MINUTE_MS - 1 })],
  ['evidence-stale', 'no watermark', said({ watermark: undefined })],
  ['evidence-stale', 'a watermark to come', said({ watermark: NOW + MINUTE_MS })],
  ['evidence-stale', 'no evaluation lately', alerting({ evaluatedAt: NOW - 6 * MINUTE_MS })],
  [
    'sources-disagree',
    'two sources that differ',
    alerting({ evidence: [evidence, { ...evidence, source: 'agent', value: 80 }] }),
  ],
  [
    'sources-disagree',
    'a source without a value',
    alerting({ evidence: [evidence, { ...evidence, source: 'agent', value: undefined }] }),
  ],
  [
    'no-incarnation',
    'no start in the alert',
    alerting({ target: { ...firingAlert().target, startedAt: undefined } }),
  ],
  ['no-incarnation', 'no start told', running({ startedAt: undefined })],
  ['another-incarnation', 'another start', running({ startedAt: STARTED + 3 * MINUTE_MS })],
  [
    'another-incarnation',
    'a start after the breach',
    { ...running({ startedAt: STARTED }), ...alerting({ activeSince: STARTED - 1 }) },
  ],
  ['target-unseen', 'nothing of the name', { applications: [] }],
  ['target-unseen', 'the id on another cluster', running({ cluster: 'yarn-2' })],
  [
    'no-target',
    'a pool',
    alerting({ target: { kind: 'pool', cluster: '', id: 'cpu', startedAt: undefined } }),
  ],
  ['look-incomplete', 'a part of the list', { clusters: [aLook({ complete: false })] }],
  ['look-incomplete', 'an old list', { clusters: [aLook({ at: NOW - 2 * MINUTE_MS })] }],
  ['look-incomplete', 'no cluster', { clusters: [] }],
  ['no-reader', 'a cluster without a reader', { clusters: [aLook({ abilities: undefined })] }],
  ['protected', 'a protected queue', running({ queue: 'system.jobs' })],
  ['protected', 'a protected name', running({ workload: 'tollgate-agent' })],
  ['protected', 'a protected user', running({ user: 'hdfs' })],
  [
    'protected',
    'a protected tag',
    {
      ...running({ tags: { keep: 'yes' } }),
      rules: someRules({
        protect: { queues: [], names: [], users: [], tags: [{ key: 'keep', values: ['y*'] }] },
      }),
    },
  ],
  [
    'too-young',
    'a young application',
    {
      ...running({ startedAt: NOW - 9 * MINUTE_MS }),
      ...alerting({
        activeSince: NOW - 5 * MINUTE_MS,
        target: { ...firingAlert().target, startedAt: NOW - 9 * MINUTE_MS },
      }),
    },
  ],
  [
    'production-stream',
    'a production stream',
    running({ kind: 'stream', tags: { Environment: ' Production' } }),
  ],
  [
    'production-stream',
    'what may be one',
    running({ kind: 'unknown', tags: { Environment: 'production' } }),
  ],
  ['exempt', 'a signed tag', running({ exempt: { state: 'signed', until: NOW + 1 } })],
  ['observe', 'levels that are off', { levels: [] }],
  [
    'observe',
    'a milder level that is off',
    {
      levels: allLevels([aPolicy()]).filter(({ level }) => level !== 'graceful-stop'),
      actions: [stopFailed],
    },
  ],
  [
    'policy-changed',
    'an edited policy',
    { policies: [aPolicy({ version: 'v2' })], levels: allLevels([aPolicy()]) },
  ],
  ['switched-off', 'the switch', { switchedOn: { on: false, why: 'a file' } }],
  ['braked', 'the brake', { brake: { reason: 'over-budget', detail: '', at: NOW } }],
  [
    'clock-went-back',
    'a clock behind',
    { state: { steadyMs: 0, wallMax: NOW + MINUTE_MS, references: {} } },
  ],
  [
    'frozen',
    'a drop of what runs',
    {
      state: {
        ...{ steadyMs: 0, wallMax: NOW },
        references: { 'yarn-1': { live: 10, droppedSinceMs: undefined } },
      },
    },
  ],
  [
    'stream-not-stopped-first',
    'a stream without a stop',
    { ...running({ kind: 'stream' }), policies: [aPolicy({ ladder: [aRung('kill')] })] },
  ],
  [
    'in-flight',
    'an open action',
    { actions: [anAction({ level: 'graceful-stop', announcedAt: NOW })] },
  ],
  ['unresolved', 'an unknown outcome', { actions: [anAction({ state: 'unknown', policy: 'x' })] }],
  ['already-done', 'a stop that worked', { actions: [{ ...stopFailed, state: 'verified' }] }],
  [
    'already-done',
    'a kill of this period, by another policy',
    {
      actions: [stopFailed],
      intents: [
        {
          ...{ key: 'k', action: 'x', level: 'kill', project: ETL, target: stopFailed.target },
          ...{ at: NOW - 2 * HOUR_MS, steadyMs: 0 },
        },
      ],
    },
  ],
  [
    'ladder-done',
    'no means left',
    { policies: [aPolicy({ ladder: [aRung('cap-executors'), aRung('terminate-cluster')] })] },
  ],
];

for (const [reason, what, more] of LEFT) {
  test(`left alone with its reason: ${what} is ${reason}`, () => {
    const plan = planEnforcement(aPlanInput(more));
    assert.deepEqual(plan.propose, []);
    assert.deepEqual(plan.execute, []);
    assert.deepEqual(
      plan.left.map((left) => left.reason),
      [reason],
    );
  });
}

test('an exemption of the project, cluster, application or workload spares it until its end', () => {
  const base = { id: 'x', by: 'ada', why: 'month end', at: NOW - 1, owner: 'team' };
  const any = { project: undefined, cluster: '', application: '', workload: '' };
  const reasonOf = (more: object) => {
    const exemption = { ...base, ...any, expiresAt: NOW + 1, ...more };
    return planEnforcement(aPlanInput({ exemptions: [exemption] })).left[0]?.reason;
  };
  assert.equal(reasonOf({ project: ETL }), 'exempt');
  assert.equal(reasonOf({ workload: 'orders' }), 'exempt');
  assert.equal(reasonOf({ application: 'application_1_0001', cluster: 'yarn-1' }), 'exempt');
  assert.equal(reasonOf({ project: ETL, workload: 'other' }), undefined);
  assert.equal(reasonOf({ workload: 'orders', expiresAt: NOW }), undefined);
});

test('a level without means is passed over and told', () => {
  const policies = [aPolicy({ ladder: [aRung('cap-executors'), aRung('kill')] })];
  const plan = planEnforcement(aPlanInput({ policies }));
  assert.deepEqual(
    plan.propose.map(({ level, means }) => [level, means]),
    [['kill', 'manager']],
  );
  const off = planEnforcement(aPlanInput({ policies, levels: [] }));
  assert.deepEqual(off.left[0]?.unsupported, ['cap-executors']);
});

test('a stop that failed is followed by the kill, a stream only then', () => {
  const plan = planEnforcement(
    aPlanInput({ actions: [stopFailed], ...running({ kind: 'stream' }) }),
  );
  assert.deepEqual(
    plan.propose.map(({ level }) => level),
    ['kill'],
  );
});

test('two sources that agree are as good as one', () => {
  const other = { ...evidence, source: 'agent', value: 115 };
  const plan = planEnforcement(aPlanInput(alerting({ evidence: [evidence, other] })));
  assert.equal(plan.propose.length, 1);
});

test('a project alert denies the project first, then reaches its applications', () => {
  const target = { kind: 'project', cluster: '', id: 'etl', startedAt: undefined } as const;
  const policies = [aPolicy({ ladder: [aRung('deny-new-work', 0), aRung('kill')] })];
  const rules = someRules({
    queues: [
      { cluster: 'yarn-1', project: 'etl', queue: 'root.etl' },
      { cluster: 'yarn-1', project: 'ml', queue: 'root.ml' },
    ],
  });
  const clusters = [
    aLook({
      abilities: ['deny-new-work', 'allow-new-work', 'kill-application'],
      tellsAdmission: true,
    }),
  ];
  const input = aPlanInput({ ...alerting({ target }), policies, rules, clusters });
  const first = planEnforcement(input);
  assert.deepEqual(
    first.propose.map(({ level, means, subject }) => [level, means, subject]),
    [
      ['deny-new-work', 'admission', ''],
      ['deny-new-work', 'manager', 'root.etl'],
    ],
  );
  assert.deepEqual(
    first.left.map(({ reason }) => reason),
    ['milder-first'],
  );
  const denied = first.propose.map((one, index) =>
    anAction({ ...one, id: `d${index}`, state: 'verified' }),
  );
  const second = planEnforcement({ ...input, actions: denied });
  assert.deepEqual(
    second.propose.map(({ level }) => level),
    ['kill'],
  );
  assert.deepEqual(second.lift, []);
  const over = { ...firingAlert({ target }), state: 'resolved' as const };
  const third = planEnforcement({ ...input, alerts: [over], actions: denied });
  assert.deepEqual(third.lift, ['d0', 'd1']);
  const blind = planEnforcement({
    ...input,
    clusters: [{ ...aLook(clusters[0]), tellsAdmission: false }],
  });
  assert.deepEqual(
    blind.propose.map(({ means }) => means),
    ['admission'],
  );
});

const idleSince = (minutes: number) =>
  ACTIVITY_SIGNALS.map((signal) => ({
    ...{ signal, lastAt: NOW - minutes * MINUTE_MS, asOf: NOW },
    ...{ complete: true, source: 'manager' },
  }));
const seenCluster = (activity: ReturnType<typeof idleSince>, isProtected = false) => ({
  ...{ outcome: 'seen', state: 'running', name: 'c', startedAt: STARTED, owner: 'o', tags: {} },
  ...{ market: 'spot', protected: isProtected, activity, at: NOW },
});

test('a cluster is terminated only when it is idle, and nothing on it must be spared', () => {
  const target = { kind: 'cluster', cluster: 'yarn-1', id: 'yarn-1', startedAt: STARTED } as const;
  const policies = [aPolicy({ ladder: [aRung('terminate-cluster')] })];
  const of = (sight: object, app = {}) => {
    const clusters = [aLook({ abilities: ['terminate-cluster'], sight: sight as never, live: 1 })];
    const plan = planEnforcement(
      aPlanInput({ ...alerting({ target }), policies, clusters, ...running(app) }),
    );
    return plan.propose[0]?.level ?? plan.left[0]?.reason;
  };
  assert.equal(of(seenCluster(idleSince(45))), 'terminate-cluster');
  assert.equal(of(seenCluster(idleSince(5))), 'not-idle');
  assert.equal(of(seenCluster(idleSince(45).slice(1))), 'not-idle');
  assert.equal(of(seenCluster(idleSince(45), true)), 'protected');
  assert.equal(of(seenCluster(idleSince(45)), { queue: 'system.x' }), 'protected');
  assert.equal(of({ outcome: 'unknown', why: '' }), 'no-incarnation');
});

test('more than the budget proposes nothing, calls the open ones off and pulls the brake', () => {
  const ids = ['1', '2', '3'];
  const applications = ids.map((id) => anApplication({ id }));
  const alerts = ids.map((id) =>
    firingAlert({ id: `alert-${id}`, target: { ...firingAlert().target, id } }),
  );
  const waiting = anAction({
    id: 'w',
    announcedAt: NOW,
    target: { ...stopFailed.target, id: '1' },
  });
  const input = aPlanInput({ applications, alerts, actions: [{ ...waiting, alert: 'alert-1' }] });
  const plan = planEnforcement({ ...input, clusters: [aLook({ live: 100 })] });
  assert.deepEqual(plan.propose, []);
  assert.match(plan.brake?.detail ?? '', /3 to be announced at once, 2 may be/);
  assert.deepEqual(
    plan.abort.map(({ action, reason }) => [action, reason]),
    [['w', 'over-budget']],
  );
  const share = planEnforcement({
    ...input,
    ...{ alerts: alerts.slice(0, 2), actions: [] },
    rules: someRules({
      budget: { perTick: 9, perHour: 9, perProjectHour: 9, percentOfRunning: 50 },
    }),
  });
  assert.match(share.brake?.detail ?? '', /2 announced or done, 1 of what runs may be/);
});
