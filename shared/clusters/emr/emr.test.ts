import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EmrEndpoint } from '../../../test/support/emr-endpoint.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { ACTUATIONS, type ActuatorOrder } from '../cluster-actuator.ts';
import type { ClusterReader, SeenNode } from '../cluster-reader.ts';
import { type EmrSettings, openEmr } from './open-emr.ts';

const NEVER = new AbortController().signal;
const NONE_OPEN = new Map<string, Set<string>>();
const NOW = Date.UTC(2026, 10, 22, 12);
const STARTED = NOW - 7_200_000;
const ID = 'j-3SD91U2E1L2QX';
const STEP = 's-1ABC';

function aCluster(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    Id: ID,
    Name: 'etl',
    Status: { State: 'WAITING', Timeline: { CreationDateTime: STARTED / 1_000 } },
    Tags: [{ Key: 'Tenant', Value: 'payments' }],
    TerminationProtected: false,
    ReleaseLabel: 'emr-7.1.0',
    ...more,
  };
}

const instance = (n: number, more: Record<string, unknown> = {}) => ({
  Ec2InstanceId: `i-${n}`,
  PrivateDnsName: `ip-10-0-0-${n}.ec2.internal`,
  Status: { State: 'RUNNING' },
  InstanceType: 'm5.xlarge',
  Market: n === 0 ? 'ON_DEMAND' : 'SPOT',
  ...more,
});
const aStep = (more: Record<string, unknown> = {}) => ({
  Id: STEP,
  Name: 'nightly',
  Status: { State: 'RUNNING', Timeline: { StartDateTime: STARTED / 1_000 } },
  ...more,
});

async function setUp(more: Partial<EmrSettings> = {}) {
  const endpoint = await EmrEndpoint.open();
  const json = (body: unknown) => ({ json: body });
  endpoint.answers.set('DescribeCluster', () => json({ Cluster: aCluster() }));
  endpoint.answers.set('ListInstances', json({ Instances: [instance(0), instance(1)] }));
  endpoint.answers.set('ListSteps', json({ Steps: [aStep()] }));
  endpoint.answers.set('DescribeStep', json({ Step: aStep() }));
  const type = { Type: 'm5.xlarge', VCPU: 4, MemoryGB: 16 };
  endpoint.answers.set('ListSupportedInstanceTypes', json({ SupportedInstanceTypes: [type] }));
  const clock = new FakeClock(NOW);
  const settings: EmrSettings = {
    region: 'eu-central-1',
    endpoint: endpoint.url,
    clusterId: ID,
    clusterName: undefined,
    timeoutMs: 1_000,
    ...more,
  };
  const doors = openEmr(settings, clock);
  const actuator = doors.actuator(new Set(ACTUATIONS), undefined);
  const [reader, targets] = [doors.reader(undefined), doors.targets(undefined)];
  return { endpoint, clock, doors, actuator, reader, targets };
}

const order = (more: Partial<ActuatorOrder>): ActuatorOrder => ({
  id: 'action-1',
  actuation: 'terminate-cluster',
  subject: '',
  startedAt: STARTED,
  reason: 'idle',
  ...more,
});

test('a cluster is seen without YARN: machines and steps, and a load that nobody tells', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  const seen = await it.reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(seen.problems, []);
  assert.deepEqual(
    seen.nodes?.map(({ node, market, capacity }) => [node, market, capacity.memoryMib]),
    [
      ['i-0', 'on-demand', 16_384],
      ['i-1', 'spot', 16_384],
    ],
  );
  assert.equal(seen.nodes?.[1]?.tags?.['Tenant'], 'payments');
  assert.equal(seen.load, undefined);
  assert.deepEqual(
    seen.applications.map(({ application, state }) => [application, state]),
    [[STEP, 'running']],
  );
  assert.match(it.endpoint.calls[0]?.authorization ?? '', /AKIDTEST\/\d+\/eu-central-1/);
});

