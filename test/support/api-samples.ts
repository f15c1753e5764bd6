import { type Charge, chargeId, type PriceEpoch } from '../../shared/contracts/charge.ts';
import type { LoadFact, NodeFact } from '../../shared/contracts/container-fact.ts';
import type { ApplicationState, ContainerState } from '../../shared/stores/ledger-writer.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { NANOCREDITS_PER_CREDIT } from '../../shared/values/money.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { NO_RESOURCES } from '../../shared/values/resources.ts';
import { T0 } from './fact-builders.ts';
import * as ledger from './ledger-builders.ts';

/** The hour before FakeClock's now, in which everything below happens: in project `team-a`. */
export const SAMPLE_HOUR = T0 - HOUR_MS;

const REF = { cluster: 'alpha', application: 'application_1_0001' };
const TEAM_A = 'team-a' as ProjectId;

export const credits = (amount: number): bigint => BigInt(amount) * NANOCREDITS_PER_CREDIT;

export function anApplication(over: Partial<ApplicationState> = {}): ApplicationState {
  return ledger.anApplication({
    ...REF,
    project: TEAM_A,
    tags: {},
    url: '',
    start: SAMPLE_HOUR,
    ...over,
  });
}

/** Has accrued 2 credits and costs 3 an hour. */
export function aContainer(over: Partial<ContainerState> = {}): ContainerState {
  return ledger.aContainer({
    ...REF,
    start: SAMPLE_HOUR,
    end: T0,
    resources: { millicores: 2_500, memoryMib: 4_096, gpus: 1 },
    accrued: credits(2),
    perHour: credits(3),
    chargedUntil: SAMPLE_HOUR,
    nextAt: T0,
    ...over,
  });
}

/** Of 5 credits. */
export function aCharge(over: Partial<Charge> = {}): Charge {
  const { hour = SAMPLE_HOUR, step = 1_000, container = 'c1' } = over;
  return ledger.aCharge({
    ...REF,
    project: TEAM_A,
    id: chargeId({ hour, digest: container, step, revision: 0 }),
    hour,
    amount: credits(5),
    storedAt: hour + HOUR_MS,
    ...over,
  });
}

export function aSettlement(over: Parameters<typeof ledger.aSettlement>[0] = {}) {
  return ledger.aSettlement({ asOf: T0, ...over });
}

export function anEpoch(over: Partial<PriceEpoch> = {}): PriceEpoch {
  return {
    id: `epoch-${over.start ?? SAMPLE_HOUR}`,
    pool: 'main',
    step: 1_150,
    start: SAMPLE_HOUR,
    end: undefined,
    ruleVersion: '1',
    reason: 'load 0.9',
    inputs: '{}',
    ...over,
  };
}

export function aLoad(over: Partial<LoadFact> = {}): LoadFact {
  const at = over.at ?? SAMPLE_HOUR;
  return {
    kind: 'load',
    id: `load-${at}`,
    cluster: 'alpha',
    witness: 'yarn',
    at,
    allocated: { millicores: 3_500, memoryMib: 10_000, gpus: 0 },
    pending: NO_RESOURCES,
    capacity: { millicores: 8_000, memoryMib: 32_000, gpus: 2 },
    ...over,
  };
}

export function aNode(over: Partial<NodeFact> = {}): NodeFact {
  const { node = 'host-1', kind = 'node-started' } = over;
  return {
    kind,
    id: `${kind}-${node}`,
    cluster: 'alpha',
    witness: 'yarn',
    at: SAMPLE_HOUR,
    node,
    capacity: { millicores: 4_000, memoryMib: 16_000, gpus: 1 },
    market: 'unknown',
    ...over,
  };
}
