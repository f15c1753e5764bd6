import { applicationKey, containerKey } from '../../../shared/stores/journal.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { Watched } from './list-applications.ts';
import type { SignalDeps } from './signal-deps.ts';
import { SignalFailure } from './signal-failure.ts';

const CONTAINERS_MAX = 200_000;
/** Driver and application master start before every executor. */
const FIRST = 3;

/** What an application holds now. */
export interface Held {
  readonly executors: number;
  /** When its driver was last seen alive, by whichever witness; undefined where it isn't known. */
  readonly driverSeenAt: Instant | undefined;
  /** Somebody looks at it again and again; an event log only tells when something happens. */
  readonly isWatched: boolean;
}

/** By applicationKey. @throws SignalFailure instead of a part of them */
export async function heldContainers(
  { applications, journal }: Pick<SignalDeps, 'applications' | 'journal'>,
  watched: readonly Watched[],
  at: Instant,
): Promise<ReadonlyMap<string, Held>> {
  const refs = watched.map(({ app }) => app);
  const found = await applications.containers(refs, at, CONTAINERS_MAX + 1);
  if (found.length > CONTAINERS_MAX) {
    throw new SignalFailure(`more than ${CONTAINERS_MAX} containers run; set "projects"`);
  }
  const running = Map.groupBy(
    found.filter(({ state, start }) => state === 'running' && start <= at),
    applicationKey,
  );
  const first = [...running.values()].flatMap((some) => some.slice(0, FIRST));
  const records = await journal.containers(first);
  const held = new Map<string, Held>();
  for (const [key, containers] of running) {
    let others = 0;
    let driver: { isDriver: boolean; seenAt: Instant; isWatched: boolean } | undefined;
    for (const container of containers.slice(0, FIRST)) {
      const record = records.get(containerKey(container));
      const roles = new Set(record?.facts.map(({ role }) => role));
      const isDriver = roles.has('driver');
      if (!isDriver && !roles.has('application-master')) continue;
      others += 1;
      const seenAt = Math.max(container.witnessedUntil, record?.evidence ?? 0);
      const isWatched = record?.facts.some(({ witness }) => witness !== 'event-log') === true;
      if (driver === undefined || (isDriver && !driver.isDriver)) {
        driver = { isDriver, seenAt, isWatched };
      }
    }
    const driverSeenAt = driver === undefined ? undefined : Math.min(driver.seenAt, at);
    const executors = containers.length - others;
    held.set(key, { executors, driverSeenAt, isWatched: driver?.isWatched === true });
  }
  return held;
}
