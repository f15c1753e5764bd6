import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  aCluster,
  aRun,
  fault,
  ID,
  NEVER,
  NOW,
  openDatabricksBench,
  order,
  POLICY,
  RUN,
  STARTED,
} from '../../../test/support/databricks-bench.ts';
import { must } from '../../errors/assert.ts';

const DELETE = '/api/2.1/clusters/delete';
const CANCEL = '/api/2.2/jobs/runs/cancel';
const terminate = order({ actuation: 'terminate-cluster' });

test('a cluster is looked at whole: start of this life, market, owner, activity with its source', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  it.workspace.runs.clear();
  const sight = await it.targets.cluster(NEVER);
  assert.equal(sight.outcome, 'seen');
  if (sight.outcome !== 'seen') return;
  const { activity, tags, ...rest } = sight;
  assert.deepEqual(rest, {
    outcome: 'seen',
    state: 'running',
    name: 'etl',
    startedAt: STARTED,
    owner: 'ana@example.com',
    market: 'spot',
    protected: false,
    at: NOW,
  });
  assert.equal(tags['Tenant'], 'payments');
  const told = activity.filter(({ complete }) => complete);
  assert.deepEqual(
    told.map(({ signal, lastAt }) => [signal, lastAt]),
    ['jobs', 'streaming-queries', 'stages', 'sessions'].map((signal) => [signal, NOW - 600_000]),
  );
  assert.equal(
    activity.some(({ signal }) => signal === 'driver-work'),
    false,
    'nobody tells what a driver does by itself',
  );
  it.workspace.runs.set(RUN, aRun(ID));
  const busy = await it.targets.cluster(NEVER);
  const jobs =
    busy.outcome === 'seen' ? busy.activity.find(({ complete }) => !complete) : undefined;
  assert.deepEqual([jobs?.signal, jobs?.lastAt], ['jobs', NOW]);
});

test('an autoscaler that asked for more is activity, found over pages of either kind', async () => {
  for (const pagesByOffset of [false, true]) {
    const it = await openDatabricksBench();
    await using _ = it.workspace;
    it.workspace.runs.clear();
    it.workspace.pagesByOffset = pagesByOffset;
    const event = (ago: number, cause: string, target: number, cluster_id = ID) => ({
      ...{ cluster_id, type: 'RESIZING', timestamp: NOW - ago },
      details: { cause, current_num_workers: 2, target_num_workers: target },
    });
    it.workspace.events = [
      ...[1_000, 2_000, 3_000, 4_000].map((ago) => event(ago, 'AUTOSCALE', 1)),
      event(5_000, 'USER_REQUEST', 8),
      event(6_000, 'DBR_AUTOSCALE', 3),
      event(500, 'AUTOSCALE', 9, 'c-other'),
    ];
    const sight = await it.targets.cluster(NEVER);
    const grown = sight.outcome === 'seen' ? sight.activity.filter((one) => !one.complete) : [];
    assert.deepEqual(
      grown.map(({ signal, lastAt, source }) => [signal, lastAt, source]),
      [['jobs', NOW - 6_000, 'autoscaler of the workspace']],
    );
  }
});

test('runs or events that can’t be read leave it unknown whether there was activity', async () => {
  for (const path of ['/api/2.2/jobs/runs/list', '/api/2.1/clusters/events']) {
    const it = await openDatabricksBench();
    await using _ = it.workspace;
    it.workspace.faults.push(fault(path, { status: 500 }));
    const sight = await it.targets.cluster(NEVER);
    assert.ok(sight.outcome === 'seen' && sight.activity.length > 0);
    assert.ok(
      sight.activity.every(({ complete }) => !complete),
      path,
    );
  }
});

test('a cluster without last activity, of unknown state, or unknown to the workspace', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  it.workspace.add(aCluster({ last_activity_time: undefined }));
  const untold = await it.targets.cluster(NEVER);
  assert.ok(untold.outcome === 'seen');
  assert.ok(untold.activity.every(({ complete, lastAt }) => !complete || lastAt === undefined));
  it.workspace.add(aCluster({ state: 'ERROR' }));
  assert.equal((await it.targets.cluster(NEVER)).outcome, 'unknown');
  it.workspace.clusters.clear();
  assert.equal((await it.targets.cluster(NEVER)).outcome, 'absent');
});

