import {
  type ContainerFact,
  type ContainerRole,
  isInferredStop,
  type Witness,
} from '../contracts/container-fact.ts';
import type { ResourceInterval } from '../rating/rate-interval.ts';
import { DAY_MS, type Instant } from '../values/instant.ts';
import { equalResources, isResources, NO_RESOURCES, type Resources } from '../values/resources.ts';
import { type OneClock, oneClock } from './one-clock.ts';
import { type WitnessDisagreement, witnessDisagreements } from './witness-disagreement.ts';
import { DEFAULT_WITNESS_RULE, mostTrusted, type WitnessRule } from './witness-trust.ts';

/** Why a fact or a container is journaled and not charged. */
export type Anomaly =
  | 'stop-without-start'
  | 'stop-before-start'
  | 'start-after-stop'
  | 'resize-without-start'
  | 'implausible-resources'
  | 'implausible-life'
  | 'witnesses-disagree';

/** What a container was, as its facts tell. */
export interface ContainerLife {
  readonly application: string;
  readonly attempt: string;
  readonly role: ContainerRole;
  readonly start: Instant;
  /** Of an open one: its last evidence. */
  readonly end: Instant;
  /** Up to here it was seen, or is known to have stopped; after it the end is inferred. */
  readonly witnessedUntil: Instant;
  /** `open`: no stop is known, and it has been heard of within the lease. */
  readonly coverage: 'exact' | 'inferred' | 'open';
  /** Joined without gap from start to end; empty when nothing may be charged. */
  readonly intervals: readonly ResourceInterval[];
}

export interface ContainerTold {
  /** Undefined without a start. */
  readonly life: ContainerLife | undefined;
  readonly anomalies: readonly ToldAnomaly[];
}

export interface ToldAnomaly {
  readonly anomaly: Anomaly;
  /** The fact that shows it. */
  readonly factId: string;
  readonly at: Instant;
  /** Of witnesses that disagree. */
  readonly disagreement?: WitnessDisagreement;
}

export interface ContainerWitnessed {
  /** Of one container; any order, repeats allowed. */
  readonly facts: readonly ContainerFact[];
  /** Alive at this instant, from sources that give no fact. */
  readonly evidence: Instant | undefined;
  /** When the last of it was stored. */
  readonly learnedAt: Instant;
  /** End of an attempt of its application, or of the whole, by this witness rather than another. */
  readonly applicationEnd: (attempt: string, witness: Witness) => Instant | undefined;
}

/**
 * A single container larger or older than this is an error or an attack: its charges would fill the
 * ledger. 10,000 cores, 95 TiB, 10,000 GPUs, five years.
 */
const CONTAINER_MAX: Resources = { millicores: 10_000_000, memoryMib: 100_000_000, gpus: 10_000 };
const LIFE_MAX_MS = 5 * 366 * DAY_MS;

function isPlausible(resources: Resources): boolean {
  return (
    isResources(resources) &&
    resources.millicores <= CONTAINER_MAX.millicores &&
    resources.memoryMib <= CONTAINER_MAX.memoryMib &&
    resources.gpus <= CONTAINER_MAX.gpus
  );
}

