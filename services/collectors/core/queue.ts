import type { Instant } from '../../../shared/values/instant.ts';
import type { ProjectId } from '../../../shared/values/project-id.ts';

/** One message of a queue. */
export interface QueuedRecord {
  /** From its origin, such as `kafka:logs/3#17`: the same message read again has the same id. */
  readonly id: string;
  /** What it says; the beginning of it where `refused` says why it is not to be read. */
  readonly text: string;
  readonly refused?: { readonly fate: 'dropped' | 'quarantined'; readonly reason: string };
}

/** Messages that are stored together. */
export interface QueuedBatch {
  /** Where they come from, such as `kafka:logs/3`. */
  readonly origin: string;
  readonly records: readonly QueuedRecord[];
  /** How a message is written: one of those that the collector's configuration names. */
  readonly format: string;
  /** Project of records that name none. */
  readonly project: ProjectId | undefined;
  readonly cluster: string;
  readonly receivedAt: Instant;
  readonly bytes: number;
}

/**
 * The door of a collector for a queue's messages. Resolves when each has its fate and is durably
 * kept, however long the store is away; rejects when the signal aborts, or when trying the same
 * again may help later. Taking a batch twice has the effect of taking it once.
 */
export interface QueueHandler {
  take(batch: QueuedBatch, signal: AbortSignal): Promise<void>;
}

/** A batch's origin as the quarantine keeps it, so that a replay knows what held for it. */
export function printQueueSource(
  origin: string,
  { cluster, format }: Pick<QueuedBatch, 'cluster' | 'format'>,
): string {
  return `${origin}?${new URLSearchParams({ cluster, format })}`;
}

/** Undefined for what came from no queue. */
export function parseQueueSource(
  source: string,
): { readonly origin: string; readonly cluster: string; readonly format: string } | undefined {
  const mark = source.lastIndexOf('?');
  if (!source.startsWith('kafka:') || mark < 0) return undefined;
  const parameters = new URLSearchParams(source.slice(mark + 1));
  return {
    origin: source.slice(0, mark),
    cluster: parameters.get('cluster') ?? '',
    format: parameters.get('format') ?? '',
  };
}
