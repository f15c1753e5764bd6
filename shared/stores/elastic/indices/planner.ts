import type { Instant } from '../../../values/instant.ts';
import { DAY_MS, utcDay } from '../../../values/instant.ts';
import type { ProjectId } from '../../../values/project-id.ts';
import {
  BEGINNING,
  type IndexPlan,
  MAX_PRIMARIES,
  newestEntries,
  newestPools,
  type PlanAdditions,
  type PlanEntry,
  poolOf,
} from './plan.ts';
import { nextPeriod } from './plan-names.ts';

const GB = 1_000_000_000;
/** The longest month: sizes are planned for it. */
const MONTH_DAYS = 31;
/** A shard is planned at this size, left alone up to `FULL`, and halved in number below `THIN`. */
const TARGET = 30 * GB;
const FULL = 45 * GB;
const THIN = 5 * GB;
/** A pool is searched whole for each of its projects; more of them cost an index a month each. */
const POOL_BYTES = 200 * GB;
const MOST_POOLS = 16;
/** What waits for a month's start is decided in these last days, on the newest volumes. */
const DECIDED_BEFORE_MS = 3 * DAY_MS;

/** Volumes a day from which a project rises, and below which it falls: far apart, so that none flaps. */
const LARGE = { from: 10 * GB, below: 5 * GB };
const MEDIUM = { from: 0.2 * GB, below: 0.1 * GB };

/** What the configuration says of one project. */
export interface ProjectWish {
  /** Its members use Kibana or Grafana directly, so that it must lie in indices of its own. */
  readonly direct: boolean;
  /** Volume that is expected, stored, before it is measured. */
  readonly bytesPerDay: number;
}

export interface PlannerInput {
  /** Stored bytes a day, primaries only. A project without logs may be absent. */
  readonly volumes: ReadonlyMap<ProjectId, number>;
  readonly wishes: ReadonlyMap<ProjectId, ProjectWish>;
}

/**
 * The plan of a cluster that holds no logs yet: only here may entries hold from the beginning.
 *
 * @param expected `oldest`: start of a UTC month; `pooledBytesPerDay`: of all projects that
 *   `wishes` doesn't name
 */
export function firstPlan(
  wishes: PlannerInput['wishes'],
  expected: { readonly oldest: Instant; readonly pooledBytesPerDay: number },
): IndexPlan {
  const { oldest, pooledBytesPerDay } = expected;
  const input: PlannerInput = { volumes: new Map(), wishes };
  const bare: IndexPlan = {
    format: 1,
    oldest,
    pools: [{ count: 1, primaries: 1, validFrom: BEGINNING }],
    entries: [],
  };
  const at = { day: BEGINNING, month: BEGINNING, monthIsNear: true };
  const entries = planEntries(bare, input, at);
  const named = pooledVolumes({ ...bare, entries }, input);
  const pools = wantedPools(named, pooledBytesPerDay * MONTH_DAYS);
  return { ...bare, entries, pools: [{ ...pools, validFrom: BEGINNING }] };
}

/**
 * What to append so that the plan fits the volumes; nothing when it does. A project that needs more
 * room gets it from the next UTC day on, everything else waits for a month's start: a partial month
 * costs an index more, and an index can't change its number of shards.
 *
 * @param earliest no entry holds before it; see `PlanLead`
 */
export function planIndices(
  plan: IndexPlan,
  input: PlannerInput,
  earliest: Instant,
): PlanAdditions {
  const day = utcDay(earliest) === earliest ? earliest : nextPeriod(earliest, 'day');
  const month = nextPeriod(day - 1, 'month');
  const at = { day, month, monthIsNear: month - day <= DECIDED_BEFORE_MS };
  const entries = planEntries(plan, input, at);
  const after = { ...plan, entries: [...plan.entries, ...entries] };
  return { entries, pools: planPools(after, input, at) };
}

interface Boundaries {
  readonly day: Instant;
  readonly month: Instant;
  readonly monthIsNear: boolean;
}

function planEntries(plan: IndexPlan, input: PlannerInput, at: Boundaries): PlanEntry[] {
  const newest = newestEntries(plan);
  const projects = new Set([...newest.keys(), ...input.volumes.keys(), ...input.wishes.keys()]);
  return [...projects].sort().flatMap((project) => {
    const now = newest.get(project);
    // One change at a time: what is decided already can't be taken back.
    if (now !== undefined && now.validFrom >= at.day) return [];
    const wanted = wantedEntry(project, now, input);
    const layout = now?.layout ?? 'pooled';
    if (wanted.layout === layout && wanted.primaries === (now?.primaries ?? 1)) return [];
    if (isUrgent(layout, wanted.layout)) return [{ ...wanted, validFrom: at.day }];
    return at.monthIsNear ? [{ ...wanted, validFrom: at.month }] : [];
  });
}