/** By time, ties by id, each fact once: from here on the order of arrival is gone. */
function inOrder(facts: readonly ContainerFact[]): ContainerFact[] {
  const byId = new Map(facts.map((fact) => [fact.id, fact]));
  return [...byId.values()].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

/**
 * Reads a container's life out of its facts. A pure function of their set: order and repeats
 * change nothing.
 *
 * - start: the earliest start, since a container is held from its allocation on; not one further
 *   than the tolerance before that of the witness by whose clock it is measured (oneClock)
 * - end: the earliest stop seen after the start, by the same clock where there is one; else a
 *   stop that a witness concluded, unless it was seen alive later (`inferred`); else the end of its
 *   application (`inferred`, and not before the last evidence); else, after a lease without
 *   news, the last evidence (`inferred`)
 * - resources: starts and resizes of the most trusted witness that told of a resize, or else of a
 *   start; unknown (all zero) vectors are passed over
 */
export function containerLife(
  witnessed: ContainerWitnessed,
  now: Instant,
  leaseMs: number,
  rule: WitnessRule = DEFAULT_WITNESS_RULE,
): ContainerTold {
  const facts = inOrder(witnessed.facts);
  const first = facts.find((fact) => fact.kind === 'container-started');
  const clock = oneClock(facts, rule);
  if (first === undefined || clock === undefined) {
    return { life: undefined, anomalies: withoutStart(facts) };
  }
  const { start } = clock;
  const ending = endOf(clock, facts, { witnessed, attempt: first.attempt, now, leaseMs });
  const life = {
    application: first.application,
    attempt: first.attempt,
    role: first.role,
    start,
    ...ending,
  };
  const anomalies = [...lifeAnomalies(facts, life), ...disagreementsOf(facts, rule)];
  const timeline = resourceTimeline(facts, rule);
  const implausible = implausibility(timeline, life);
  if (implausible !== undefined) {
    return {
      life: {
        ...life,
        end: start,
        witnessedUntil: start,
        coverage: 'exact',
        intervals: [],
      },
      anomalies: [...anomalies, { anomaly: implausible, factId: first.id, at: first.at }],
    };
  }
  return { life: { ...life, intervals: cutByResources(life, timeline) }, anomalies };
}

function withoutStart(facts: readonly ContainerFact[]): ContainerTold['anomalies'] {
  return facts.map(({ id, kind, at }) => ({
    anomaly: kind === 'container-stopped' ? 'stop-without-start' : 'resize-without-start',
    factId: id,
    at,
  }));
}

interface Ending {
  readonly witnessed: ContainerWitnessed;
  readonly attempt: string;
  readonly now: Instant;
  readonly leaseMs: number;
}

function endOf(
  { start, witness, stop }: OneClock,
  facts: readonly ContainerFact[],
  { witnessed, attempt, now, leaseMs }: Ending,
): Pick<ContainerLife, 'end' | 'witnessedUntil' | 'coverage'> {
  if (stop !== undefined) {
    return { end: stop.at, witnessedUntil: stop.at, coverage: 'exact' };
  }
  // Only stops before its start: it is over, and when is not known. Nothing is charged for it.
  if (facts.some((fact) => fact.kind === 'container-stopped' && !isInferredStop(fact))) {
    return { end: start, witnessedUntil: start, coverage: 'exact' };
  }
  const last = Math.max(start, witnessed.evidence ?? start, ...facts.map(({ at }) => at));
  // Seen at a time that is still to come, by a clock that is ahead: it can't be over yet.
  if (last > now) return openUntil(Math.max(start, now));
  // Seen alive after a concluded end, it goes on.
  if (facts.some((fact) => isInferredStop(fact) && fact.at === last)) {
    return { end: last, witnessedUntil: last, coverage: 'inferred' };
  }
  const applicationEnd = witnessed.applicationEnd(attempt, witness);
  if (applicationEnd !== undefined && applicationEnd > start) {
    return { end: Math.max(applicationEnd, last), witnessedUntil: last, coverage: 'inferred' };
  }
  const silentSince = Math.max(last, witnessed.learnedAt);
  if (now < silentSince + leaseMs) return openUntil(last);
  return { end: last, witnessedUntil: last, coverage: 'inferred' };
}

function openUntil(end: Instant): Pick<ContainerLife, 'end' | 'witnessedUntil' | 'coverage'> {
  return { end, witnessedUntil: end, coverage: 'open' };
}

/** A witness is held against its own clock where it told both, else against the life. */
function lifeAnomalies(
  facts: readonly ContainerFact[],
  { start, end, coverage }: Pick<ContainerLife, 'start' | 'end' | 'coverage'>,
): ToldAnomaly[] {
  const first = (kind: ContainerFact['kind'], witness: Witness): ContainerFact | undefined =>
    facts.find((one) => one.kind === kind && one.witness === witness && !isInferredStop(one));
  return facts.flatMap(({ id, kind, at, witness }): ToldAnomaly[] => {
    const own = first('container-started', witness)?.at ?? start;
    if (kind === 'container-stopped' && at <= own) {
      return [{ anomaly: 'stop-before-start', factId: id, at }];
    }
    const over = first('container-stopped', witness)?.at ?? end;
    if (kind === 'container-started' && coverage === 'exact' && at > over && over > own) {
      return [{ anomaly: 'start-after-stop', factId: id, at }];
    }
    return [];
  });
}

/** With the fact of the least trusted one. */
function disagreementsOf(facts: readonly ContainerFact[], rule: WitnessRule): ToldAnomaly[] {
  return witnessDisagreements(facts, rule).flatMap((disagreement) => {
    const last = disagreement.told.at(-1);
    if (last === undefined) return [];
    return [{ anomaly: 'witnesses-disagree', factId: last.factId, at: last.at, disagreement }];
  });
}

/** Starts and resizes that tell what it held, in order of time. */
function resourceTimeline(
  facts: readonly ContainerFact[],
  { trust }: WitnessRule,
): ContainerFact[] {
  const known = facts.filter(
    ({ kind, resources }) =>
      kind !== 'container-stopped' && !equalResources(resources, NO_RESOURCES),
  );
  const resized = new Set(
    known.filter(({ kind }) => kind === 'container-resized').map(({ witness }) => witness),
  );
  const candidates =
    resized.size === 0 ? known : known.filter(({ witness }) => resized.has(witness));
  return mostTrusted(candidates, trust);
}

function implausibility(
  timeline: readonly ContainerFact[],
  { start, end }: { readonly start: Instant; readonly end: Instant },
): Anomaly | undefined {
  if (timeline.some(({ resources }) => !isPlausible(resources))) return 'implausible-resources';
  return start < 0 || end - start > LIFE_MAX_MS ? 'implausible-life' : undefined;
}

/** The first vector known holds from the start; each later one from its own time. */
function cutByResources(
  { start, end }: { readonly start: Instant; readonly end: Instant },
  timeline: readonly ContainerFact[],
): ResourceInterval[] {
  const intervals: ResourceInterval[] = [];
  let from = start;
  let resources = timeline[0]?.resources ?? NO_RESOURCES;
  for (const fact of timeline) {
    const at = Math.min(Math.max(fact.at, from), end);
    if (equalResources(fact.resources, resources)) continue;
    if (at > from) intervals.push({ start: from, end: at, resources });
    from = at;
    resources = fact.resources;
  }
  if (end > from) intervals.push({ start: from, end, resources });
  return intervals;
}
