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
  /** Due ones, oldest first within each receiver. */
  due(now: Instant, limit: number): Promise<Pending[]>;
  /** Keeps deliveries and, where some are missing, when to try again. */
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
  ): Promise<
    { readonly finished: boolean; readonly deliveries: readonly Delivery[] } | undefined
  >;
  /**
   * What a sender remembers of a group at a destination: Slack's channel and timestamp, mail's first
   * Message-Id. Kept until the group has been silent for its retention.
   */
  thread(groupKey: string, destination: string): Promise<string | undefined>;
  keepThread(groupKey: string, destination: string, value: string, at: Instant): Promise<void>;
  /** For the metric and its alert: how old the oldest is that waits. */
  status(): Promise<{
    readonly waiting: number;
    readonly oldestAt: Instant | undefined;
    readonly failing: readonly { readonly receiver: string; readonly error: string }[];
  }>;
  /** Takes finished ones before `before` away. */
  forget(before: Instant): Promise<number>;
}
