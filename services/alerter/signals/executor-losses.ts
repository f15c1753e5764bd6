import type { ContainerFact } from '../../../shared/contracts/container-fact.ts';
import { applicationKey, containerKey } from '../../../shared/stores/journal.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { ToldApplication } from './application-sample.ts';
import type { Watched } from './list-applications.ts';
import { oneLine } from './one-line.ts';
import { seen } from './seen.ts';
import type { SignalDeps } from './signal-deps.ts';
import { SignalFailure } from './signal-failure.ts';

const CONTAINERS_MAX = 50_000;

/**
 * Words of Spark and its managers for an executor that went without being let go: killed, crashed,
 * out of memory, preempted, its node lost. Sources: spark TaskSchedulerImpl, HeartbeatReceiver,
 * YarnAllocator, ExecutorLossReason; hadoop ContainerExitStatus.
 */
const LOST =
  /lost|timed out|disassociated|exited with code [1-9]|exit (?:status|code):? -?[1-9]|killed by yarn|memory limits|preempt|evict|decommission|unexpectedly|crash|oom/i;
/** Dynamic allocation and a driver's own wish. */
const RELEASED = /killed by driver|explicit termination|idle|scale ?down|released by application/i;

/** Why an executor was lost; undefined for one that was let go or of which nobody told why. */
export function lossReason(facts: readonly ContainerFact[]): string | undefined {
  const stops = facts.filter(
    ({ kind, role }) => kind === 'container-stopped' && role === 'executor',
  );
  if (stops.some(({ reason }) => RELEASED.test(reason))) return undefined;
  return stops.find(({ reason }) => LOST.test(reason))?.reason;
}

/** By applicationKey. @throws SignalFailure instead of a part of them */
export async function executorLosses(
  { applications, journal }: Pick<SignalDeps, 'applications' | 'journal'>,
  watched: readonly Watched[],
  { from, at }: { readonly from: Instant; readonly at: Instant },
): Promise<ReadonlyMap<string, ToldApplication>> {
  const refs = watched.map(({ app }) => app);
  const found = await applications.containers(refs, from, CONTAINERS_MAX + 1);
  if (found.length > CONTAINERS_MAX) {
    throw new SignalFailure(
      `more than ${CONTAINERS_MAX} containers run or ended; set "projects" or shorten "window"`,
    );
  }
  const ended = found.filter(({ state, end }) => state === 'ended' && end >= from && end <= at);
  const records = await journal.containers(ended);
  const byApplication = Map.groupBy(ended, applicationKey);
  return new Map(
    watched.map(({ key }) => {
      const reasons = (byApplication.get(key) ?? []).flatMap(
        (one) => lossReason(records.get(containerKey(one))?.facts ?? []) ?? [],
      );
      const value = reasons.length;
      const evidence = [seen(['executors lost', value, 'executors'], 'journal', at)];
      return [key, { value, evidence, annotations: { reason: oneLine(reasons.at(-1) ?? '') } }];
    }),
  );
}
