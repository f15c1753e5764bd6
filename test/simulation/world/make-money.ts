import { HOUR_MS, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import { SPAN_MS, type World, type WorldContainer } from './make-world.ts';
import type { SeededRandom } from './seeded-random.ts';
import { trueAmounts } from './true-amounts.ts';
import { hourOf, type TrueGrant } from './true-grants.ts';

/**
 * How a project's credits are watched. `unlimited`: never granted any. `guarded`: nothing runs
 * without a hold of the most that it can cost, kept until all is known, so that its balance never
 * goes below its line. `loose`: holds are estimates, and credits expire and are taken back.
 */
export type Watch = 'unlimited' | 'guarded' | 'loose';

export interface WorldGrant extends Omit<TrueGrant, 'givenAt'> {
  readonly project: ProjectId;
  readonly knownAt: Instant;
}

/** Credits that a client holds, and what becomes of it. */
export interface WorldHold {
  readonly id: string;
  readonly project: ProjectId;
  /** What runs under it; undefined for work that never starts. */
  readonly application: string | undefined;
  readonly maxCost: bigint;
  readonly at: Instant;
  readonly leaseMs: number;
  /** When its client ends it, and how; one that dies never does, nor renews it. */
  readonly end: { readonly at: Instant; readonly how: 'post' | 'void' } | undefined;
}

/** Who has credits, and what is held of them. */
export interface Money {
  readonly creditLine: bigint;
  readonly watches: ReadonlyMap<ProjectId, Watch>;
  readonly grants: readonly WorldGrant[];
  readonly holds: readonly WorldHold[];
}

type Rates = Parameters<typeof trueAmounts>[2];

/** Clocks may disagree by five minutes, and witnesses tell a little late. */
const DOUBT_MS = 6 * MINUTE_MS;
/** Of work that its client watches to the end: longer than any world. */
const WHOLE_LEASE_MS = 24 * HOUR_MS;
const FOR_EVER = Number.POSITIVE_INFINITY;

/** No belief on the way to the truth is dearer: largest size, highest price, longest life. */
function mostCost({ life }: WorldContainer, { steps }: World, card: Rates): bigint {
  const largest = (of: 'millicores' | 'memoryMib' | 'gpus'): number =>
    Math.max(...life.sizes.map(({ resources }) => resources[of]));
  const [start, end] = [life.start - DOUBT_MS, life.end + DOUBT_MS];
  const resources = {
    ...{ millicores: largest('millicores'), memoryMib: largest('memoryMib') },
    gpus: largest('gpus'),
  };
  const step = Math.max(1_000, ...steps.map((one) => one.step));
  const sizes = [{ from: start, resources }];
  const amounts = trueAmounts({ start, end, sizes }, [{ start, step }], card);
  // Each line of it may have been rounded up.
  return [...amounts.values()].reduce((sum, amount) => sum + amount, 1_000n);
}

const share = (amount: bigint, percent: number): bigint => (amount * BigInt(percent)) / 100n;

function looseTerms(random: SeededRandom, start: Instant): Omit<WorldGrant, 'project' | 'id'> {
  const knownAt = start + random.int(-60, SPAN_MS / MINUTE_MS) * MINUTE_MS;
  const priority = random.int(0, 2);
  const amount = 0n;
  if (random.chance(0.3)) {
    const date = new Date(start);
    const from = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
    const until = random.chance(0.2) ? Date.UTC(2026, 11) : FOR_EVER;
    return { knownAt, priority, amount, from, until, monthly: { min: 0n, max: 0n } };
  }
  const from = hourOf(knownAt) + random.int(-1, 3) * HOUR_MS;
  const until = random.chance(0.6) ? from + random.int(1, 8) * HOUR_MS : FOR_EVER;
  return { knownAt, priority, amount, from, until, monthly: undefined };
}

function looseGrants(
  random: SeededRandom,
  of: { readonly project: ProjectId; readonly start: Instant; readonly cost: bigint },
): WorldGrant[] {
  const { project, start, cost } = of;
  return Array.from({ length: random.int(1, 4) }, (_, index) => {
    const id = `${project}-${index}`;
    const terms = { ...looseTerms(random, start), project, id };
    if (terms.monthly !== undefined) {
      const min = random.chance(0.5) ? 0n : share(cost, random.int(0, 30));
      const monthly = { min, max: min + share(cost, random.int(0, 60)) };
      return { ...terms, amount: share(cost, random.int(5, 60)), monthly };
    }
    const isTaken = index > 0 && random.chance(0.2);
    if (isTaken) return { ...terms, amount: -share(cost, random.int(1, 30)), until: FOR_EVER };
    return { ...terms, amount: share(cost, random.int(0, 80)) };
  });
}

function guardedGrants(
  random: SeededRandom,
  of: { readonly project: ProjectId; readonly start: Instant; readonly cost: bigint },
): WorldGrant[] {
  const { project, start, cost } = of;
  return Array.from({ length: random.int(1, 2) }, (_, index) => {
    const knownAt = index === 0 ? start : start + random.int(0, SPAN_MS);
    return {
      ...{ id: `${project}-${index}`, project, knownAt, monthly: undefined },
      ...{ priority: random.int(0, 2), from: hourOf(knownAt), until: FOR_EVER },
      amount: share(cost, random.int(20, 130)),
    };
  });
}

/** A client that asks for credits and never starts anything: it ends its hold, or dies. */
function idleHold(
  random: SeededRandom,
  of: { readonly id: string; readonly project: ProjectId; readonly start: Instant },
  cost: bigint,
): WorldHold {
  const at = of.start + random.int(0, SPAN_MS);
  const leaseMs = random.int(5, 300) * MINUTE_MS;
  const end = { at: at + random.int(0, 2 * leaseMs), how: random.pick(['post', 'void'] as const) };
  return {
    ...{ id: of.id, project: of.project, application: undefined, at, leaseMs },
    maxCost: share(cost, random.int(0, 70)),
    end: random.chance(0.4) ? undefined : end,
  };
}

/** Credits, holds and clients for what runs in a world; of one seed always the same. */
export function makeMoney(random: SeededRandom, world: World, card: Rates): Money {
  const { start, applications, containers } = world;
  const watches = new Map<ProjectId, Watch>();
  const grants: WorldGrant[] = [];
  const holds: WorldHold[] = [];
  const costOf = (application: string): bigint =>
    containers
      .filter((one) => one.application === application)
      .reduce((sum, one) => sum + mostCost(one, world, card), 0n);
  for (const [project, own] of Map.groupBy(applications, (one) => one.project)) {
    const watch = random.pick(['unlimited', 'guarded', 'guarded', 'loose', 'loose'] as const);
    watches.set(project, watch);
    const cost = own.reduce((sum, { application }) => sum + costOf(application), 0n);
    const of = { project, start, cost };
    if (watch === 'guarded') grants.push(...guardedGrants(random, of));
    if (watch === 'loose') grants.push(...looseGrants(random, of));
    for (const { application } of own) {
      if (watch !== 'guarded' && random.chance(0.4)) continue;
      const percent = watch === 'guarded' ? 100 : random.int(5, 120);
      const maxCost = share(costOf(application), percent);
      const end = { at: FOR_EVER, how: 'post' as const };
      const id = `hold-${application}`;
      holds.push({ id, project, application, maxCost, at: start, leaseMs: WHOLE_LEASE_MS, end });
    }
    for (let index = 0; index < random.int(0, 3); index += 1) {
      holds.push(idleHold(random, { id: `idle-${project}-${index}`, project, start }, cost));
    }
  }
  const creditLine = random.chance(0.5) ? 0n : BigInt(random.int(1, 20)) * 10n ** 9n;
  return { creditLine, watches, grants, holds };
}