test('an open step that ended is seen with its end', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  const Timeline = { StartDateTime: STARTED / 1_000, EndDateTime: NOW / 1_000 - 5 };
  const ended = aStep({ Status: { State: 'FAILED', Timeline } });
  it.endpoint.answers.set('ListSteps', (body) => ({
    json: { Steps: body['StepStates'] === undefined ? [ended] : [] },
  }));
  const none = await it.reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual([none.applications, none.listed], [[], true]);
  const seen = await it.reader.snapshot(new Map([[STEP, new Set<string>()]]), NEVER);
  assert.deepEqual(
    seen.applications.map(({ state, endedAt }) => [state, endedAt]),
    [['ended', NOW - 5_000]],
  );
});

test('with its YARN, what runs is YARN’s word and the machines are EMR’s, joined by host', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  const capacity = { millicores: 3_000, memoryMib: 12_000, gpus: 0 };
  const node: SeenNode = {
    node: 'ip-10-0-0-1.EC2.internal:8041',
    capacity,
    tags: { label: 'core' },
  };
  const load = { allocated: capacity, pending: capacity, capacity };
  const empty = await it.reader.snapshot(NONE_OPEN, NEVER);
  const yarn: ClusterReader = {
    witness: 'yarn',
    snapshot: async () => ({ ...empty, applications: [], nodes: [node], load }),
  };
  const reader = it.doors.reader(yarn);
  assert.equal(reader.witness, 'yarn');
  const seen = await reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(seen.applications, []);
  assert.deepEqual(seen.load, load);
  assert.deepEqual(
    seen.nodes?.map((one) => [one.instance, one.market, one.capacity.memoryMib]),
    [
      ['i-0', 'on-demand', 16_384],
      ['i-1', 'spot', 12_000],
    ],
  );
  assert.equal(seen.nodes?.[1]?.tags?.['label'], 'core');
});

test('clusters of a name are found over all pages, and one is needed to act', async () => {
  const it = await setUp({ clusterId: undefined, clusterName: 'etl*' });
  await using _ = it.endpoint;
  const row = (n: number, Name: string) => aCluster({ Id: `j-${n}`, Name });
  it.endpoint.answers.set('ListClusters', ({ Marker }) => ({
    json:
      Marker === undefined
        ? { Clusters: [row(1, 'etl-1'), row(2, 'bi')], Marker: 'more' }
        : { Clusters: [row(3, 'etl-3')] },
  }));
  it.endpoint.answers.set('DescribeCluster', ({ ClusterId }) => ({
    json: { Cluster: aCluster({ Id: ClusterId }) },
  }));
  const sight = await it.targets.cluster(NEVER);
  assert.match(sight.outcome === 'unknown' ? sight.why : '', /^2 clusters are meant/);
  assert.equal((await it.actuator.act(order({}), NEVER)).outcome, 'refused');
  it.endpoint.answers.set('ListClusters', { json: { Clusters: [row(1, 'a')], Marker: 'x' } });
  const circle = await it.reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(
    circle.problems.map(({ reason }) => reason),
    ['not-understood'],
  );
  assert.deepEqual([circle.nodes, circle.listed], [undefined, false]);
});

test('throttling is a problem that is named, and nothing is asked again for a while', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  it.endpoint.answers.set('DescribeCluster', {
    exception: 'ThrottlingException',
    message: 'Rate exceeded',
  });
  const seen = await it.reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(
    seen.problems.map(({ reason }) => reason),
    ['throttled'],
  );
  assert.deepEqual(it.endpoint.targets(), ['DescribeCluster'], 'once, not three times');
  const answer = await it.actuator.act(order({}), NEVER);
  assert.equal(answer.outcome, 'refused');
  assert.equal(it.endpoint.calls.length, 1);
  await it.clock.advance(10_000);
  it.endpoint.answers.set('DescribeCluster', { json: { Cluster: aCluster() } });
  assert.equal((await it.targets.cluster(NEVER)).outcome, 'seen');
});

