import type { ClusterSight } from '../../../shared/clusters/cluster-actuator.ts';
import { type EnforcementAction, STANDING_LEVELS } from '../../../shared/contracts/action.ts';
import { formatInstant } from '../../../shared/values/instant.ts';
import type { EnforcerDeps } from './enforcer-deps.ts';
import { isFresh } from './plan/evidence-gate.ts';

/** What a reading of a target says; `gone`: it ended, or another incarnation has its id. */
export type TargetReading =
  | {
      readonly is: 'there';
      readonly queue: string;
      readonly restore: string | undefined;
      readonly cluster: ClusterSight | undefined;
    }
  | { readonly is: 'gone'; readonly why: string }
  /** New work doesn't get through any more. */
  | { readonly is: 'denied' }
  | { readonly is: 'unknown'; readonly why: string };

const unknown = (why: string): TargetReading => ({ is: 'unknown', why });
const gone = (why: string): TargetReading => ({ is: 'gone', why });
const there = (more: { queue?: string; restore?: string; cluster?: ClusterSight }) =>
  ({
    is: 'there',
    queue: more.queue ?? '',
    restore: more.restore,
    cluster: more.cluster,
  }) as const;

function incarnation(
  { target }: EnforcementAction,
  startedAt: number | undefined,
): TargetReading | undefined {
  if (startedAt === undefined) return unknown('its start is not told');
  if (startedAt === target.startedAt) return undefined;
  return gone(`another incarnation, begun ${formatInstant(startedAt)}, has its id`);
}

/** Reads a target by its manager. An answer that isn't of these moments says nothing. */
export async function readTarget(
  deps: EnforcerDeps,
  action: EnforcementAction,
  signal: AbortSignal,
): Promise<TargetReading> {
  const { target, subject, level } = action;
  if (action.means === 'none' || action.means === 'admission') return there({});
  const reader = deps.clusters.get(target.cluster)?.reader;
  if (reader === undefined) return unknown(`${target.cluster} has no reader`);
  const { rules } = deps.settings;
  const { lookMaxAgeMs: maxAgeMs, clockToleranceMs } = rules;
  const isNow = (at: number) => isFresh(at, { now: deps.clock.now(), maxAgeMs, clockToleranceMs });
  if (STANDING_LEVELS.has(level) && target.kind === 'project') {
    const sight = (await reader.admission?.(subject, signal)) ?? {
      outcome: 'unknown' as const,
      why: 'admission is not told',
    };
    if (sight.outcome === 'unknown') return unknown(sight.why);
    if (!isNow(sight.at)) return unknown(`told ${formatInstant(sight.at)}`);
    if (sight.outcome === 'denied') return { is: 'denied' };
    return there(sight.restore === undefined ? {} : { restore: sight.restore });
  }
  const isCluster = target.kind === 'cluster';
  const sight = isCluster
    ? await reader.cluster(signal)
    : await reader.application(target.id, signal);
  if (sight.outcome === 'unknown') return unknown(sight.why);
  if (!isNow(sight.at)) return unknown(`told ${formatInstant(sight.at)}`);
  if (sight.outcome === 'absent') return gone('its manager knows it no more');
  const other = incarnation(action, sight.startedAt);
  if (other !== undefined) return other;
  if (sight.state === 'ended' || sight.state === 'terminated') return gone(`it is ${sight.state}`);
  if ('queue' in sight) return there({ queue: sight.queue });
  return there({ cluster: sight });
}
