import { queryStateCode } from '../../../shared/contracts/progress-record.ts';
import { applicationKey } from '../../../shared/stores/journal.ts';
import { type Instant, MINUTE_MS, SECOND_MS } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';
import type { ToldApplication } from './application-sample.ts';
import type { Held } from './held-containers.ts';
import type { Watched } from './list-applications.ts';
import { seen } from './seen.ts';
import type { SignalDeps } from './signal-deps.ts';

type Deps = Pick<SignalDeps, 'metrics' | 'logs'>;

const SERIES_MAX = 20_000;
/** The driver's log is only asked of those that look idle for longer. */
const WORTH_A_LOOK_MS = 5 * MINUTE_MS;

/** What the agent in a driver last said of jobs: whether some ran, and when that changed. */
export interface AgentWork {
  readonly at: Instant;
  readonly runs: boolean;
}

/**
 * What agents told of an application within the lookback, by applicationKey: its jobs, or at least
 * that it has executors.
 */
export async function agentWork(
  { metrics }: Deps,
  projects: Iterable<ProjectId>,
  { from, until }: { readonly from: Instant; readonly until: Instant },
): Promise<ReadonlyMap<string, AgentWork | 'no-job-yet'>> {
  const found = new Map<string, AgentWork | 'no-job-yet'>();
  const window = { from, until, stepMs: 0, aggregate: 'last' as const, limit: SERIES_MAX };
  for (const project of projects) {
    const asked = { measurement: 'spark_storage', field: 'maxOnHeapBytes', ...window };
    for (const { tags } of await metrics.query(project, asked)) {
      const { cluster = '', application = '' } = tags;
      found.set(applicationKey({ cluster, application }), 'no-job-yet');
    }
    const jobs = { measurement: 'spark_activity', field: 'runningJobs', ...window };
    for (const { tags, points } of await metrics.query(project, jobs)) {
      const { cluster = '', application = '' } = tags;
      const last = points.at(-1);
      if (last === undefined) continue;
      const key = applicationKey({ cluster, application });
      found.set(key, { at: last[0], runs: last[1] > 0 });
    }
  }
  return found;
}

/** The last line of its driver, which may compute without any job. */
async function driverLine(
  { logs }: Deps,
  { app }: Watched,
  { from, until }: { readonly from: Instant; readonly until: Instant },
): Promise<Instant | undefined> {
  const { records } = await logs.search(app.project, {
    ...{ from, until, application: app.application, container: 'driver', limit: 1 },
  });
  return records[0]?.at;
}

/**
 * Idle is what nobody saw at work: no job (the agent tells), no streaming query that runs, no event
 * in its log, no line of its driver. Only the agent tells that there is no job; without it an
 * application is not known to be idle.
 */
export async function applicationIdle(
  ...asked: Parameters<typeof idleOf>
): Promise<ToldApplication> {
  const { value, evidence, ...told } = await idleOf(...asked);
  const [, , { held }] = asked;
  const idle = seen(['idle', value, 's'], evidence[1]?.source ?? 'ledger', held?.driverSeenAt);
  return { ...told, value, evidence: [idle, ...evidence] };
}

async function idleOf(
  deps: Deps,
  watched: Watched,
  {
    held,
    work,
  }: { readonly held: Held | undefined; readonly work: AgentWork | 'no-job-yet' | undefined },
  { from, at }: { readonly from: Instant; readonly at: Instant },
): Promise<ToldApplication> {
  const { app, streaming } = watched;
  const driverSeenAt = held?.driverSeenAt;
  const executors = seen(['executors', held?.executors, ''], 'ledger', driverSeenAt);
  if (held !== undefined && held.executors === 0) return { value: 0, evidence: [executors] };
  if (streaming) {
    const state = queryStateCode('running');
    return { value: 0, evidence: [executors, seen(['query state', state, ''], 'progress', at)] };
  }
  if (work === undefined || driverSeenAt === undefined) {
    const why = work === undefined ? 'no agent tells its jobs' : 'its driver is not known';
    return { value: undefined, why, evidence: [executors] };
  }
  const jobsAt = work === 'no-job-yet' ? app.start : work.runs ? driverSeenAt : work.at;
  const told = [jobsAt, app.start, app.activity?.at ?? 0].filter((time) => time <= at);
  let lastAt = Math.max(...told);
  const evidence = [
    executors,
    seen(['seconds without a job', (at - jobsAt) / SECOND_MS, 's'], 'agent', driverSeenAt),
  ];
  if (at - lastAt >= WORTH_A_LOOK_MS) {
    const line = await driverLine(deps, watched, { from, until: at + 1 });
    if (line !== undefined) {
      lastAt = Math.max(lastAt, line);
      const seconds = (at - line) / SECOND_MS;
      evidence.push(seen(['seconds without a line of its driver', seconds, 's'], 'logs', at));
    }
  }
  return {
    value: Math.max(0, at - lastAt) / SECOND_MS,
    evidence,
    annotations: { executors: String(held?.executors ?? 'unknown') },
  };
}
