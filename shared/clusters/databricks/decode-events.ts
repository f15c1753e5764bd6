import type { Instant } from '../../values/instant.ts';
import { count, field, instantOf, isObject, objectAt, text } from '../lenient-json.ts';

/** A resize of a cluster. Source: `ClusterEvent`, `EventDetails` (service/compute.py). */
export interface ResizeEvent {
  readonly at: Instant;
  /** AUTOSCALE, AUTOSCALE_V2, DBR_AUTOSCALE, USER_REQUEST, AUTORECOVERY, REPLACE_BAD_NODES. */
  readonly cause: string;
  readonly current: number | undefined;
  readonly target: number | undefined;
}

export interface EventPage {
  readonly events: readonly ResizeEvent[];
  readonly unusable: number;
  /** Parts of the next request; undefined on the last page. */
  readonly next: Readonly<Record<string, string | number>> | undefined;
}

/** By token, or (before there were tokens) by offset and limit. */
function nextOf(answer: Readonly<Record<string, unknown>>): EventPage['next'] {
  const token = text(answer, 'next_page_token', 4_000);
  if (token !== '') return { page_token: token };
  const older = objectAt(answer, 'next_page');
  const [offset, limit] = [count(older, 'offset'), count(older, 'limit')];
  return offset === undefined || limit === undefined ? undefined : { offset, limit };
}

/** A page of `clusters/events`; undefined when it is something else. */
export function decodeEventPage(answer: unknown): EventPage | undefined {
  if (!isObject(answer)) return undefined;
  const rows = field(answer, 'events') ?? [];
  if (!Array.isArray(rows)) return undefined;
  const events: ResizeEvent[] = [];
  for (const row of rows) {
    const at = isObject(row) ? instantOf(row, 'timestamp') : undefined;
    if (at === undefined) continue;
    const details = objectAt(row, 'details');
    events.push({
      at,
      cause: text(details, 'cause', 40),
      current: count(details, 'current_num_workers'),
      target: count(details, 'target_num_workers'),
    });
  }
  return { events, unusable: rows.length - events.length, next: nextOf(answer) };
}

/** The autoscaler asked for more machines: there was work that waited. */
export function isGrowth({ cause, current, target }: ResizeEvent): boolean {
  const isAutoscaler = cause.includes('AUTOSCALE');
  return isAutoscaler && current !== undefined && target !== undefined && target > current;
}
