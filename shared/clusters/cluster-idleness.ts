import { formatInstant, type Instant } from '../values/instant.ts';
import { ACTIVITY_SIGNALS, type ActivitySight, type ActivitySignal } from './cluster-actuator.ts';

/** Since when nothing happened on a cluster, and until when that is known. */
export type ClusterQuiet =
  | { readonly known: true; readonly since: Instant; readonly until: Instant }
  /** Names every signal of which nothing follows. */
  | { readonly known: false; readonly why: string };

export type ClusterIdleness =
  | { readonly state: 'idle'; readonly since: Instant }
  /** There was some within the window, or may have been: the watch is no longer than that. */
  | { readonly state: 'active'; readonly lastAt: Instant }
  | { readonly state: 'unknown'; readonly why: string };

interface QuietContext {
  readonly now: Instant;
  /** Of the cluster's incarnation; activity of the one before is none of this one. */
  readonly startedAt: Instant | undefined;
  /** What was told longer ago says nothing. */
  readonly freshMs: number;
}

export interface IdlenessContext extends QuietContext {
  /** How long nothing must have happened. */
  readonly windowMs: number;
  /** A cluster that is younger isn't idle: it boots, installs, waits for its first user. */
  readonly minAgeMs: number;
}

/** Until when a sight tells that there was nothing after its last activity; undefined: it doesn't. */
function toldUntil(sight: ActivitySight, { now, freshMs }: QuietContext): Instant | undefined {
  const { complete, lastAt, asOf } = sight;
  if (!complete || lastAt === undefined || lastAt > asOf) return undefined;
  return Math.abs(now - asOf) <= freshMs ? Math.min(asOf, now) : undefined;
}

function whyUnknown(
  signal: ActivitySignal,
  sights: readonly ActivitySight[],
  { now, freshMs }: QuietContext,
): string {
  const own = sights.filter((sight) => sight.signal === signal && sight.lastAt !== undefined);
  const told = own.filter(({ complete }) => complete);
  const [newest] = told.toSorted((a, b) => b.asOf - a.asOf);
  if (newest !== undefined) {
    const what = newest.asOf > now + freshMs ? 'a time to come' : formatInstant(newest.asOf);
    return `${signal} (${newest.source} told it as of ${what})`;
  }
  const [some] = own;
  return some === undefined ? `${signal} (nobody tells)` : `${signal} (${some.source} sees a part)`;
}

/**
 * Since when a cluster does nothing: no jobs and no active streaming query and no running stages and
 * no session and no driver-local work. It counts from the last of these, whoever told it; each must
 * be told by somebody who sees all of it, and lately. What nobody tells is unknown, never quiet.
 */
export function clusterQuiet(
  sights: readonly ActivitySight[],
  context: QuietContext,
): ClusterQuiet {
  const { startedAt } = context;
  const until = new Map<ActivitySignal, Instant>();
  for (const sight of sights) {
    const told = toldUntil(sight, context);
    if (told !== undefined)
      until.set(sight.signal, Math.max(until.get(sight.signal) ?? told, told));
  }
  const missing = ACTIVITY_SIGNALS.filter((signal) => !until.has(signal));
  const unknown = missing.map((signal) => whyUnknown(signal, sights, context));
  if (startedAt === undefined) unknown.push('when the cluster began');
  if (startedAt === undefined || unknown.length > 0) {
    return { known: false, why: `not known: ${unknown.join(', ')}` };
  }
  const since = sights.reduce((last, { lastAt }) => Math.max(last, lastAt ?? last), startedAt);
  return { known: true, since, until: Math.min(...until.values()) };
}

/** Whether a cluster has done nothing for the window. Activity is believed of any source, however old its word. */
export function clusterIdleness(
  sights: readonly ActivitySight[],
  context: IdlenessContext,
): ClusterIdleness {
  const { now, startedAt, windowMs, minAgeMs } = context;
  const activity = sights.flatMap(({ lastAt }) => (lastAt === undefined ? [] : [lastAt]));
  const lastAt = Math.max(...activity);
  if (lastAt > now - windowMs) return { state: 'active', lastAt };
  const quiet = clusterQuiet(sights, context);
  if (!quiet.known) return { state: 'unknown', why: quiet.why };
  if (startedAt !== undefined && now - startedAt < Math.max(minAgeMs, windowMs)) {
    return { state: 'unknown', why: `it began at ${formatInstant(startedAt)}, too lately to tell` };
  }
  if (quiet.until - quiet.since < windowMs) {
    return { state: 'unknown', why: `known only up to ${formatInstant(quiet.until)}` };
  }
  return { state: 'idle', since: quiet.since };
}
