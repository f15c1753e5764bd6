import type { Instant } from '../values/instant.ts';

/** `ordered` until the application's agent says something; the last two are final. */
export const STOP_STATES = ['ordered', 'stopping', 'stopped', 'refused'] as const;
export type StopState = (typeof STOP_STATES)[number];

/** That a streaming application should end between two batches. */
export interface StopOrder {
  /** Given by whoever orders, so that ordering again orders nothing twice. */
  readonly id: string;
  readonly cluster: string;
  readonly application: string;
  /** Within this time after the agent has heard of it. */
  readonly withinMs: number;
  /** Even where the checkpoint isn't on durable storage. */
  readonly force: boolean;
  /** Label of the token that ordered it, for people. */
  readonly orderedBy: string;
  readonly orderedAt: Instant;
}

/** What the agent said of an order. */
export interface StopOutcome {
  readonly state: StopState;
  /** No uncommitted batch was seen; undefined until it has stopped. */
  readonly clean: boolean | undefined;
  readonly message: string;
}

export interface StoredStop extends StopOrder, StopOutcome {
  readonly updatedAt: Instant;
}

/** Stops that were ordered. The API writes them, and who talks to agents hands them on. */
export interface StopOrderStore {
  /** Repeating an order is a no-op; the same id with another body is a CONFLICT. */
  order(order: StopOrder): Promise<StoredStop>;
  /** Those that aren't final and were ordered after `since`, oldest first. */
  open(since: Instant): Promise<StoredStop[]>;
  /** Of one application, newest first. */
  ofApplication(cluster: string, application: string): Promise<StoredStop[]>;
  /** A final state stays as it is; an id that isn't there is passed over. */
  report(id: string, outcome: StopOutcome, at: Instant): Promise<void>;
}
