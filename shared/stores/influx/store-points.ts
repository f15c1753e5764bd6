import type { Series } from '../../contracts/metric-point.ts';
import type { Instant } from '../../values/instant.ts';
import type { SendAnswer } from './line-sender.ts';
import { encodeLines, type PointColumns } from './point-lines.ts';

/** A point that the server refuses for what it is. */
export interface RefusedPoint {
  readonly series: Series;
  readonly at: Instant;
  readonly value: number;
  readonly reason: 'type-conflict' | 'malformed' | 'too-large';
  /** The server's own words, or ''. */
  readonly detail: string;
}

/** Points that were refused without being faulty. */
export type ServerFate = 'beyond-retention' | 'series-limit';

export interface StoreDeps {
  readonly send: (lines: string) => Promise<SendAnswer | undefined>;
  readonly maxBytes: number;
  readonly onFate: (fate: ServerFate, points: number) => void;
  readonly onRefused: (point: RefusedPoint) => Promise<void>;
}

/**
 * Stores points `[from, until)`. What the server refuses is halved until each refused point stands
 * alone: both servers' answers to a batch say too little, one writes the good points of a batch with
 * a malformed line and the other none. Writing good points again changes nothing.
 */
export async function storePoints(
  deps: StoreDeps,
  points: PointColumns,
  from = 0,
  until = points.length,
): Promise<void> {
  for (let at = from; at < until; ) {
    const part = encodeLines(points, at, until, deps.maxBytes);
    const answer = await deps.send(part.text);
    if (answer !== undefined) await settle(deps, points, { from: at, ...part }, answer);
    at = part.until;
  }
}

async function settle(
  deps: StoreDeps,
  points: PointColumns,
  part: { readonly from: number; readonly until: number; readonly lines: number },
  answer: SendAnswer,
): Promise<void> {
  const { from, until, lines } = part;
  if (answer.kind === 'beyond-retention' && answer.dropped === lines) {
    deps.onFate('beyond-retention', until - from);
    return;
  }
  if (until - from > 1) {
    const middle = from + Math.floor((until - from) / 2);
    await storePoints(deps, points, from, middle);
    await storePoints(deps, points, middle, until);
    return;
  }
  if (answer.kind === 'beyond-retention' || answer.kind === 'series-limit') {
    deps.onFate(answer.kind, 1);
    return;
  }
  const series = points.series[from]?.series;
  if (series === undefined) return;
  await deps.onRefused({
    series,
    at: points.at[from] ?? 0,
    value: points.value[from] ?? 0,
    reason: answer.kind === 'too-large' ? 'too-large' : answer.reason,
    detail: answer.kind === 'too-large' ? '' : answer.detail,
  });
}