test('what AWS refuses, breaks or leaves unanswered has its reason, and no secret in it', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  const cases = [
    [{ exception: 'AccessDeniedException', message: 'not authorized' }, 'refused'],
    [{ exception: 'ExpiredTokenException', status: 403 }, 'refused'],
    [{ exception: 'ValidationException', message: 'bad' }, 'bad-status'],
    [{ exception: 'InternalServerException', status: 500 }, 'bad-status'],
    [{ page: '<html>oops</html>', status: 500 }, 'not-json'],
    [{ page: '{"Cluster":', status: 200 }, 'not-json'],
    [{ json: { Cluster: aCluster({ Id: 'j-OTHER' }) } }, 'not-understood'],
    [{ json: {} }, 'not-understood'],
  ] as const;
  for (const [said, reason] of cases) {
    it.endpoint.answers.set('DescribeCluster', said);
    const seen = await it.reader.snapshot(NONE_OPEN, NEVER);
    const reasons = seen.problems.map((problem) => problem.reason);
    assert.deepEqual(reasons, [reason], JSON.stringify(said));
    assert.deepEqual([seen.nodes, seen.listed], [undefined, false]);
    assert.doesNotMatch(JSON.stringify(seen.problems), /secret-of-the-test/);
    assert.equal((await it.targets.cluster(NEVER)).outcome, 'unknown');
  }
  it.endpoint.answers.set('DescribeCluster', {
    exception: 'InvalidRequestException',
    message: `Cluster id '${ID}' is not valid.`,
  });
  assert.equal((await it.targets.cluster(NEVER)).outcome, 'absent');
});

test('half a list of machines is no list of machines', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  it.endpoint.answers.set('ListInstances', ({ Marker }) =>
    Marker === undefined
      ? { json: { Instances: [instance(0)], Marker: 'more' } }
      : { exception: 'InternalServerException', status: 500 },
  );
  const seen = await it.reader.snapshot(NONE_OPEN, NEVER);
  assert.equal(seen.nodes, undefined);
  assert.equal(seen.problems.length, 1);
});

test('a cluster is looked at: start, market, protection, and only activity that steps prove', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  const sight = await it.targets.cluster(NEVER);
  assert.ok(sight.outcome === 'seen');
  const { activity, ...rest } = sight;
  assert.deepEqual(rest, {
    outcome: 'seen',
    state: 'running',
    name: 'etl',
    startedAt: STARTED,
    owner: '',
    tags: { Tenant: 'payments' },
    market: 'spot',
    protected: false,
    at: NOW,
  });
  assert.deepEqual(
    activity.map(({ signal, lastAt, complete }) => [signal, lastAt, complete]),
    [['jobs', NOW, false]],
  );
  it.endpoint.answers.set('ListSteps', { json: { Steps: [] } });
  const quiet = await it.targets.cluster(NEVER);
  assert.ok(quiet.outcome === 'seen' && quiet.activity[0]?.lastAt === undefined);
});

test('a protected cluster is left alone, and protection is never switched off', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  it.endpoint.answers.set('DescribeCluster', {
    json: { Cluster: aCluster({ TerminationProtected: true }) },
  });
  const answer = await it.actuator.act(order({}), NEVER);
  assert.deepEqual(answer, { outcome: 'refused', detail: `${ID} is protected from termination` });
  assert.deepEqual(it.endpoint.targets(), ['DescribeCluster']);
});

test('a cluster that boots, ended, or is another one now is not terminated', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  const state = (State: string) =>
    aCluster({ Status: { State, Timeline: { CreationDateTime: STARTED / 1_000 } } });
  for (const name of ['STARTING', 'BOOTSTRAPPING', 'TERMINATING', 'TERMINATED', 'STRANGE']) {
    it.endpoint.answers.set('DescribeCluster', { json: { Cluster: state(name) } });
    assert.equal((await it.actuator.act(order({}), NEVER)).outcome, 'refused', name);
  }
  it.endpoint.answers.set('DescribeCluster', { json: { Cluster: aCluster() } });
  for (const more of [{ startedAt: STARTED + 1 }, { startedAt: undefined }, { subject: 'j-X' }]) {
    assert.equal((await it.actuator.act(order(more), NEVER)).outcome, 'refused');
  }
  assert.equal(it.endpoint.targets().includes('TerminateJobFlows'), false);
});