/** Whether it is a change to more room that begins indices of new names. */
function isUrgent(from: PlanEntry['layout'], to: PlanEntry['layout']): boolean {
  return to === 'own-daily' || (from === 'pooled' && to === 'own-monthly');
}

function wantedEntry(
  project: ProjectId,
  now: PlanEntry | undefined,
  input: PlannerInput,
): Omit<PlanEntry, 'validFrom'> {
  const bytesPerDay = volumeOf(project, input);
  const layout = wantedLayout(now?.layout ?? 'pooled', bytesPerDay, input.wishes.get(project));
  if (layout === 'pooled') return { project, layout, primaries: 1 };
  const bytes = layout === 'own-daily' ? bytesPerDay : bytesPerDay * MONTH_DAYS;
  const present = now?.layout === layout ? now.primaries : undefined;
  return { project, layout, primaries: wantedPrimaries(bytes, present) };
}

function wantedLayout(
  now: PlanEntry['layout'],
  bytesPerDay: number,
  wish: ProjectWish | undefined,
): PlanEntry['layout'] {
  if (bytesPerDay >= (now === 'own-daily' ? LARGE.below : LARGE.from)) return 'own-daily';
  if (wish?.direct === true) return 'own-monthly';
  return bytesPerDay >= (now === 'pooled' ? MEDIUM.from : MEDIUM.below) ? 'own-monthly' : 'pooled';
}

function wantedPrimaries(bytes: number, present: number | undefined): number {
  const wanted = Math.min(MAX_PRIMARIES, Math.max(1, Math.ceil(bytes / TARGET)));
  if (present === undefined) return wanted;
  const shard = bytes / present;
  return shard > FULL || shard < THIN ? wanted : present;
}

function planPools(plan: IndexPlan, input: PlannerInput, at: Boundaries): PlanAdditions['pools'] {
  const now = newestPools(plan);
  if (now.validFrom >= at.day) return [];
  const volumes = pooledVolumes(plan, input);
  const wanted = wantedPools(volumes);
  if (wanted.count === now.count && wanted.primaries === now.primaries) return [];
  const shard = largestPool(volumes, now.count) / now.primaries;
  if (shard > FULL) return [{ ...wanted, validFrom: at.day }];
  const thin = shard < THIN && wanted.count * wanted.primaries < now.count * now.primaries;
  return thin && at.monthIsNear ? [{ ...wanted, validFrom: at.month }] : [];
}

/** Bytes a month of each project that is pooled by its newest entry. */
function pooledVolumes(plan: IndexPlan, input: PlannerInput): Map<ProjectId, number> {
  const newest = newestEntries(plan);
  const pooled = new Map<ProjectId, number>();
  for (const project of new Set([...input.volumes.keys(), ...input.wishes.keys()])) {
    if ((newest.get(project)?.layout ?? 'pooled') !== 'pooled') continue;
    pooled.set(project, volumeOf(project, input) * MONTH_DAYS);
  }
  return pooled;
}

/** @param others bytes a month of projects that aren't known yet, spread evenly */
function wantedPools(
  volumes: ReadonlyMap<ProjectId, number>,
  others = 0,
): { count: number; primaries: number } {
  const total = [...volumes.values()].reduce((sum, bytes) => sum + bytes, others);
  const count = Math.min(MOST_POOLS, Math.max(1, Math.ceil(total / POOL_BYTES)));
  const largest = largestPool(volumes, count) + others / count;
  return { count, primaries: wantedPrimaries(largest, undefined) };
}

function largestPool(volumes: ReadonlyMap<ProjectId, number>, count: number): number {
  const pools = new Array<number>(count).fill(0);
  for (const [project, bytes] of volumes) {
    const pool = poolOf(project, count);
    pools[pool] = (pools[pool] ?? 0) + bytes;
  }
  return Math.max(...pools);
}

function volumeOf(project: ProjectId, input: PlannerInput): number {
  const planned = input.wishes.get(project)?.bytesPerDay ?? 0;
  return Math.max(planned, input.volumes.get(project) ?? 0);
}
