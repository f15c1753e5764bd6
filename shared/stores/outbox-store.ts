import type { Notification } from '../contracts/notification.ts';
import type { Instant } from '../values/instant.ts';

/** How one destination of a receiver (a Slack channel, one mail address, a URL) took it. */
export interface Delivery {
  readonly notification: string;
  /** As the sender names it, without secrets. */
  readonly destination: string;
  readonly outcome: 'delivered' | 'refused' | 'given-up';
  readonly at: Instant;
  /** What the other side said; '' when delivered. */
  readonly why: string;
}

/** A notification that isn't delivered to all its destinations yet. */
export interface Pending {
  readonly notification: Notification;
  readonly attempts: number;
  readonly nextAt: Instant;
  readonly lastError: string;
  /** Destinations that have it or never will. */
  readonly done: readonly Delivery[];
}

/** Messages wait here until they are delivered; one that was enqueued outlives any process. */
export interface OutboxStore {
  /** An id that was ever there is passed over. */
  enqueue(notifications: readonly Notification[]): Promise<void>;
  /**
   * The unfinished ones of each group (receiver and group key) that has a due one, in the order they
   * were enqueued; those that aren't due come along, since what follows in their group waits for
   * them: a resolve never arrives before its fire. At most `limit` of each receiver, the oldest, so
   * that a receiver that is down takes no other's place.
   */
  due(now: Instant, limit: number): Promise<Pending[]>;
  /**
   * Keeps deliveries and, where some are missing, when to try again. `attempts` counts the calls
   * with an error; without one the message was only put off, and its last error stays.
   */
  record(
    notification: string,
    result: {
      readonly deliveries: readonly Delivery[];
      /** Undefined: finished. */
      readonly retryAt: Instant | undefined;
      readonly error: string;
    },
  ): Promise<void>;
  /** What became of it; undefined for an id that was never there. */
  deliveries(
    notification: string,
  ): Promise<{ readonly finished: boolean; readonly deliveries: readonly Delivery[] } | undefined>;
  /**
   * What a sender remembers of a group at a destination: Slack's channel and timestamp, mail's first
   * Message-Id. Kept until the group has been silent for its retention.
   */
  thread(groupKey: string, destination: string): Promise<string | undefined>;
  keepThread(groupKey: string, destination: string, value: string, at: Instant): Promise<void>;
  /** Nobody sends to a destination before `until`: its Retry-After, kept over restarts and takeovers. */
  pause(destination: string, until: Instant): Promise<void>;
  /** Those that end after `now`, by destination. */
  pauses(now: Instant): Promise<ReadonlyMap<string, Instant>>;
  /** For the metric and its alert: how old the oldest is that waits. */
  status(): Promise<{
    readonly waiting: number;
    readonly oldestAt: Instant | undefined;
    readonly failing: readonly { readonly receiver: string; readonly error: string }[];
  }>;
  /** Takes finished ones before `before` away. */
  forget(before: Instant): Promise<number>;
}