test('an answer that is lost is unknown, asked once', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  for (const said of [{ silent: true } as const, { page: 'oops', status: 500 }]) {
    it.endpoint.answers.set('TerminateJobFlows', said);
    const count = () => it.endpoint.targets().filter((one) => one === 'TerminateJobFlows').length;
    const before = count();
    const acting = it.actuator.act(order({}), NEVER);
    while (count() === before) await new Promise(setImmediate);
    if ('silent' in said) await it.clock.advance(1_000);
    assert.equal((await acting).outcome, 'unknown');
    assert.equal(count(), before + 1);
  }
});

test('a step is cancelled, and a refusal inside the answer is a refusal', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  const kill = order({ actuation: 'kill-application', subject: STEP });
  const info = (Status: string) => ({
    json: { CancelStepsInfoList: [{ StepId: STEP, Status, Reason: 'already done' }] },
  });
  it.endpoint.answers.set('CancelSteps', info('SUBMITTED'));
  assert.equal((await it.actuator.act(kill, NEVER)).outcome, 'accepted');
  assert.deepEqual(it.endpoint.calls.at(-1)?.body, { ClusterId: ID, StepIds: [STEP] });
  it.endpoint.answers.set('CancelSteps', info('FAILED'));
  assert.deepEqual(await it.actuator.act(kill, NEVER), {
    outcome: 'refused',
    detail: 'CancelSteps: already done',
  });
  const before = it.endpoint.targets().filter((one) => one === 'CancelSteps').length;
  const others = [
    { startedAt: STARTED + 1 },
    { subject: 'application_1_1' },
    { subject: 's-1/../x' },
    { startedAt: undefined },
  ];
  for (const more of others) {
    assert.equal((await it.actuator.act({ ...kill, ...more }, NEVER)).outcome, 'refused');
  }
  assert.equal(it.endpoint.targets().filter((one) => one === 'CancelSteps').length, before);
});

test('orders of YARN go to YARN where there is one; without means or leave they are unsupported', async () => {
  const it = await setUp();
  await using _ = it.endpoint;
  const seen: string[] = [];
  const yarn = {
    abilities: new Set(['deny-new-work'] as const),
    act: async ({ actuation }: ActuatorOrder) => {
      seen.push(actuation);
      return { outcome: 'accepted', detail: 'yarn' } as const;
    },
  };
  const both = it.doors.actuator(new Set(['terminate-cluster']), yarn);
  assert.deepEqual([...both.abilities], ['terminate-cluster', 'deny-new-work']);
  await both.act(order({ actuation: 'deny-new-work', subject: 'root.etl' }), NEVER);
  await both.act(order({ actuation: 'kill-application', subject: 'application_1_1' }), NEVER);
  assert.deepEqual(seen, ['deny-new-work', 'kill-application']);
  const step = await both.act(order({ actuation: 'kill-application', subject: STEP }), NEVER);
  assert.equal(step.outcome, 'unsupported', 'nobody allowed it');
  const deny = order({ actuation: 'deny-new-work', subject: 'root.etl' });
  assert.equal((await it.actuator.act(deny, NEVER)).outcome, 'unsupported');
  assert.deepEqual(it.endpoint.calls, []);
});

test('settings that name no cluster or region are refused', () => {
  const settings = {
    region: 'eu-central-1' as string | undefined,
    endpoint: undefined,
    clusterId: ID as string | undefined,
    clusterName: undefined,
    timeoutMs: 1,
  };
  const open = (more: object) => () => openEmr({ ...settings, ...more }, new FakeClock(NOW));
  assert.throws(open({ region: undefined }), /needs its region/);
  assert.throws(open({ region: 'evil.example.com/' }), /is no region/);
  assert.throws(open({ clusterId: undefined }), /by its id/);
  assert.throws(open({ clusterName: 'b' }), /by its id/);
  assert.throws(open({ clusterId: 'x' }), /by its id/);
  open({})();
});
