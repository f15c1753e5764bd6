import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { sharedDataFile } from '../../../test/support/shared-data.ts';
import { NO_RESOURCES } from '../../values/resources.ts';
import { decodeApplication, decodeApplications, decodeAttempts } from './decode-applications.ts';
import { decodeLoad, decodeNodes } from './decode-cluster.ts';
import { decodeContainers } from './decode-containers.ts';
import { attemptId, parseContainerId } from './yarn-ids.ts';

const read = (path: string): unknown => JSON.parse(readFileSync(sharedDataFile(path), 'utf8'));
const rowOf = (path: string) =>
  decodeApplication((read(path) as { app: Record<string, unknown> }).app);
const gib = (cores: number, memoryMib: number) => ({
  millicores: cores * 1_000,
  memoryMib,
  gpus: 0,
});

test('a running application is read with its attempt, master container, tags and times', () => {
  const decoded = decodeApplications(read('yarn/running_apps.json'));
  assert.equal(decoded?.applications.length, 1);
  const [app] = decoded.applications;
  assert.ok(app !== undefined);
  const { pending, endedAttempts: _, ...rest } = app;
  assert.deepEqual(pending, NO_RESOURCES);
  assert.deepEqual(rest, {
    application: 'application_1795247888953_0001',
    attempt: '1',
    name: 'await',
    user: 'alice',
    queue: 'root.default',
    tags: { env: 'test', team: 'payments' },
    url: 'http://localhost:8088/proxy/application_1795247888953_0001/',
    state: 'running',
    startedAt: 1_795_247_919_022,
    endedAt: undefined,
    masterContainer: 'container_1795247888953_0001_01_000001',
    viewable: true,
    finalState: '',
    expiresAt: undefined,
  });
});

test('no applications reads as none in both of the ways in which managers write it', () => {
  const none = { applications: [], repeated: [], unusable: 0 };
  assert.deepEqual(decodeApplications(read('yarn/apps_empty.json')), none);
  assert.deepEqual(decodeApplications({ apps: null }), none);
});

test('an answer of another kind is not read as no applications', () => {
  for (const answer of [null, [], 'x', {}, { RemoteException: {} }, { apps: [] }, { apps: 3 }]) {
    assert.equal(decodeApplications(answer), undefined);
  }
});

test('an application that ended has its end, and its -1 of every kind are no use', () => {
  const killed = rowOf('yarn/killed_app.json');
  assert.equal(killed?.state, 'ended');
  assert.equal(killed?.endedAt, 1_795_247_993_365);
  assert.equal(killed?.startedAt, 1_795_247_982_842);
  const documented = rowOf('yarn-rm/hadoop-docs-3.2/app.json');
  assert.equal(documented?.endedAt, 1_476_913_761_898);
  assert.equal(documented?.attempt, '2');
});

test('an application that ended says how, the manager before the application', () => {
  assert.equal(rowOf('yarn/killed_app.json')?.ending?.outcome, 'killed');
  const row = { id: 'application_1795247888953_0001', startedTime: 1, finishedTime: 2 };
  const endingOf = (state: string, finalStatus: string) =>
    decodeApplication({ ...row, state, finalStatus, diagnostics: ' User class threw \n' })?.ending;
  const reason = 'User class threw';
  assert.deepEqual(endingOf('FINISHED', 'FAILED'), { outcome: 'failed', reason });
  assert.deepEqual(endingOf('FINISHED', 'SUCCEEDED'), { outcome: 'succeeded', reason });
  assert.deepEqual(endingOf('KILLED', 'SUCCEEDED'), { outcome: 'killed', reason });
  assert.equal(endingOf('FINISHED', 'UNDEFINED'), undefined);
  assert.equal(endingOf('RUNNING', 'UNDEFINED'), undefined);
});

test('zeros that a missing view right causes are told apart from an idle application', () => {
  assert.equal(rowOf('yarn/killed_app_seen_without_view_acl.json')?.viewable, false);
  assert.equal(rowOf('yarn/killed_app_seen_by_admin.json')?.viewable, true);
});

test('an application that is listed twice is taken once, and said', () => {
  const decoded = decodeApplications(read('yarn-rm/datadog/apps_metrics.json'));
  assert.deepEqual(decoded?.repeated, ['application_1326815542473_0002']);
  assert.deepEqual(
    decoded?.applications.map(({ application, state, tags }) => [application, state, tags]),
    [
      ['application_1326815542473_0001', 'running', { key1: 'value1', key2: 'value2' }],
      ['application_1326815542473_0002', 'ended', { tag1: '', tag2: '' }],
    ],
  );
});