test('a run is cancelled by its exact id, and is gone only when the workspace says so', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  const seen = await it.targets.application(RUN, NEVER);
  assert.ok(seen.outcome === 'seen' && seen.state === 'running' && seen.startedAt === STARTED);
  const answer = await it.actuator.act(order({ subject: RUN }), NEVER);
  assert.deepEqual(answer, { outcome: 'accepted', detail: '200' });
  assert.deepEqual(it.workspace.paths('POST'), [CANCEL]);
  const still = await it.targets.application(RUN, NEVER);
  assert.ok(still.outcome === 'seen' && still.state === 'running', 'accepted proves nothing');
  it.workspace.settle();
  const gone = await it.targets.application(RUN, NEVER);
  assert.ok(gone.outcome === 'seen' && gone.state === 'ended' && gone.finalState === 'CANCELED');
  assert.equal((await it.targets.application('5', NEVER)).outcome, 'absent');
  assert.equal((await it.targets.application('../5', NEVER)).outcome, 'unknown');
});

test('a run that is another one now, of another cluster, or over is not cancelled', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  it.workspace.runs.set('5', aRun('c-other'));
  it.workspace.runs.set('6', aRun(ID, { tasks: [{ cluster_instance: { cluster_id: 'c-x' } }] }));
  it.workspace.runs.set('7', aRun(ID, { state: { life_cycle_state: 'TERMINATED' } }));
  it.workspace.runs.set('8', aRun('', { cluster_instance: undefined }));
  const refused = [
    order({ subject: RUN, startedAt: STARTED + 1 }),
    order({ subject: RUN, startedAt: undefined }),
    ...['5', '6', '7', '8', '9', 'application_1_1', '', '5;6'].map((subject) => order({ subject })),
  ];
  for (const one of refused) {
    const answer = await it.actuator.act(one, NEVER);
    assert.equal(answer.outcome, 'refused', one.subject);
  }
  assert.deepEqual(it.workspace.paths('POST'), []);
});

test('a cluster is terminated, never deleted for good, and ends a moment later', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  assert.equal((await it.actuator.act(terminate, NEVER)).outcome, 'accepted');
  assert.deepEqual(it.workspace.paths('POST'), [DELETE]);
  const ending = await it.targets.cluster(NEVER);
  assert.equal(ending.outcome === 'seen' && ending.state, 'terminating');
  it.workspace.settle();
  const ended = await it.targets.cluster(NEVER);
  assert.equal(ended.outcome === 'seen' && ended.state, 'terminated');
  assert.equal((await it.actuator.act(terminate, NEVER)).outcome, 'refused');
});

test('a job’s cluster, one that restarted meanwhile, and several at once are not terminated', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  for (const source of ['JOB', 'PIPELINE', 'PIPELINE_MAINTENANCE', 'SQL', 'MODELS', '']) {
    it.workspace.add(aCluster({ cluster_source: source }));
    const sight = await it.targets.cluster(NEVER);
    assert.equal(sight.outcome === 'seen' && sight.protected, true, source);
    assert.equal((await it.actuator.act(terminate, NEVER)).outcome, 'refused', source);
  }
  it.workspace.add(aCluster({ last_restarted_time: NOW - 1_000 }));
  assert.equal((await it.actuator.act(terminate, NEVER)).outcome, 'refused');
  it.workspace.add(aCluster());
  const undated = { ...terminate, startedAt: undefined };
  assert.equal((await it.actuator.act(undated, NEVER)).outcome, 'refused');
  const foreign = { ...terminate, subject: 'c-other' };
  assert.equal((await it.actuator.act(foreign, NEVER)).outcome, 'refused');
  assert.equal(it.workspace.paths('POST').includes(DELETE), false);
});

