import { type Charge, chargeId } from '../../shared/contracts/charge.ts';
import type {
  ApplicationState,
  ContainerState,
  Settlement,
} from '../../shared/stores/ledger-writer.ts';
import type { Hold } from '../../shared/stores/reservation-store.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { SMALL, T0 } from './fact-builders.ts';

export const ETL = 'etl' as ProjectId;
export const ML = 'ml' as ProjectId;

/** Above 2^53, where a JavaScript number would round it. */
export const LARGE = 9_007_199_254_740_993n;

/** A row for container `c1` of application `app-1` in project `etl`. */
export function aCharge(
  more: Partial<Charge> & { readonly revision?: number; readonly digest?: string } = {},
): Charge {
  const { revision = 0, digest = 'd1', ...rest } = more;
  const line = { hour: rest.hour ?? T0, step: rest.step ?? 1_000 };
  return {
    id: chargeId({ ...line, digest, revision }),
    type: 'ORIGINAL',
    kind: 'usage',
    project: ETL,
    cluster: 'yarn-1',
    container: 'c1',
    application: 'app-1',
    role: 'executor',
    ...line,
    quantity: { containerMs: 1n, millicoreMs: 2n, mibMs: LARGE, gpuMs: 0n },
    amount: LARGE,
    rateCard: 'default',
    ruleVersion: 'rating-1',
    coverage: 'exact',
    tags: '{"stage":"prod"}',
    storedAt: T0 + 5,
    booked: undefined,
    ...rest,
  };
}

export function anApplication(more: Partial<ApplicationState> = {}): ApplicationState {
  return {
    cluster: 'yarn-1',
    application: 'app-1',
    project: ETL,
    name: 'nightly',
    user: 'alice',
    queue: 'root',
    attempts: ['1'],
    tags: { stage: 'prod' },
    url: 'http://ui',
    start: T0,
    ended: undefined,
    ...more,
  };
}

/** A running one that has accrued 70. */
export function aContainer(more: Partial<ContainerState> = {}): ContainerState {
  return {
    cluster: 'yarn-1',
    container: 'c1',
    application: 'app-1',
    state: 'running',
    start: T0,
    end: T0 + 100,
    coverage: 'running',
    witnessedUntil: T0 + 100,
    resources: SMALL,
    accrued: 70n,
    perHour: 600n,
    chargedUntil: T0,
    nextAt: T0 + 500,
    ...more,
  };
}

/** A hold of 10 nanocredits and two cores for a minute. */
export function aHold(more: Partial<Hold> = {}): Hold {
  return {
    ...{ project: ETL, id: 'r1', application: 'nightly' },
    resources: { millicores: 2_000, memoryMib: 4_096, gpus: 0, executors: 1 },
    ...{ maxCost: 10n, leaseMs: 60_000, multiplierCap: undefined, quote: undefined },
    ...more,
  };
}

export function aSettlement(parts: Partial<Settlement> = {}): Settlement {
  return {
    shard: 0,
    charges: [],
    containers: [],
    applications: [],
    restate: [],
    read: [],
    cursor: 0,
    asOf: T0 + 200,
    ...parts,
  };
}
