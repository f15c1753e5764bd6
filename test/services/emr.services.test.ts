import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AddJobFlowStepsCommand,
  DescribeClusterCommand,
  EMRClient,
  RunJobFlowCommand,
  SetTerminationProtectionCommand,
} from '@aws-sdk/client-emr';
import { actConfig } from '../../shared/clusters/act-config.ts';
import { emrConfig } from '../../shared/clusters/cloud-config.ts';
import {
  type ClusterSettings,
  openActuator,
  openCluster,
  openTargetReader,
} from '../../shared/clusters/open-cluster.ts';
import { systemClock } from '../../shared/runtime/clock.ts';
import { startMoto } from './servers/moto.ts';

/** EMR against moto: the SDK's own serialisation, AWS's exceptions and its states. */
const REGION = 'eu-central-1';
const NEVER = new AbortController().signal;
const NONE_OPEN = new Map<string, Set<string>>();
const ACT = actConfig.parse({ may: ['kill-application', 'terminate-cluster'] });

process.env['AWS_ACCESS_KEY_ID'] = 'AKIDTEST';
process.env['AWS_SECRET_ACCESS_KEY'] = 'secret-of-the-test';
let moto: Awaited<ReturnType<typeof startMoto>>;
let client: EMRClient;

before(async () => {
  moto = await startMoto();
  client = new EMRClient({ region: REGION, endpoint: moto.url });
});
after(async () => {
  client?.destroy();
  await moto?.[Symbol.asyncDispose]();
});

async function startCluster(name: string): Promise<string> {
  const group = (InstanceRole: 'MASTER' | 'CORE', Market: 'ON_DEMAND' | 'SPOT', n: number) => ({
    ...{ InstanceRole, Market, InstanceType: 'm5.xlarge', InstanceCount: n },
    ...(Market === 'SPOT' ? { BidPrice: '0.1' } : {}),
  });
  const { JobFlowId = '' } = await client.send(
    new RunJobFlowCommand({
      Name: name,
      ReleaseLabel: 'emr-6.15.0',
      JobFlowRole: 'EMR_EC2_DefaultRole',
      ServiceRole: 'EMR_DefaultRole',
      Instances: {
        InstanceGroups: [group('MASTER', 'ON_DEMAND', 1), group('CORE', 'SPOT', 2)],
        KeepJobFlowAliveWhenNoSteps: true,
      },
      Tags: [{ Key: 'Tenant', Value: 'payments' }],
    }),
  );
  return JobFlowId;
}

function settings(more: { clusterId?: string; clusterName?: string }): ClusterSettings {
  return {
    type: 'emr',
    urls: [],
    emr: emrConfig.parse({ region: REGION, endpoint: moto.url, ...more }),
    readWorkers: true,
    timeoutMs: 20_000,
    maxAnswerBytes: 1_000_000,
    parallelRequests: 2,
  };
}

const terminate = (startedAt: number | undefined) =>
  ({ id: 'a', actuation: 'terminate-cluster', subject: '', startedAt, reason: 'idle' }) as const;

test('clusters of a name are seen with machines, market, size, tags and steps', async () => {
  const id = await startCluster('etl-nightly');
  await startCluster('bi');
  const step = { Name: 'nightly', HadoopJarStep: { Jar: 'command-runner.jar' } };
  await client.send(new AddJobFlowStepsCommand({ JobFlowId: id, Steps: [step] }));
  const reader = openCluster(settings({ clusterName: 'etl-*' }), systemClock);
  const seen = await reader.snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(seen.problems, []);
  assert.equal(seen.listed, true);
  assert.deepEqual(seen.nodes?.map(({ market }) => market).sort(), ['on-demand', 'spot', 'spot']);
  for (const { capacity, instance, tags } of seen.nodes ?? []) {
    assert.deepEqual(capacity, { millicores: 4_000, memoryMib: 16_384, gpus: 0 });
    assert.match(instance ?? '', /^i-/);
    assert.equal(tags?.['Tenant'], 'payments');
    assert.equal(tags?.['emr-cluster'], id);
  }
  assert.deepEqual(
    seen.applications.map(({ name }) => name),
    ['nightly'],
  );
  const sight = await openTargetReader(settings({ clusterId: id }), systemClock).cluster(NEVER);
  assert.ok(sight.outcome === 'seen');
  const { state, market, protected: isProtected, activity } = sight;
  assert.deepEqual([state, market, isProtected], ['running', 'spot', false]);
  assert.ok(activity.some(({ signal, lastAt }) => signal === 'jobs' && lastAt !== undefined));
});

test('a protected cluster is left alone; without protection it is terminated, and seen to be', async () => {
  const id = await startCluster('prod');
  const protect = (TerminationProtected: boolean) =>
    client.send(new SetTerminationProtectionCommand({ JobFlowIds: [id], TerminationProtected }));
  const one = settings({ clusterId: id });
  const targets = openTargetReader(one, systemClock);
  const actuator = openActuator(one, ACT, systemClock);
  await protect(true);
  const before = await targets.cluster(NEVER);
  assert.ok(before.outcome === 'seen' && before.protected);
  assert.equal((await actuator.act(terminate(before.startedAt), NEVER)).outcome, 'refused');
  const { Cluster } = await client.send(new DescribeClusterCommand({ ClusterId: id }));
  assert.equal(Cluster?.TerminationProtected, true, 'nobody switched it off');
  await protect(false);
  const foreign = terminate((before.startedAt ?? 0) + 1);
  assert.equal((await actuator.act(foreign, NEVER)).outcome, 'refused');
  assert.equal((await actuator.act(terminate(before.startedAt), NEVER)).outcome, 'accepted');
  const ended = await targets.cluster(NEVER);
  assert.ok(ended.outcome === 'seen' && ended.state === 'terminated');
  assert.equal(ended.startedAt, before.startedAt, 'the same incarnation');
  const nodes = await openCluster(one, systemClock).snapshot(NONE_OPEN, NEVER);
  assert.deepEqual(nodes.nodes, []);
});

test('a cluster that EMR doesn’t know is absent, and a region that doesn’t answer is unknown', async () => {
  const none = openTargetReader(settings({ clusterId: 'j-0000000000000' }), systemClock);
  assert.equal((await none.cluster(NEVER)).outcome, 'absent');
  const away = settings({ clusterId: 'j-0000000000000' });
  const emr = emrConfig.parse({ ...away.emr, endpoint: 'http://127.0.0.1:1' });
  const reader = openTargetReader({ ...away, emr }, systemClock);
  assert.equal((await reader.cluster(NEVER)).outcome, 'unknown');
});