test('a lost answer to an order is unknown, asked once; a refusal is one', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  for (const how of ['cut', 'silent'] as const) {
    it.workspace.add(aCluster());
    it.workspace.faults.push(fault(DELETE, { how }));
    const before = it.workspace.paths('POST').length;
    const acting = it.actuator.act(terminate, NEVER);
    while (it.workspace.paths('POST').length === before) await new Promise(setImmediate);
    if (how === 'silent') await it.clock.advance(1_000);
    const answer = await acting;
    assert.equal(answer.outcome, 'unknown', how);
    assert.equal(it.workspace.paths('POST').length, before + 1);
    assert.equal(it.workspace.clusters.get(ID)?.['state'], 'TERMINATING', 'it was carried out');
  }
  it.workspace.add(aCluster());
  const body = '{"error_code":"INVALID_STATE","message":"Cluster is\\nnot ready"}';
  it.workspace.faults.push(fault(DELETE, { status: 400, body }));
  assert.deepEqual(await it.actuator.act(terminate, NEVER), {
    outcome: 'refused',
    detail: `${DELETE}: 400 INVALID_STATE Cluster is not ready`,
  });
  it.workspace.faults.push(fault(DELETE, { status: 503, body: 'busy' }));
  assert.equal((await it.actuator.act(terminate, NEVER)).outcome, 'unknown');
});

test('what Databricks has no means for, or nobody allowed, is unsupported and asks nothing', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  for (const actuation of ['cap-application', 'uncap-application', 'limit-lifetime'] as const) {
    const answer = await it.actuator.act(order({ actuation, subject: RUN }), NEVER);
    assert.equal(answer.outcome, 'unsupported');
    assert.equal(it.actuator.abilities.has(actuation), false);
  }
  const careful = it.openActuator(new Set(['kill-application']), []);
  assert.deepEqual([...careful.abilities], ['kill-application']);
  assert.equal((await careful.act(terminate, NEVER)).outcome, 'unsupported');
  assert.deepEqual(it.workspace.asked, []);
});

const EVERYBODY = [
  { group_name: 'admins', all_permissions: [{ permission_level: 'CAN_USE', inherited: true }] },
  { group_name: 'etl', all_permissions: [{ permission_level: 'CAN_USE', inherited: false }] },
  { user_name: 'ana@example.com', all_permissions: [{ permission_level: 'CAN_USE' }] },
];
const names = (rows: readonly Record<string, unknown>[] = []) =>
  rows.map((row) => row['group_name'] ?? row['user_name']).sort();

test('the use of a policy is taken away and given back exactly, administrators left alone', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  it.workspace.policies.set(POLICY, EVERYBODY);
  const open = await it.targets.admission?.(POLICY, NEVER);
  assert.ok(open?.outcome === 'open');
  const restore = must(open.restore, 'an open policy tells its way back');
  const deny = order({ actuation: 'deny-new-work', subject: POLICY, restore });
  assert.equal((await it.actuator.act(deny, NEVER)).outcome, 'accepted');
  assert.deepEqual(names(it.workspace.policies.get(POLICY)), ['admins']);
  assert.equal((await it.targets.admission?.(POLICY, NEVER))?.outcome, 'denied');
  it.workspace.policies.get(POLICY)?.push({
    group_name: 'new',
    all_permissions: [{ permission_level: 'CAN_USE' }],
  });
  const allow = order({ actuation: 'allow-new-work', subject: POLICY, restore });
  assert.equal((await it.actuator.act(allow, NEVER)).outcome, 'accepted');
  assert.deepEqual(names(it.workspace.policies.get(POLICY)), [
    'admins',
    'ana@example.com',
    'etl',
    'new',
  ]);
});

test('a policy is not denied without a way back, after a change, or by a strange id', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  it.workspace.policies.set(POLICY, EVERYBODY);
  const deny = order({ actuation: 'deny-new-work', subject: POLICY });
  for (const more of [
    {},
    { restore: '[]' },
    { restore: '{' },
    { restore: '[["group_name","bi"]]' },
    { subject: '../clusters', restore: '[["group_name","etl"]]' },
  ]) {
    assert.equal((await it.actuator.act({ ...deny, ...more }, NEVER)).outcome, 'refused');
  }
  const allow = order({ actuation: 'allow-new-work', subject: POLICY });
  assert.equal((await it.actuator.act(allow, NEVER)).outcome, 'refused');
  const others = it.openActuator(new Set(['deny-new-work']), ['FFFF']);
  const open = await it.targets.admission?.(POLICY, NEVER);
  const whole = { ...deny, restore: must(open?.outcome === 'open' ? open.restore : undefined, '') };
  assert.equal((await others.act(whole, NEVER)).outcome, 'refused', 'it is none of the named');
  assert.deepEqual(it.workspace.paths('PUT'), []);
  assert.equal((await it.targets.admission?.('FFFF', NEVER))?.outcome, 'unknown');
});
