import type {
  ClusterLook,
  LiveApplication,
  PlanInput,
} from '../../services/alerter/enforce/plan/plan-input.ts';
import type { EnforceRules, Policy, Rung } from '../../services/alerter/enforce/plan/policy.ts';
import type { ActionProposal, EnforcementAction } from '../../shared/contracts/action.ts';
import { WORKLOAD_KINDS } from '../../shared/contracts/action.ts';
import type { Alert } from '../../shared/contracts/alert.ts';
import type { NewAction } from '../../shared/stores/enforcement-store.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';

export const NOW = Date.UTC(2026, 10, 22, 10);
export const STARTED = NOW - 2 * HOUR_MS;
export const ETL = 'etl' as ProjectId;

export function aRung(level: Rung['level'], graceMs = 10 * MINUTE_MS): Rung {
  return { level, graceMs, withinMs: 5 * MINUTE_MS, evenIfBusy: false };
}

export function aPolicy(more: Partial<Policy> = {}): Policy {
  return {
    id: 'runaway',
    version: 'v1',
    rules: ['runaway-*'],
    severities: ['critical', 'warning'],
    projects: ['*'],
    clusters: ['*'],
    workloads: WORKLOAD_KINDS,
    ladder: [aRung('graceful-stop'), aRung('kill')],
    periodMs: DAY_MS,
    evidenceMaxAgeMs: 5 * MINUTE_MS,
    minAgeMs: 10 * MINUTE_MS,
    includeStreaming: [],
    extendMs: HOUR_MS,
    extensionsMax: 2,
    announceTo: ['ops'],
    ...more,
  };
}

export function someRules(more: Partial<EnforceRules> = {}): EnforceRules {
  return {
    budget: { perTick: 2, perHour: 5, perProjectHour: 3, percentOfRunning: 100 },
    freeze: { dropPercent: 50, minimumLive: 4, settleMs: 10 * MINUTE_MS },
    protect: { queues: ['system*'], names: ['tollgate*'], users: ['hdfs'], tags: [] },
    production: { keys: ['Environment'], values: ['production'] },
    agreePercent: 10,
    startToleranceMs: 2 * MINUTE_MS,
    lookMaxAgeMs: MINUTE_MS,
    clockToleranceMs: 2_000,
    validMs: HOUR_MS,
    announceMaxMs: HOUR_MS,
    idle: { windowMs: 30 * MINUTE_MS, freshMs: 5 * MINUTE_MS },
    queues: [],
    ...more,
  };
}

export function anApplication(more: Partial<LiveApplication> = {}): LiveApplication {
  return {
    cluster: 'yarn-1',
    id: 'application_1_0001',
    startedAt: STARTED,
    project: ETL,
    workload: 'orders',
    user: 'ada',
    queue: 'root.etl',
    tags: {},
    kind: 'batch',
    exempt: { state: 'none' },
    ...more,
  };
}

export function aLook(more: Partial<ClusterLook> = {}): ClusterLook {
  return {
    cluster: 'yarn-1',
    at: NOW,
    complete: true,
    why: '',
    live: 3,
    abilities: ['kill-application'],
    tellsAdmission: false,
    sight: { outcome: 'unknown', why: 'not asked' },
    ...more,
  };
}

export function firingAlert(more: Partial<Alert> = {}): Alert {
  return {
    id: 'alert-1',
    episode: 1,
    rule: 'runaway-application',
    ruleVersion: 'r1-r1',
    severity: 'critical',
    project: ETL,
    target: {
      kind: 'application',
      cluster: 'yarn-1',
      id: 'application_1_0001',
      startedAt: STARTED,
    },
    labels: {},
    annotations: {},
    state: 'firing',
    verdict: 'breach',
    verdictWhy: '',
    breaches: 3,
    value: 120,
    unit: 'credits',
    limit: 'above 100 credits',
    evidence: [
      {
        what: 'cost so far',
        value: 120,
        unit: 'credits',
        source: 'ledger',
        watermark: NOW - MINUTE_MS,
        complete: true,
      },
    ],
    cost: { perHour: '12', soFar: '120' },
    activeSince: NOW - HOUR_MS,
    firedAt: NOW - HOUR_MS,
    endedAt: undefined,
    clearingSince: undefined,
    missingSince: undefined,
    evaluatedAt: NOW - 10_000,
    ...more,
  };
}

/** All levels of these policies switched on. */
export function allLevels(policies: readonly Policy[]): PlanInput['levels'] {
  return policies.flatMap(({ id, version, ladder }) =>
    ladder.map(({ level }) => ({
      ...{ id: `${id}-${level}`, policy: id, policyVersion: version, level, on: true },
      ...{ by: 'ada', why: 'agreed', at: NOW - DAY_MS },
    })),
  );
}

export function aPlanInput(more: Partial<PlanInput> = {}): PlanInput {
  const policies = more.policies ?? [aPolicy()];
  return {
    now: NOW,
    steadyMs: DAY_MS,
    policies,
    rules: someRules(),
    levels: allLevels(policies),
    alerts: [firingAlert()],
    clusters: [aLook()],
    applications: [anApplication()],
    exemptions: [],
    intents: [],
    actions: [],
    state: { steadyMs: DAY_MS - 10_000, wallMax: NOW - 10_000, references: {} },
    brake: undefined,
    switchedOn: { on: true, why: '' },
    ...more,
  };
}

export function aProposal(more: Partial<ActionProposal> = {}): ActionProposal {
  return {
    policy: 'runaway',
    policyVersion: 'v1',
    level: 'kill',
    alert: 'alert-1',
    episode: 1,
    rule: 'runaway-application',
    ruleVersion: 'r1-r1',
    project: ETL,
    target: {
      ...{ kind: 'application', cluster: 'yarn-1', id: 'application_1_0001' },
      startedAt: STARTED,
    },
    means: 'manager',
    subject: 'application_1_0001',
    graceMs: 10 * MINUTE_MS,
    withinMs: 5 * MINUTE_MS,
    periodMs: DAY_MS,
    announceTo: ['ops'],
    ...more,
  };
}

export function aNewAction(more: Partial<NewAction> = {}): NewAction {
  return {
    ...aProposal(),
    id: 'act-1',
    proposedAt: NOW,
    proposedSteadyMs: 0,
    frozen: '{}',
    ...more,
  };
}

/** Announced 20 minutes ago, with a grace of ten. */
export function anAction(more: Partial<EnforcementAction> = {}): EnforcementAction {
  const { frozen: _, ...proposed } = aNewAction();
  return {
    ...proposed,
    state: 'announced',
    reason: '',
    detail: '',
    version: 2,
    proposedAt: NOW - HOUR_MS,
    announcedAt: NOW - 20 * MINUTE_MS,
    announcedSteadyMs: DAY_MS - 20 * MINUTE_MS,
    extendedMs: 0,
    extensions: 0,
    intendedAt: undefined,
    intendedSteadyMs: undefined,
    queueBefore: '',
    restore: undefined,
    updatedAt: NOW,
    ...more,
  };
}

export const stopFailed: EnforcementAction = anAction({
  ...{ id: 'stopped', level: 'graceful-stop', means: 'stop-order', state: 'failed' },
  ...{ intendedAt: NOW - HOUR_MS, intendedSteadyMs: DAY_MS - HOUR_MS },
});
