import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Actuation, ClusterActuator, TargetReader } from '../cluster-actuator.ts';
import type { ClusterReader } from '../cluster-reader.ts';
import { DatabricksActuator } from './databricks-actuator.ts';
import { DatabricksClient } from './databricks-client.ts';
import { DatabricksClusterReader } from './databricks-cluster-reader.ts';
import { DatabricksClusters } from './databricks-clusters.ts';
import { DatabricksTargetReader } from './databricks-target-reader.ts';
import { isClusterId } from './decode-cluster.ts';
import { PolicyPermissions } from './policy-permissions.ts';

export interface DatabricksSettings {
  readonly workspace: URL;
  readonly token: string | undefined;
  readonly clusterId: string | undefined;
  readonly clusterName: string | undefined;
  readonly readRuns: boolean;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
  readonly parallelRequests: number;
}

export interface DatabricksDoors {
  readonly reader: ClusterReader;
  readonly targets: TargetReader;
  actuator(abilities: ReadonlySet<Actuation>, denyPolicies: readonly string[]): ClusterActuator;
}

/**
 * The three ways to a workspace over one client, which waits when it is told to. Opens no connection.
 *
 * @throws AppError CONFIG_INVALID
 */
export function openDatabricks(settings: DatabricksSettings, clock: Clock): DatabricksDoors {
  const { workspace, token, clusterId, clusterName, readRuns, parallelRequests } = settings;
  if (token === undefined) {
    const message = `${workspace.origin} needs a token; write it as \${DATABRICKS_TOKEN}`;
    throw new AppError('CONFIG_INVALID', message);
  }
  if (clusterId !== undefined && (clusterName !== undefined || !isClusterId(clusterId))) {
    const message =
      'a Databricks cluster is named by its id, such as 1234-567890-reef123, or by name';
    throw new AppError('CONFIG_INVALID', message);
  }
  const { timeoutMs, maxAnswerBytes: maxBytes } = settings;
  const client = new DatabricksClient({ workspace, token, clock, timeoutMs, maxBytes });
  const clusters = new DatabricksClusters(client, { clusterId, clusterName });
  const policies = new PolicyPermissions(client, clock);
  return {
    reader: new DatabricksClusterReader({ client, clusters, readRuns, parallelRequests, clock }),
    targets: new DatabricksTargetReader({ clusters, policies, clock }),
    actuator: (abilities, denyPolicies) =>
      new DatabricksActuator({ client, clusters, policies, abilities, denyPolicies }),
  };
}
