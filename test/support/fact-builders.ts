import type {
  ApplicationFact,
  ContainerFact,
  LoadFact,
} from '../../shared/contracts/container-fact.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

export const T0 = Date.UTC(2026, 10, 21, 9);

/** Two cores and four GiB. */
export const SMALL = { millicores: 2_000, memoryMib: 4_096, gpus: 0 };

/** A fact of container `c1` of application `app-1`; what isn't said has a plain value. */
export function containerFact(
  kind: ContainerFact['kind'],
  at: number,
  more: Partial<ContainerFact> = {},
): ContainerFact {
  const container = more.container ?? 'c1';
  const witness = more.witness ?? 'event-log';
  return {
    kind,
    id: `${witness}/${container}/${kind}/${at}`,
    cluster: 'yarn-1',
    witness,
    at,
    container,
    application: 'app-1',
    attempt: '1',
    role: 'executor',
    resources: SMALL,
    host: 'node-1',
    reason: '',
    ...more,
  };
}

export function applicationFact(
  kind: ApplicationFact['kind'],
  at: number,
  more: Partial<ApplicationFact> = {},
): ApplicationFact {
  const application = more.application ?? 'app-1';
  const witness = more.witness ?? 'event-log';
  return {
    kind,
    id: `${witness}/${application}/${kind}/${at}`,
    cluster: 'yarn-1',
    witness,
    at,
    application,
    attempt: '1',
    name: 'nightly etl',
    user: 'alice',
    queue: 'root.etl',
    project: 'etl' as ProjectId,
    rule: 1,
    tags: { stage: 'prod' },
    url: '',
    ...more,
  };
}

/** Cluster of 100 cores of which a share is used; memory is not the bottleneck. */
export function loadFact(at: number, share: number, more: Partial<LoadFact> = {}): LoadFact {
  const cluster = more.cluster ?? 'yarn-1';
  return {
    kind: 'load',
    id: `load/${cluster}/${at}`,
    cluster,
    witness: 'yarn',
    at,
    allocated: { millicores: Math.round(share * 100_000), memoryMib: 0, gpus: 0 },
    pending: { millicores: 0, memoryMib: 0, gpus: 0 },
    capacity: { millicores: 100_000, memoryMib: 400_000, gpus: 0 },
    ...more,
  };
}
