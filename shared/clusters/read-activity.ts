import { queryStateCode } from '../contracts/progress-record.ts';
import type { JournalReader } from '../stores/journal.ts';
import type { ApplicationCost, LedgerReader } from '../stores/ledger-reader.ts';
import type { MetricReader } from '../stores/metric-store.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';
import { ACTIVITY_SIGNALS, type ActivitySight, type ActivitySignal } from './cluster-actuator.ts';

export interface ActivitySources {
  readonly journal: Pick<JournalReader, 'loads'>;
  readonly ledger: Pick<LedgerReader, 'runningCounts' | 'applications'>;
  readonly metrics: Pick<MetricReader, 'latest'>;
}

export interface ActivityQuestion {
  readonly cluster: string;
  readonly now: Instant;
  /** How far back is looked; the longest idleness that can be told. */
  readonly lookbackMs: number;
  /**
   * Signals that whoever runs the cluster has said it never has, such as driver-local work on one
   * that serves SQL alone. Nobody else's word is behind them, and their source says so.
   */
  readonly neverHas: ReadonlySet<ActivitySignal>;
}

/** More than a manager that is asked each second gives in an hour. */
const LOADS_MAX = 4_000;
/** Between two loads further apart anything may have run. */
const GAP_MS = 5 * MINUTE_MS;
const PAGE = 500;
const PAGES_MAX = 40;
const LATEST_MS = 24 * HOUR_MS;

interface Quiet {
  readonly since: Instant;
  readonly asOf: Instant;
}

/**
 * What the stores know of a cluster's activity, beside what its manager tells itself. Absence is told
 * by one thing alone: a ResourceManager or master whose looks, one after the other, show nothing
 * allocated and nothing wanted, and a ledger that knows of no application there. Everything else
 * (streaming progress, agents' jobs and stages) is seen of some applications, and tells activity.
 */
export async function readActivity(
  sources: ActivitySources,
  question: ActivityQuestion,
): Promise<ActivitySight[]> {
  const { cluster, now, neverHas } = question;
  const running = await runningOn(sources.ledger, cluster);
  const quiet = await quietLoads(sources.journal, question);
  const sights: ActivitySight[] = [];
  // That nothing is held says nothing of applications that run and hold nothing.
  if (quiet !== undefined && running?.size === 0) {
    const source = 'loads of its manager';
    const told = { lastAt: quiet.since, asOf: quiet.asOf, complete: true, source };
    sights.push(...ACTIVITY_SIGNALS.map((signal) => ({ signal, ...told })));
  }
  for (const [project, applications] of running ?? []) {
    sights.push(...(await streamActivity(sources.metrics, project, { ...question, applications })));
    sights.push(...(await agentActivity(sources.metrics, project, { ...question, applications })));
  }
  for (const signal of neverHas) {
    const source = 'neverHas of the configuration';
    const lastAt = now - question.lookbackMs;
    sights.push({ signal, lastAt, asOf: now, complete: true, source });
  }
  return sights;
}

/** Ids of running applications by project; undefined where there are too many to tell. */
async function runningOn(
  ledger: ActivitySources['ledger'],
  cluster: string,
): Promise<Map<ProjectId, ReadonlySet<string>> | undefined> {
  const found = new Map<ProjectId, ReadonlySet<string>>();
  for (const project of (await ledger.runningCounts()).keys()) {
    const own = new Set<string>();
    let cursor: string | undefined;
    let pages = 0;
    do {
      if (pages === PAGES_MAX) return undefined;
      pages += 1;
      const filter = { state: 'running', limit: PAGE } as const;
      const page: { applications: ApplicationCost[]; cursor?: string } = await ledger.applications(
        project,
        cursor === undefined ? filter : { ...filter, cursor },
      );
      for (const one of page.applications) if (one.cluster === cluster) own.add(one.application);
      cursor = page.cursor;
    } while (cursor !== undefined);
    if (own.size > 0) found.set(project, own);
  }
  return found;
}

/**
 * Since when the manager's looks show nothing held and nothing wanted. Databricks is left out: there
 * a cluster's Spark holds all machines for as long as it is up.
 */
async function quietLoads(
  journal: ActivitySources['journal'],
  { cluster, now, lookbackMs }: ActivityQuestion,
): Promise<Quiet | undefined> {
  let quiet: Quiet | undefined;
  for (let until = now + 1; until > now - lookbackMs; until -= HOUR_MS) {
    const from = Math.max(until - HOUR_MS, now - lookbackMs);
    const loads = await journal.loads(cluster, from, until, LOADS_MAX);
    // A list that was cut lacks its newest.
    if (loads.length === LOADS_MAX) return quiet;
    for (const { at, witness, allocated, pending } of loads.toReversed()) {
      const isManager = witness === 'yarn' || witness === 'standalone';
      const held = [allocated, pending].some(
        ({ millicores, memoryMib, gpus }) => millicores > 0 || memoryMib > 0 || gpus > 0,
      );
      if (!isManager || held) return quiet;
      if (quiet !== undefined && quiet.since - at > GAP_MS) return quiet;
      quiet = { since: at, asOf: quiet?.asOf ?? at };
    }
  }
  return quiet;
}

interface OfProject extends ActivityQuestion {
  readonly applications: ReadonlySet<string>;
}

type Latest = Awaited<ReturnType<MetricReader['latest']>>[number];

function isOwn({ tags }: Latest, { cluster, applications }: OfProject): boolean {
  return tags['cluster'] === cluster && applications.has(tags['application'] ?? '');
}

/** A query that has not ended is active, between its batches too, and while it is silent. */
async function streamActivity(
  metrics: ActivitySources['metrics'],
  project: ProjectId,
  question: OfProject,
): Promise<ActivitySight[]> {
  const { now } = question;
  const queries = await metrics.latest(project, 'streaming_query', now - LATEST_MS);
  const over = [queryStateCode('terminated'), queryStateCode('failed')];
  return queries
    .filter((one) => isOwn(one, question) && !over.includes(one.fields['state'] ?? 0))
    .map(() => ({
      signal: 'streaming-queries' as const,
      lastAt: now,
      asOf: now,
      complete: false,
      source: 'streaming progress',
    }));
}

/** `spark_activity` of the agent: what runs now, and when that last changed. */
async function agentActivity(
  metrics: ActivitySources['metrics'],
  project: ProjectId,
  question: OfProject,
): Promise<ActivitySight[]> {
  const { now } = question;
  const told = await metrics.latest(project, 'spark_activity', now - LATEST_MS);
  return told
    .filter((one) => isOwn(one, question))
    .flatMap(({ at, fields }) =>
      (
        [
          ['jobs', 'runningJobs'],
          ['stages', 'runningStages'],
        ] as const
      ).map(([signal, field]) => ({
        signal,
        lastAt: (fields[field] ?? 0) > 0 ? now : Math.min(at, now),
        asOf: now,
        complete: false,
        source: 'agent',
      })),
    );
}
