import { z } from 'zod';
import { assert, must } from '../../../errors/assert.ts';
import { type Instant, utcDay } from '../../../values/instant.ts';
import { isProjectId, type ProjectId } from '../../../values/project-id.ts';
import { utcMonth } from './plan-names.ts';

/** Before every record. */
export const BEGINNING: Instant = -8.64e15;
/** Elasticsearch allows 1,024; a pool's number has two digits. */
export const MAX_PRIMARIES = 256;
export const MAX_POOLS = 99;

const validFrom = z.int().refine((at) => at === utcDay(at), 'must be the start of a UTC day');
const primaries = z.int().min(1).max(MAX_PRIMARIES);

const planEntry = z.strictObject({
  project: z.custom<ProjectId>(isProjectId, 'must be a project id'),
  /** Its own index a UTC day, its own one a UTC month, or one of the pools. */
  layout: z.enum(['own-daily', 'own-monthly', 'pooled']),
  /** Of each of its own indices; a pool has those of its entry. */
  primaries,
  /** Event time from which it holds. */
  validFrom,
});

const poolsEntry = z.strictObject({
  /** How many pools share the small projects. */
  count: z.int().min(1).max(MAX_POOLS),
  primaries,
  validFrom,
});

/**
 * The plan as it is kept. It only grows: an entry holds from its date until the next of the same
 * project, and nothing that was appended changes again, so that a record's place never does.
 */
export const indexPlan = z
  .strictObject({
    format: z.literal(1),
    /**
     * Records before it lie in its month. It never moves; it keeps a sender of invented times from
     * making an index for each month since 1970.
     */
    oldest: z
      .int()
      .min(0)
      .refine((at) => at >= 0 && at === utcMonth(at), 'must be the start of a UTC month'),
    /** The position of an entry is its generation, which is part of its indices' names. */
    pools: z.array(poolsEntry).min(1),
    /** A project without one is pooled. */
    entries: z.array(planEntry),
  })
  .superRefine((plan, context) => {
    const fault = faultOf(plan);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

export type PlanEntry = z.infer<typeof planEntry>;
export type PoolsEntry = z.infer<typeof poolsEntry>;
export type IndexPlan = z.infer<typeof indexPlan>;

/** What a planner wants to append. */
export interface PlanAdditions {
  readonly entries: readonly PlanEntry[];
  readonly pools: readonly PoolsEntry[];
}

/**
 * The plan with what is appended.
 *
 * @param earliest an entry that holds before it would move records that may be stored already: that
 *   is a bug of the planner
 */
export function appendToPlan(
  plan: IndexPlan,
  additions: PlanAdditions,
  earliest: Instant,
): IndexPlan {
  for (const added of [...additions.entries, ...additions.pools]) {
    assert(added.validFrom >= earliest, `an entry of the index plan holds from ${added.validFrom}`);
  }
  return indexPlan.parse({
    ...plan,
    pools: [...plan.pools, ...additions.pools],
    entries: [...plan.entries, ...additions.entries],
  });
}

/** Whether the newer plan is the older with nothing but entries appended. */
export function isAppendedTo(older: IndexPlan, newer: IndexPlan): boolean {
  const startsWith = <T>(all: readonly T[], start: readonly T[]): boolean =>
    start.every((entry, index) => JSON.stringify(entry) === JSON.stringify(all[index]));
  return (
    older.oldest === newer.oldest &&
    startsWith(newer.pools, older.pools) &&
    startsWith(newer.entries, older.entries)
  );
}

/** The newest entry of each project, in force or still to come. */
export function newestEntries(plan: IndexPlan): Map<ProjectId, PlanEntry> {
  return new Map(plan.entries.map((entry) => [entry.project, entry]));
}

export function newestPools(plan: IndexPlan): PoolsEntry {
  return must(plan.pools.at(-1), 'a plan has pools');
}

/**
 * The pool of a project, from 0. Source of the hash: FNV-1a, then the finalizer of MurmurHash3, as
 * FNV's low bits alone spread names that differ in their last digits badly. It may never change.
 */
export function poolOf(project: ProjectId, count: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < project.length; at += 1) {
    hash = Math.imul(hash ^ project.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % count;
}

/** Order of the dates; the schema of a single entry can't see it. */
function faultOf(plan: {
  readonly pools: readonly PoolsEntry[];
  readonly entries: readonly PlanEntry[];
}): string | undefined {
  if (plan.pools[0]?.validFrom !== BEGINNING) return 'the first pools must hold from the beginning';
  for (const [index, entry] of plan.pools.entries()) {
    const before = plan.pools[index - 1];
    if (before !== undefined && before.validFrom >= entry.validFrom) {
      return 'entries of pools must be in the order of their dates';
    }
  }
  const newest = new Map<ProjectId, Instant>();
  for (const entry of plan.entries) {
    const before = newest.get(entry.project);
    if (before !== undefined && before >= entry.validFrom) {
      return `entries of project ${entry.project} must be in the order of their dates`;
    }
    newest.set(entry.project, entry.validFrom);
  }
  return undefined;
}
