import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnsweringServer } from '../../../test/support/answering-server.ts';
import {
  aCluster,
  aRun,
  fault,
  NEVER,
  NOW,
  node,
  openDatabricksBench,
  order,
  RUN,
  STARTED,
} from '../../../test/support/databricks-bench.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { openDatabricks } from './open-databricks.ts';

const NONE_OPEN = new Map<string, Set<string>>();
const CLUSTERS = '/api/2.1/clusters/list';
const terminate = order({ actuation: 'terminate-cluster' });

test('a cluster is seen: machines with market and instance, load with the autoscaler, runs', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  const seen = await it.reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(seen.problems, []);
  assert.equal(seen.listed, true);
  assert.deepEqual(
    seen.nodes?.map(({ node: name, market, instance, capacity }) => [
      name,
      market,
      instance,
      capacity.millicores,
    ]),
    [
      ['node-0', 'on-demand', 'i-0', 4_000],
      ['node-1', 'spot', 'i-1', 4_000],
      ['node-2', 'spot', 'i-2', 4_000],
    ],
  );
  assert.equal(seen.nodes?.[0]?.tags?.['Tenant'], 'payments');
  assert.equal(seen.load?.allocated.millicores, 12_000);
  assert.equal(seen.load?.capacityMax?.millicores, 20_000);
  assert.deepEqual(
    seen.applications.map(({ application, state, startedAt }) => [application, state, startedAt]),
    [[RUN, 'running', STARTED]],
  );
});

test('clusters of a name are found over all pages, and runs of other clusters are passed over', async () => {
  const it = await openDatabricksBench({ clusterId: undefined, clusterName: 'etl*' });
  await using _ = it.workspace;
  for (let n = 1; n <= 4; n += 1) {
    const name = n % 2 === 0 ? `etl-${n}` : `bi-${n}`;
    const nodes = { driver: { ...node(n), node_id: `n${n}` }, executors: [], num_workers: 0 };
    it.workspace.add(aCluster({ cluster_id: `c-${n}`, cluster_name: name, ...nodes }));
    it.workspace.runs.set(`${n}`, aRun(`c-${n}`));
  }
  it.workspace.add(aCluster({ cluster_id: 'c-old', state: 'TERMINATED' }));
  const seen = await it.reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(
    seen.nodes?.map((one) => one.node),
    ['node-0', 'node-1', 'node-2', 'n2', 'n4'],
  );
  assert.deepEqual(
    seen.applications.map(({ application }) => application),
    [RUN, '2', '4'],
  );
  const sight = await it.targets.cluster(NEVER);
  assert.match(sight.outcome === 'unknown' ? sight.why : '', /^3 clusters are meant/);
});

test('half a list is no list: nothing is seen and nothing is gone', async () => {
  const it = await openDatabricksBench({ clusterId: undefined });
  await using _ = it.workspace;
  for (let n = 1; n <= 4; n += 1) it.workspace.add(aCluster({ cluster_id: `c-${n}` }));
  const broken: object[] = [
    { status: 500, body: 'oops' },
    { status: 200, body: '<html>sign in</html>' },
    { status: 200, body: '{"clusters":[{}]}' },
    { status: 302, headers: { location: 'http://127.0.0.1:1/steal' } },
    { how: 'cut' },
    { status: 200, body: '{"clusters":[],"next_page_token":"2"}', times: 200 },
  ];
  for (const one of broken) {
    it.workspace.faults.push(fault(CLUSTERS, one));
    const seen = await it.reader.snapshot(new Map([[RUN, new Set()]]), NEVER);
    assert.deepEqual([seen.listed, seen.nodes, seen.load], [false, undefined, undefined]);
    assert.equal(seen.problems.length, 1, JSON.stringify(one));
    assert.equal((await it.targets.cluster(NEVER)).outcome, seen.problems.length ? 'unknown' : '');
    it.workspace.faults.length = 0;
  }
});

