import type { Notification } from '../../../../../shared/contracts/notification.ts';

/** What a format makes of a notification: a JSON body and where it goes. */
export interface WebhookRequest {
  /** Relative to the configured URL; undefined: the URL itself. */
  readonly path?: string;
  readonly body: unknown;
}

export interface FormatContext {
  /** Of the installation; '' for none. */
  readonly consoleUrl: string;
}

/** Undefined where the other side has no place for such a message. Pure. */
export type WebhookFormat = (
  notification: Notification,
  context: FormatContext,
) => WebhookRequest | undefined;
