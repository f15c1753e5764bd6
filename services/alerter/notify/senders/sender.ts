import type { Notification } from '../../../../shared/contracts/notification.ts';
import type { Pace } from './token-bucket.ts';

/** For metrics' labels. */
export type SenderKind =
  | 'slack'
  | 'slack-webhook'
  | 'mail'
  | 'webhook'
  | 'alertmanager-webhook'
  | 'pagerduty'
  | 'opsgenie';

/**
 * How a destination took a message. `refused`: this message is at fault and will be refused again
 * (an unknown address, a body it can't read). `later`: the destination, the way to it or its
 * settings are at fault, which time or a person may mend. `why` never holds a secret.
 */
export type SendResult =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'refused'; readonly why: string }
  | { readonly outcome: 'later'; readonly why: string; readonly retryAfterMs: number | undefined };

/** What a sender remembers of a group at its destination (OutboxStore.thread). */
export interface Thread {
  readonly value: string | undefined;
  keep(value: string): Promise<void>;
}

/** One notification, or several where the receiver has a digest; oldest first. */
export type Batch = readonly [Notification, ...Notification[]];

/** Brings messages to one destination: a Slack channel, a mail address, a URL. */
export interface Sender {
  readonly kind: SenderKind;
  /** As deliveries and logs name it: stable over restarts, without secrets. */
  readonly destination: string;
  readonly pace: Pace;
  /**
   * Tries once and never waits for a second try: that is the dispatcher's. The same batch may come
   * again when its result was lost, and must then look the same.
   *
   * @throws only when the signal aborts
   */
  send(batch: Batch, thread: Thread, signal: AbortSignal): Promise<SendResult>;
}

/** A named set of destinations, as routes name it. */
export interface Receiver {
  readonly name: string;
  /** None: what is routed here is finished at once, as at Alertmanager's receiver without a sender. */
  readonly senders: readonly Sender[];
  /** False: what only says that alerts ended is passed over. */
  readonly sendResolved: boolean;
  /** Length of the digest's windows, which begin at multiples of it in UTC; 0: no digest. */
  readonly digestMs: number;
  /** A message older than this whose destination fails is given up. */
  readonly giveUpAfterMs: number;
}