test('an application in cluster mode is read from a second attempt', () => {
  assert.equal(rowOf('yarn/cluster_mode_running.json')?.state, 'running');
  const second = rowOf('yarn/app_second_attempt.json');
  assert.equal(second?.attempt, '2');
  assert.equal(second?.masterContainer, 'container_1795248855005_0001_02_000001');
});

test('attempts are read with the end of those that failed', () => {
  assert.deepEqual(decodeAttempts(read('yarn/two_attempts.json')), [
    {
      attempt: '1',
      masterContainer: 'container_1795248855005_0001_01_000001',
      endedAt: 1_795_248_906_399,
    },
    {
      attempt: '2',
      masterContainer: 'container_1795248855005_0001_02_000001',
      endedAt: undefined,
    },
  ]);
  assert.equal(
    decodeAttempts(read('yarn/killed_appattempts.json'))?.[0]?.endedAt,
    1_795_247_993_364,
  );
  assert.equal(decodeAttempts(read('yarn-rm/hadoop-docs-3.2/appattempts.json'))?.length, 1);
  assert.equal(decodeAttempts({ RemoteException: {} }), undefined);
});

test('live containers are read without a wrapper, each seen when the manager wrote it', () => {
  const context = { at: 1_795_247_930_000, masterContainer: '' };
  const decoded = decodeContainers(read('yarn/attempt_containers.json'), context);
  assert.deepEqual(
    decoded?.containers.map(({ container, role, resources, startedAt, seenAt, host, attempt }) => {
      return { container, role, resources, startedAt, seenAt, host, attempt };
    }),
    [
      {
        container: 'container_1795247888953_0001_01_000002',
        role: 'executor',
        resources: gib(1, 1_024),
        startedAt: 1_795_247_923_084,
        seenAt: 1_795_247_923_084 + 6_067,
        host: 'localhost:40917',
        attempt: '1',
      },
      {
        container: 'container_1795247888953_0001_01_000001',
        role: 'application-master',
        resources: gib(1, 1_024),
        startedAt: 1_795_247_919_249,
        seenAt: 1_795_247_919_249 + 9_902,
        host: 'localhost:40917',
        attempt: '1',
      },
    ],
  );
});

test('containers with numbers as text and a wrapper read the same', () => {
  const context = { at: 1_531_405_910_000, masterContainer: '' };
  const decoded = decodeContainers(read('yarn-rm/hadoop-docs-3.2/containers.json'), context);
  const [one] = decoded?.containers ?? [];
  assert.equal(one?.container, 'container_1531404209605_0008_01_000001');
  assert.deepEqual(one?.resources, gib(1, 1_536));
  assert.equal(one?.startedAt, 1_531_405_909_444);
  assert.equal(one?.seenAt, 1_531_405_909_444 + 4_112);
  assert.deepEqual(decodeContainers({ containers: null }, context)?.containers, []);
  assert.deepEqual(decodeContainers({}, context)?.containers, []);
  assert.equal(decodeContainers({ RemoteException: {} }, context), undefined);
});

test('a container without a size is named, one with an end has ended, one with GPUs has them', () => {
  const row = (id: string, more: object) => ({
    containerId: `container_e18_1_2_01_00000${id}`,
    allocatedMB: 1_024,
    allocatedVCores: 2,
    startedTime: 1_000,
    ...more,
  });
  const answer = {
    container: [
      row('1', { allocatedMB: -1 }),
      row('2', { finishedTime: '5000', containerExitStatus: 137 }),
      row('3', {
        allocatedResources: { entry: [{ key: 'yarn.io/gpu', value: '2' }, { key: 'vcores' }] },
      }),
      row('4', { containerId: 'nonsense' }),
    ],
  };
  const decoded = decodeContainers(answer, { at: 9_000, masterContainer: '' });
  assert.deepEqual(decoded?.sizeUnknown, ['container_e18_1_2_01_000001']);
  assert.deepEqual(decoded?.ended, [
    { container: 'container_e18_1_2_01_000002', at: 5_000, reason: 'exit status 137' },
  ]);
  assert.equal(decoded?.containers.length, 1);
  assert.deepEqual(decoded?.containers[0]?.resources, {
    millicores: 2_000,
    memoryMib: 1_024,
    gpus: 2,
  });
  assert.equal(decoded?.unusable, 1);
});

test('the load is taken over all node labels, and pending from the manager where it tells it', () => {
  assert.deepEqual(decodeLoad(read('yarn/metrics.json'), gib(7, 7)), {
    allocated: gib(2, 2_048),
    pending: NO_RESOURCES,
    capacity: gib(4, 6_144),
  });
  assert.deepEqual(decodeLoad(read('yarn-rm/hadoop-docs-3.2/cluster-metrics.json'), gib(3, 512)), {
    allocated: gib(1, 0),
    pending: gib(3, 512),
    capacity: gib(8, 17_408),
  });
  // The sums of a manager leave GPUs out; its applications tell theirs.
  const gpus = { ...gib(7, 7), gpus: 3 };
  const { millicores, ...rest } = decodeLoad(read('yarn/metrics.json'), gpus)?.pending ?? gpus;
  assert.deepEqual([millicores, rest.gpus], [0, 3]);
  assert.equal(decodeLoad({ clusterMetrics: { allocatedMB: -1 } }, NO_RESOURCES), undefined);
  assert.equal(decodeLoad('x', NO_RESOURCES), undefined);
});

