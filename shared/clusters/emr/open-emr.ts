import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Actuation, ClusterActuator, TargetReader } from '../cluster-actuator.ts';
import type { ClusterReader } from '../cluster-reader.ts';
import { isEmrClusterId } from './decode-emr.ts';
import { EmrActuator } from './emr-actuator.ts';
import { EmrSender } from './emr-client.ts';
import { EmrClusterReader } from './emr-cluster-reader.ts';
import { EmrClusters } from './emr-clusters.ts';
import { EmrTargetReader } from './emr-target-reader.ts';

export interface EmrSettings {
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly clusterId: string | undefined;
  readonly clusterName: string | undefined;
  readonly timeoutMs: number;
}

export interface EmrDoors {
  /** @param yarn its ResourceManager, where one can be reached */
  reader(yarn: ClusterReader | undefined): ClusterReader;
  targets(yarn: TargetReader | undefined): TargetReader;
  actuator(abilities: ReadonlySet<Actuation>, yarn: ClusterActuator | undefined): ClusterActuator;
}

/**
 * The three ways to EMR over one sender, which keeps quiet when it is throttled. Credentials come
 * from the SDK's default chain (environment, profile, role). Opens no connection.
 *
 * @throws AppError CONFIG_INVALID
 */
export function openEmr(settings: EmrSettings, clock: Clock): EmrDoors {
  const { region, clusterId, clusterName, timeoutMs } = settings;
  if (region === undefined) {
    throw new AppError('CONFIG_INVALID', 'a cluster of EMR needs its region, such as eu-central-1');
  }
  const isNamed = (clusterId === undefined) !== (clusterName === undefined);
  if (!isNamed || (clusterId !== undefined && !isEmrClusterId(clusterId))) {
    const message = 'a cluster of EMR is named by its id, such as j-3SD91U2E1L2QX, or by its name';
    throw new AppError('CONFIG_INVALID', message);
  }
  const endpoint = settings.endpoint === undefined ? undefined : new URL(settings.endpoint);
  const sender = new EmrSender({ region, endpoint, clock, timeoutMs });
  const clusters = new EmrClusters(sender, { clusterId, clusterName });
  return {
    reader: (yarn) => new EmrClusterReader({ clusters, yarn, clock }),
    targets: (yarn) => new EmrTargetReader({ clusters, yarn, clock }),
    actuator: (abilities, yarn) => new EmrActuator({ sender, clusters, yarn, abilities }),
  };
}
