import type { Client } from '@elastic/elasticsearch';
import { AppError } from '../../../errors/app-error.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Instant } from '../../../values/instant.ts';
import { DAY_MS } from '../../../values/instant.ts';
import type { Lease, LeaseStore } from '../../lease.ts';
import { appendToPlan, type IndexPlan } from './plan.ts';
import { ensureAliases } from './plan-aliases.ts';
import { type IndexPlanConfig, leadMs, wishesOf } from './plan-config.ts';
import { IndexPlanHome } from './plan-home.ts';
import { presentIndices } from './plan-indices.ts';
import { planIndex, utcMonth } from './plan-names.ts';
import { ensureTemplates } from './plan-templates.ts';
import { firstPlan, planIndices } from './planner.ts';
import { measureParts, volumesOf } from './planner-volumes.ts';
import { type Dropped, dropOverdue } from './retention.ts';

const GB = 1_000_000_000;
const LEASE_MS = 60_000;
/** Another planner is rarely faster twice; then the next run does it. */
const TRIES = 3;
/** Records older than this at the first plan share one month. */
const OLDEST_MS = 400 * DAY_MS;

export interface IndexPlannerParts {
  readonly client: Client;
  /** Of the log indices, and the name of their template, such as `tollgate-logs`. */
  readonly prefix: string;
  readonly config: IndexPlanConfig;
  readonly clock: Clock;
}

/** What one run did. */
export interface PlannerRun {
  readonly appended: number;
  readonly templates: number;
  readonly aliases: number;
  readonly dropped: Dropped;
}

/**
 * The part of `tollgate stores init` that gives the cluster its plan: idempotent, after the
 * template of the log indices is there and before the first record.
 */
export async function initIndexPlan(parts: IndexPlannerParts): Promise<void> {
  const { client, prefix, config, clock } = parts;
  const home = new IndexPlanHome(client, planIndex(prefix));
  const plan = firstPlan(wishesOf(config), {
    oldest: utcMonth(Math.max(0, clock.now() - OLDEST_MS)),
    pooledBytesPerDay: config.expectedPooledGbPerDay * GB,
  });
  await home.create(plan);
  await ensureTemplates(client, prefix, (await home.read()).plan);
}

/** Measures, extends the plan, writes templates and aliases: safe in two processes at once. */
export async function planOnce(parts: IndexPlannerParts): Promise<Omit<PlannerRun, 'dropped'>> {
  const { client, prefix, clock } = parts;
  const now = clock.now();
  const measured = await measureParts(client, await presentIndices(client, prefix), now);
  const { plan, appended } = await extendPlan(parts, volumesOf(measured, now));
  const templates = await ensureTemplates(client, prefix, plan);
  const places = measured.map(({ project, index }) => ({ project, index }));
  const aliases = await ensureAliases(client, prefix, places);
  return { appended, templates, aliases };
}

async function extendPlan(
  parts: IndexPlannerParts,
  volumes: ReturnType<typeof volumesOf>,
): Promise<{ plan: IndexPlan; appended: number }> {
  const { client, prefix, config, clock } = parts;
  const home = new IndexPlanHome(client, planIndex(prefix));
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const held = await home.read();
    const earliest: Instant = clock.now() + leadMs(config);
    const additions = planIndices(held.plan, { volumes, wishes: wishesOf(config) }, earliest);
    const appended = additions.entries.length + additions.pools.length;
    if (appended === 0) return { plan: held.plan, appended };
    const plan = appendToPlan(held.plan, additions, earliest);
    if (await home.replace(held, plan)) return { plan, appended };
  }
  throw new AppError(
    'STORE_UNAVAILABLE',
    `Others keep changing the index plan in ${planIndex(prefix)}; the next run tries again.`,
  );
}

/**
 * Plans and drops every `planEveryMs`, in one process at a time by lease, until the signal aborts. A
 * run that failed is told and done again next time.
 */
export async function runIndexPlanner(
  parts: IndexPlannerParts & {
    readonly leases: LeaseStore;
    /** Unique to this process's life. */
    readonly holder: string;
    readonly onRun: (run: PlannerRun) => void;
    readonly onFailure: (error: unknown) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { leases, holder, config, clock, prefix } = parts;
  while (!signal.aborted) {
    try {
      const lease = await leases.acquire(`logs/${planIndex(prefix)}`, holder, LEASE_MS);
      if (lease !== undefined) parts.onRun(await runHeld(parts, leases, lease, signal));
    } catch (error) {
      parts.onFailure(error);
    }
    await clock.sleep(config.planEveryMs, signal);
  }
}

async function runHeld(
  parts: IndexPlannerParts,
  leases: LeaseStore,
  lease: Lease,
  signal: AbortSignal,
): Promise<PlannerRun> {
  let held: Lease | undefined = lease;
  const goOn = async (): Promise<boolean> => {
    if (signal.aborted || held === undefined) return false;
    held = await leases.renew(held, LEASE_MS);
    return held !== undefined;
  };
  try {
    const planned = await planOnce(parts);
    const { client, prefix, config, clock } = parts;
    const dropped = await dropOverdue(client, prefix, config, { now: clock.now(), goOn });
    return { ...planned, dropped };
  } finally {
    if (held !== undefined) await leases.release(held);
  }
}
