import { ACTUATIONS, type ActuatorOrder } from '../../shared/clusters/cluster-actuator.ts';
import {
  type DatabricksSettings,
  openDatabricks,
} from '../../shared/clusters/databricks/open-databricks.ts';
import { DatabricksWorkspace } from './databricks-workspace.ts';
import { FakeClock } from './fake-clock.ts';

export const NEVER = new AbortController().signal;
export const NOW = Date.UTC(2026, 10, 22, 12);
export const STARTED = NOW - 3_600_000;
export const ID = '1122-100000-abcd1234';
/** Beyond 2^53, as runs are numbered. */
export const RUN = '734650698524280123';

export const node = (n: number) => ({
  node_id: `node-${n}`,
  instance_id: `i-${n}`,
  start_timestamp: STARTED + n,
});

export function aCluster(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    cluster_id: ID,
    cluster_name: 'etl',
    state: 'RUNNING',
    cluster_source: 'UI',
    creator_user_name: 'ana@example.com',
    custom_tags: { Tenant: 'payments' },
    node_type_id: 'm5.xlarge',
    num_workers: 2,
    autoscale: { min_workers: 1, max_workers: 4 },
    aws_attributes: { availability: 'SPOT', first_on_demand: 1 },
    start_time: STARTED - 86_400_000,
    last_restarted_time: STARTED,
    last_activity_time: NOW - 600_000,
    driver: node(0),
    executors: [node(1), node(2)],
    ...more,
  };
}

export function aRun(cluster: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    job_id: 11,
    run_name: 'nightly',
    creator_user_name: 'ana@example.com',
    start_time: STARTED,
    end_time: 0,
    state: { life_cycle_state: 'RUNNING', state_message: '' },
    cluster_instance: { cluster_id: cluster },
    ...more,
  };
}

export const POLICY = 'ABCD000000000001';

/** A workspace with one cluster and one run on it, and the ways to it. */
export async function openDatabricksBench(more: Partial<DatabricksSettings> = {}) {
  const workspace = await DatabricksWorkspace.open();
  workspace.nodeTypes = [{ node_type_id: 'm5.xlarge', num_cores: 4, memory_mb: 16_384 }];
  workspace.add(aCluster());
  workspace.runs.set(RUN, aRun(ID));
  const clock = new FakeClock(NOW);
  const settings: DatabricksSettings = {
    workspace: new URL(workspace.url),
    token: workspace.token,
    clusterId: ID,
    clusterName: undefined,
    readRuns: true,
    timeoutMs: 1_000,
    maxAnswerBytes: 1_000_000,
    parallelRequests: 2,
    ...more,
  };
  const doors = openDatabricks(settings, clock);
  const { reader, targets, actuator: openActuator } = doors;
  const actuator = openActuator(new Set(ACTUATIONS), [POLICY]);
  return { workspace, clock, reader, targets, actuator, openActuator };
}

export const order = (more: Partial<ActuatorOrder>): ActuatorOrder => ({
  id: 'action-1',
  actuation: 'kill-application',
  subject: '',
  startedAt: STARTED,
  reason: 'over its quota',
  ...more,
});
export const fault = (path: string, more: object) => ({ path, times: 1, ...more });