test('what an application still asks for is read from its open requests', () => {
  const row = (resourceRequests: object[]) => ({
    id: 'application_1_2',
    state: 'RUNNING',
    startedTime: 1,
    resourceRequests,
  });
  const ask = (resourceName: string, numContainers: number) => {
    return { resourceName, numContainers, capability: { memory: 4_096, virtualCores: 2 } };
  };
  const decoded = decodeApplication(row([ask('*', 3), ask('host1', 3), ask('/rack', 3)]));
  assert.deepEqual(decoded?.pending, gib(6, 12_288));
  assert.deepEqual(decodeApplication(row([ask('*', -1)]))?.pending, NO_RESOURCES);
});

test('nodes that carry containers are read with their capacity, each once', () => {
  const [node, ...others] = decodeNodes(read('yarn/nodes.json')) ?? [];
  assert.deepEqual(node, { node: 'localhost:40917', capacity: gib(4, 6_144) });
  assert.deepEqual(others, []);
  assert.deepEqual(decodeNodes(read('yarn-rm/hadoop-docs-3.2/nodes.json')), [
    { node: 'host.domain.com:54158', capacity: gib(8, 8_192) },
  ]);
  assert.deepEqual(decodeNodes({ nodes: { node: [{ id: 'a:1', state: 'LOST' }] } }), []);
  assert.equal(decodeNodes({}), undefined);
});

test('a node tells its labels, attributes, market and instance where it has them', () => {
  const node = (more: object) => {
    const row = { id: 'a:1', state: 'RUNNING', usedMemoryMB: 1, availMemoryMB: 1, ...more };
    const [seen] = decodeNodes({ nodes: { node: [row] } }) ?? [];
    const { market, instance, tags } = seen ?? {};
    return [market, instance, tags];
  };
  const attribute = (name: string, value: string) => ({ prefix: 'rm.yarn.io', name, value });
  assert.deepEqual(node({}), [undefined, undefined, undefined]);
  assert.deepEqual(node({ nodeLabels: ['gpu', 'SPOT'] }), [
    'spot',
    undefined,
    { 'node-label': 'gpu,SPOT' },
  ]);
  assert.equal(node({ nodeLabels: ['ON_DEMAND'] })[0], 'on-demand');
  const nodeAttributeInfo = [attribute('instance-id', 'i-0a'), attribute('market', 'on-demand')];
  assert.deepEqual(node({ nodeAttributesInfo: { nodeAttributeInfo } }), [
    'on-demand',
    'i-0a',
    { 'rm.yarn.io/instance-id': 'i-0a', 'rm.yarn.io/market': 'on-demand' },
  ]);
  assert.deepEqual(node({ nodeLabels: 'x', nodeAttributesInfo: [1] })[2], undefined);
});

test('container ids are read with and without the epoch of a restarted manager', () => {
  assert.deepEqual(parseContainerId('container_e18_1628109047826_1317105_01_000012'), {
    application: 'application_1628109047826_1317105',
    attempt: '1',
    number: 12,
  });
  assert.equal(parseContainerId('container_1_2_02_000001')?.attempt, '2');
  assert.equal(parseContainerId('container_1_2'), undefined);
  assert.equal(attemptId('application_17_0003', '2'), 'appattempt_17_0003_000002');
});

test('whatever an answer holds, decoding gives possible sizes or nothing, and never throws', () => {
  const hostile = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(hostile, hostile, (a, b) => {
      const row = { ...(typeof a === 'object' ? a : {}), id: 'application_1_1', state: 'RUNNING' };
      decodeApplications({ apps: { app: [row, a, b] } });
      decodeAttempts({ appAttempts: { appAttempt: a } });
      decodeNodes({ nodes: { node: a } });
      decodeLoad({ clusterMetrics: a }, NO_RESOURCES);
      const rows = [{ containerId: 'container_1_1_01_000001', allocatedMB: a, allocatedVCores: b }];
      const decoded = decodeContainers({ container: rows }, { at: 1, masterContainer: '' });
      for (const { resources } of decoded?.containers ?? []) {
        assert.ok(
          Object.values(resources).every((part) => Number.isSafeInteger(part) && part >= 0),
        );
      }
    }),
  );
});
