import type { Notification } from '../../../shared/contracts/notification.ts';
import type { Pending } from '../../../shared/stores/outbox-store.ts';
import type { Instant } from '../../../shared/values/instant.ts';

/** What is known of one destination before a round. */
export interface DestinationSight {
  readonly destination: string;
  /** Nobody sends to it before; 0: at any time. */
  readonly pausedUntil: Instant;
}

export interface RoundRules {
  readonly now: Instant;
  readonly digestMs: number;
}

/** What a round does at one destination. */
export interface DestinationPlan {
  /** In this order, each as one message. */
  readonly batches: readonly (readonly [Pending, ...Pending[]])[];
  /** When those that can't be sent now may be, by notification id. */
  readonly holds: ReadonlyMap<string, Instant>;
}

/** Notifications of one digest mail. */
const DIGEST_MAX = 50;

/** A critical page waits for no digest. */
function isUrgent({ firing }: Notification): boolean {
  return firing.some(({ alert }) => alert.severity === 'critical');
}

/** End of the digest's window that holds `at`; windows begin at multiples of their length. */
function digestEnd(at: Instant, digestMs: number): Instant {
  return digestMs === 0 ? at : (Math.floor(at / digestMs) + 1) * digestMs;
}

function digestsOf(ready: readonly Pending[]): [Pending, ...Pending[]][] {
  const digests: [Pending, ...Pending[]][] = [];
  for (let from = 0; from < ready.length; from += DIGEST_MAX) {
    const [first, ...rest] = ready.slice(from, from + DIGEST_MAX);
    if (first !== undefined) digests.push([first, ...rest]);
  }
  return digests;
}

/**
 * Groups whose first message was tried least come first: after a failure it is another message that
 * shows whether it was the destination's, so that one that always fails holds up none but its group.
 */
function singlesOf(ready: readonly Pending[]): [Pending][] {
  const groups = Map.groupBy(ready, ({ notification }) => notification.groupKey);
  const attempts = (group: readonly Pending[]): number => group[0]?.attempts ?? 0;
  const ordered = [...groups.values()].sort((a, b) => attempts(a) - attempts(b));
  return ordered.flat().map((entry) => [entry]);
}

/**
 * What is sent to one destination now. Within a group nothing overtakes: what follows a message that
 * waits, waits as long. A critical alert waits for no digest; what came with it goes along.
 *
 * @param entries of one receiver, in the order they were enqueued
 */
export function planRound(
  entries: readonly Pending[],
  { destination, pausedUntil }: DestinationSight,
  { now, digestMs }: RoundRules,
): DestinationPlan {
  const waits = new Map<string, Instant>();
  const holds = new Map<string, Instant>();
  const ready: Pending[] = [];
  const missing = entries.filter(
    ({ done }) => !done.some((delivery) => delivery.destination === destination),
  );
  const isOpen = missing.some(({ notification }) => isUrgent(notification));
  for (const entry of missing) {
    const { id, groupKey, at } = entry.notification;
    const release = isOpen ? 0 : digestEnd(at, digestMs);
    // What a digest held back carries its end as nextAt; a failed attempt carries its retry.
    const retry = isOpen && entry.lastError === '' ? 0 : entry.nextAt;
    const from = Math.max(waits.get(groupKey) ?? 0, pausedUntil, retry, release);
    if (from > now) {
      waits.set(groupKey, from);
      holds.set(id, from);
    } else {
      ready.push(entry);
    }
  }
  return { batches: digestMs > 0 ? digestsOf(ready) : singlesOf(ready), holds };
}
