import { type ContainerFact, isInferredStop } from '../contracts/container-fact.ts';
import { formatInstant, type Instant } from '../values/instant.ts';
import { equalResources, NO_RESOURCES, type Resources } from '../values/resources.ts';
import {
  type ContainerLife,
  type ContainerTold,
  type ContainerWitnessed,
  containerLife,
} from './container-life.ts';
import { DEFAULT_WITNESS_RULE, mostTrusted, type WitnessRule } from './witness-trust.ts';

export type Decided = 'start' | 'end' | 'resources';

/** A fact of a container, and what became of it in the reading of its life. */
export interface FactVerdict {
  readonly fact: ContainerFact;
  /** What it decided; empty for a fact that was passed over. */
  readonly decides: readonly Decided[];
  /** One sentence. */
  readonly why: string;
}

export interface ExplainedFacts {
  readonly told: ContainerTold;
  /** In order of time. */
  readonly facts: readonly FactVerdict[];
  /** Why it ends where it does, in one sentence; '' without a start. */
  readonly end: string;
}

/** Reading the life without each fact takes time with the square of their number. */
const WITHOUT_MAX = 60;

type Relive = (facts: readonly ContainerFact[]) => ContainerLife | undefined;

/** Sizes and where they change inside the life: neither its start nor its end. */
function sizesOf(life: ContainerLife): string {
  return JSON.stringify(
    life.intervals.map(({ resources, start }, index) => [resources, index === 0 ? 0 : start]),
  );
}

/** What changes when a fact is taken away: that is what it decided, whatever the rule is. */
function decidedBy(life: ContainerLife, without: ContainerLife | undefined): Set<Decided> {
  if (without === undefined) return new Set(['start', 'resources']);
  const decided = new Set<Decided>();
  if (without.start !== life.start) decided.add('start');
  if (without.end !== life.end || without.coverage !== life.coverage) decided.add('end');
  if (sizesOf(without) !== sizesOf(life)) decided.add('resources');
  return decided;
}

function sizesByStart({ intervals }: ContainerLife): Map<Instant, Resources> {
  return new Map(intervals.map(({ start, resources }) => [start, resources]));
}

/** Where an interval begins with what a fact tells, at its time. */
function sizeDecidedBy(
  { kind, at, resources }: ContainerFact,
  sizes: ReadonlyMap<Instant, Resources>,
): Set<Decided> {
  const size = kind === 'container-stopped' ? undefined : sizes.get(at);
  return new Set(size !== undefined && equalResources(size, resources) ? ['resources'] : []);
}

/** `anomaly stop-before-start: `, or nothing. */
function namesOf(anomalies: ContainerTold['anomalies'] = []): string {
  if (anomalies.length === 0) return '';
  return `anomaly ${anomalies.map(({ anomaly }) => anomaly).join(', ')}: `;
}

/** Of two facts that say the same neither is missed alone: both are what was believed. */
function saysSame(fact: ContainerFact, life: ContainerLife): Decided | undefined {
  if (fact.kind === 'container-started' && fact.at === life.start) return 'start';
  const ends = fact.kind === 'container-stopped' && fact.at === life.end && life.end > life.start;
  return ends && life.coverage !== 'open' ? 'end' : undefined;
}

const apart = (a: Instant, b: Instant): string => `${Math.abs(a - b) / 1_000} s apart`;

function whyDecides(
  fact: ContainerFact,
  life: ContainerLife,
  decides: ReadonlySet<Decided>,
  stops: readonly ContainerFact[],
): string {
  const reasons: string[] = [];
  if (decides.has('start')) reasons.push('the earliest start of any witness');
  if (decides.has('end') && fact.kind === 'container-stopped' && fact.at <= life.start) {
    reasons.push('before its start: it is over, and has no length');
  } else if (decides.has('end')) {
    const witnesses = new Set(stops.map(({ witness }) => witness));
    if (isInferredStop(fact)) reasons.push('concluded, since no stop was seen');
    else if (fact.kind !== 'container-stopped') reasons.push('the last that was heard of it');
    else if (witnesses.size > 1) {
      reasons.push(`of ${[...witnesses].join(', ')}, ${fact.witness} is trusted most`);
    } else reasons.push('the earliest stop after its start');
  }
  if (decides.has('resources')) reasons.push('its size from here on');
  return reasons.join('; ');
}