test('an open run that left the list is asked after: ended with its end, or forgotten', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  const state = { life_cycle_state: 'TERMINATED', result_state: 'SUCCESS' };
  it.workspace.runs.set('77', aRun('c-other', { state, end_time: NOW - 5_000 }));
  const seen = await it.reader.snapshot(
    new Map(['77', '78'].map((id) => [id, new Set<string>()])),
    NEVER,
  );
  const ended = seen.applications.find(({ application }) => application === '77');
  assert.deepEqual([ended?.state, ended?.endedAt], ['ended', NOW - 5_000]);
  assert.equal(seen.failed.has('78'), false, 'it is forgotten, so that it can be gone');
  it.workspace.faults.push(fault('/api/2.2/jobs/runs/get', { status: 500, times: 9 }));
  const broken = await it.reader.snapshot(new Map([['78', new Set<string>()]]), NEVER);
  assert.equal(broken.failed.has('78'), true);
});

test('429 is a problem, and the workspace is left alone for as long as it asked', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  const headers = { 'retry-after': '30' };
  const body = '{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"slow down"}';
  it.workspace.faults.push(fault('/api/2.1/clusters/get', { status: 429, headers, body }));
  const first = await it.reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(
    first.problems.map(({ reason }) => reason),
    ['throttled'],
  );
  const asked = it.workspace.asked.length;
  await it.clock.advance(29_000);
  await it.reader.snapshot(NONE_OPEN, NEVER);
  const answer = await it.actuator.act(order({ subject: RUN }), NEVER);
  assert.equal(answer.outcome, 'refused');
  assert.equal(it.workspace.asked.length, asked, 'nothing was sent');
  await it.clock.advance(1_001);
  assert.equal((await it.reader.snapshot(NONE_OPEN, NEVER)).listed, true);
});

test('a wrong token is named with its error code, and never shown', async () => {
  const it = await openDatabricksBench({ token: 'dapi-wrong-token' });
  await using _ = it.workspace;
  const seen = await it.reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(
    seen.problems.map(({ reason }) => reason),
    ['refused'],
  );
  assert.match(seen.problems[0]?.detail ?? '', /403 PERMISSION_DENIED/);
  const answer = await it.actuator.act(terminate, NEVER);
  assert.equal(answer.outcome, 'refused');
  assert.doesNotMatch(JSON.stringify([seen.problems, answer]), /dapi-/);
});

test('a token goes over https only, never in the address, and is asked for', () => {
  const settings = {
    workspace: new URL('http://dbc.example.com'),
    token: 't' as string | undefined,
    clusterId: undefined,
    clusterName: undefined,
    readRuns: true,
    timeoutMs: 1,
    maxAnswerBytes: 1,
    parallelRequests: 1,
  };
  const open = (more: object) => () => openDatabricks({ ...settings, ...more }, new FakeClock(NOW));
  assert.throws(open({}), /in the clear/);
  assert.throws(open({ workspace: new URL('https://me:t@dbc.example.com') }), /not in the address/);
  const workspace = new URL('https://dbc.example.com');
  assert.throws(open({ workspace, token: undefined }), /needs a token/);
  assert.throws(open({ workspace, clusterId: '../x' }), /named by its id/);
  assert.throws(open({ workspace, clusterId: 'a', clusterName: 'b' }), /named by its id/);
  open({ workspace })();
});

test('no redirect is followed: the token would go along', async () => {
  const it = await openDatabricksBench();
  await using _ = it.workspace;
  await using thief = await AnsweringServer.open();
  for (const status of [301, 302, 307, 308]) {
    const headers = { location: `${thief.url}/steal` };
    it.workspace.faults.push(fault('/api/2.1/clusters/get', { status, headers }));
    assert.equal((await it.reader.snapshot(NONE_OPEN, NEVER)).listed, false);
  }
  assert.deepEqual(thief.asked, []);
});
