import {
  type ContainerFact,
  type ContainerRole,
  isInferredStop,
} from '../contracts/container-fact.ts';
import type { ResourceInterval } from '../rating/rate-interval.ts';
import { DAY_MS, type Instant } from '../values/instant.ts';
import { equalResources, isResources, NO_RESOURCES, type Resources } from '../values/resources.ts';
import { mostTrusted } from './witness-trust.ts';

/** Why a fact or a container is journaled and not charged. */
export type Anomaly =
  | 'stop-without-start'
  | 'stop-before-start'
  | 'start-after-stop'
  | 'resize-without-start'
  | 'implausible-resources'
  | 'implausible-life';

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
  /** With the fact that shows it; each fact at most once. */
  readonly anomalies: readonly { readonly anomaly: Anomaly; readonly factId: string }[];
}

export interface ContainerWitnessed {
  /** Of one container; any order, repeats allowed. */
  readonly facts: readonly ContainerFact[];
  /** Alive at this instant, from sources that give no fact. */
  readonly evidence: Instant | undefined;
  /** When the last of it was stored. */
  readonly learnedAt: Instant;
  /** End of an attempt of its application, or of the whole, if that is known. */
  readonly applicationEnd: (attempt: string) => Instant | undefined;
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
 * - start: the earliest start of any witness, since a container is held from its allocation on
 * - end: the earliest stop seen after the start, of the most trusted witness that has one; else a
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
): ContainerTold {
  const facts = inOrder(witnessed.facts);
  const first = facts.find((fact) => fact.kind === 'container-started');
  if (first === undefined) return { life: undefined, anomalies: withoutStart(facts) };
  const ending = endOf(first, facts, { witnessed, now, leaseMs });
  const life = {
    application: first.application,
    attempt: first.attempt,
    role: first.role,
    start: first.at,
    ...ending,
  };
  const anomalies = lifeAnomalies(facts, first, life);
  const timeline = resourceTimeline(facts);
  const implausible = implausibility(timeline, life);
  if (implausible !== undefined) {
    return {
      life: {
        ...life,
        end: first.at,
        witnessedUntil: first.at,
        coverage: 'exact',
        intervals: [],
      },
      anomalies: [...anomalies, { anomaly: implausible, factId: first.id }],
    };
  }
  return { life: { ...life, intervals: cutByResources(life, timeline) }, anomalies };
}

function withoutStart(facts: readonly ContainerFact[]): ContainerTold['anomalies'] {
  return facts.map(({ id, kind }) => ({
    anomaly: kind === 'container-stopped' ? 'stop-without-start' : 'resize-without-start',
    factId: id,
  }));
}

interface Ending {
  readonly witnessed: ContainerWitnessed;
  readonly now: Instant;
  readonly leaseMs: number;
}

function endOf(
  first: ContainerFact,
  facts: readonly ContainerFact[],
  { witnessed, now, leaseMs }: Ending,
): Pick<ContainerLife, 'end' | 'witnessedUntil' | 'coverage'> {
  const stops = facts.filter((fact) => fact.kind === 'container-stopped' && !isInferredStop(fact));
  const stop = mostTrusted(stops.filter((fact) => fact.at > first.at))[0];
  if (stop !== undefined) {
    return { end: stop.at, witnessedUntil: stop.at, coverage: 'exact' };
  }
  // Only stops before its start: it is over, and when is not known. Nothing is charged for it.
  if (stops.length > 0) {
    return { end: first.at, witnessedUntil: first.at, coverage: 'exact' };
  }
  const last = Math.max(first.at, witnessed.evidence ?? first.at, ...facts.map(({ at }) => at));
  // Seen at a time that is still to come, by a clock that is ahead: it can't be over yet.
  if (last > now) return openUntil(Math.max(first.at, now));
  // Seen alive after a concluded end, it goes on.
  if (facts.some((fact) => isInferredStop(fact) && fact.at === last)) {
    return { end: last, witnessedUntil: last, coverage: 'inferred' };
  }
  const applicationEnd = witnessed.applicationEnd(first.attempt);
  if (applicationEnd !== undefined && applicationEnd > first.at) {
    return { end: Math.max(applicationEnd, last), witnessedUntil: last, coverage: 'inferred' };
  }
  const silentSince = Math.max(last, witnessed.learnedAt);
  if (now < silentSince + leaseMs) return openUntil(last);
  return { end: last, witnessedUntil: last, coverage: 'inferred' };
}

function openUntil(end: Instant): Pick<ContainerLife, 'end' | 'witnessedUntil' | 'coverage'> {
  return { end, witnessedUntil: end, coverage: 'open' };
}

function lifeAnomalies(
  facts: readonly ContainerFact[],
  first: ContainerFact,
  { end, coverage }: Pick<ContainerLife, 'end' | 'coverage'>,
): { anomaly: Anomaly; factId: string }[] {
  return facts.flatMap(({ id, kind, at }): { anomaly: Anomaly; factId: string }[] => {
    if (kind === 'container-stopped' && at <= first.at) {
      return [{ anomaly: 'stop-before-start', factId: id }];
    }
    if (kind === 'container-started' && coverage === 'exact' && at > end) {
      return [{ anomaly: 'start-after-stop', factId: id }];
    }
    return [];
  });
}

/** Starts and resizes that tell what it held, in order of time. */
function resourceTimeline(facts: readonly ContainerFact[]): ContainerFact[] {
  const known = facts.filter(
    ({ kind, resources }) =>
      kind !== 'container-stopped' && !equalResources(resources, NO_RESOURCES),
  );
  const resized = new Set(
    known.filter(({ kind }) => kind === 'container-resized').map(({ witness }) => witness),
  );
  const candidates =
    resized.size === 0 ? known : known.filter(({ witness }) => resized.has(witness));
  return mostTrusted(candidates);
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