function whyPassed(
  fact: ContainerFact,
  life: ContainerLife,
  believed: readonly ContainerFact[],
  { trust }: WitnessRule,
): string {
  const rival = believed.find(({ kind }) => (kind === fact.kind ? true : undefined));
  if (fact.kind === 'container-started') {
    const distance = apart(fact.at, life.start);
    return fact.at < life.start
      ? `by a clock that is further off than the tolerance (${distance})`
      : `later than the earliest start (${distance})`;
  }
  if (fact.kind === 'container-resized' && equalResources(fact.resources, NO_RESOURCES)) {
    return 'tells no size';
  }
  if (fact.kind === 'container-stopped' && fact.at <= life.start) return 'before its start';
  if (isInferredStop(fact)) {
    return life.coverage === 'exact'
      ? 'concluded; a stop that was seen goes before it'
      : 'concluded, and not the last word';
  }
  if (rival === undefined) return 'changes nothing';
  const [first] = mostTrusted([fact, rival], trust);
  const distance = apart(fact.at, rival.at);
  if (rival.witness === fact.witness)
    return `${rival.witness} told of an earlier one (${distance})`;
  return first === rival
    ? `${rival.witness} is trusted more (${distance})`
    : `by a clock that is further off than the tolerance: ${rival.witness} told both ends (${distance})`;
}

function whyEnd(
  life: ContainerLife,
  facts: readonly FactVerdict[],
  withoutApplication: ContainerLife | undefined,
): string {
  const end = formatInstant(life.end);
  if (life.coverage === 'open') return `still open: charged as far as it was seen, to ${end}`;
  const stop = facts.find(({ decides }) => decides.includes('end'));
  if (stop?.fact.kind === 'container-stopped' && stop.fact.at > life.start) {
    const what = isInferredStop(stop.fact) ? 'concluded' : 'seen';
    return `its stop was ${what} by ${stop.fact.witness}`;
  }
  if (life.coverage === 'exact') return 'it stopped before it started: it has no length';
  if (withoutApplication?.end !== life.end || withoutApplication.coverage !== life.coverage) {
    return 'no stop was seen: closed where its application ended';
  }
  return 'no stop was seen: closed at its last evidence, after the lease without news';
}

/**
 * Which facts a container's life was read out of, and why the others were passed over. It asks the
 * reading itself, with and without each fact, so that it can't tell another rule than the one that
 * charges.
 */
export function explainFacts(
  witnessed: ContainerWitnessed,
  now: Instant,
  leaseMs: number,
  rule: WitnessRule = DEFAULT_WITNESS_RULE,
): ExplainedFacts {
  const told = containerLife(witnessed, now, leaseMs, rule);
  const facts = witnessed.facts.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const { life } = told;
  const anomalies = Map.groupBy(told.anomalies, ({ factId }) => factId);
  if (life === undefined) {
    const verdict = (fact: ContainerFact): FactVerdict => {
      return { fact, decides: [], why: `${namesOf(anomalies.get(fact.id))}nothing is charged` };
    };
    return { told, facts: facts.map(verdict), end: '' };
  }
  const relive: Relive = (some) =>
    containerLife({ ...witnessed, facts: some }, now, leaseMs, rule).life;
  const sizes = sizesByStart(life);
  const decided = facts.map((fact): ReadonlySet<Decided> => {
    const decides =
      facts.length <= WITHOUT_MAX
        ? decidedBy(life, relive(facts.filter(({ id }) => id !== fact.id)))
        : sizeDecidedBy(fact, sizes);
    const same = saysSame(fact, life);
    return same === undefined ? decides : decides.add(same);
  });
  const believed = facts.filter((_, index) => (decided[index]?.size ?? 0) > 0);
  const stops = facts.filter((fact) => fact.kind === 'container-stopped' && !isInferredStop(fact));
  const verdicts = facts.map((fact, index): FactVerdict => {
    const decides = decided[index] ?? new Set();
    const reason =
      decides.size > 0
        ? whyDecides(fact, life, decides, stops)
        : whyPassed(fact, life, believed, rule);
    const why = `${namesOf(anomalies.get(fact.id))}${reason}`;
    return { fact, decides: [...decides], why };
  });
  const unended = { ...witnessed, applicationEnd: () => undefined };
  const alone = containerLife(unended, now, leaseMs, rule);
  return { told, facts: verdicts, end: whyEnd(life, verdicts, alone.life) };
}
