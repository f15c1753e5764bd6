import { divideHalfEven } from '../values/divide-half-even.ts';
import type { Instant } from '../values/instant.ts';
import type { Nanocredits } from '../values/money.ts';
import { splitWhole } from '../values/split-whole.ts';

/** What a streaming application was charged for one UTC hour. */
export interface StreamHour {
  readonly hour: Instant;
  readonly amount: Nanocredits;
  /** How long of the hour the application was there, in ms. */
  readonly spanMs: number;
}

/** The micro-batches of one query that ended in one UTC hour. */
export interface QueryHour {
  readonly query: string;
  readonly hour: Instant;
  readonly batches: number;
  readonly rows: number;
  /** Sum of the batches' durations. */
  readonly triggerMs: number;
}

export interface QueryCost {
  readonly query: string;
  readonly batches: number;
  readonly rows: number;
  readonly triggerMs: number;
  /** While its batches ran. */
  readonly worked: Nanocredits;
  /** Its part of the time without a batch. */
  readonly idle: Nanocredits;
  /** Worked and idle, half to even; undefined without rows. */
  readonly perMillionRows: Nanocredits | undefined;
  readonly perBatch: Nanocredits | undefined;
}

export interface StreamCost {
  readonly charged: Nanocredits;
  readonly idle: Nanocredits;
  /** Worked and idle of all queries add up to `charged`, where there is any. Dearest first. */
  readonly queries: readonly QueryCost[];
}

const whole = (value: number): bigint => BigInt(Math.max(0, Math.round(value)));

interface Sum {
  batches: number;
  rows: number;
  triggerMs: number;
  worked: Nanocredits;
}

/**
 * Splits a streaming application's charges over its queries, hour by hour: by the durations of their
 * batches, against the time that no batch took, which is idle. Batches of several queries are taken
 * to run one after the other until the hour is full, so idle is rather too low than too high. Idle
 * time is split by the batch durations of the whole window; without any batch, evenly. All splits
 * give the largest remainders. Batches of hours that aren't charged (yet) don't count: their rows
 * would make the others look cheap.
 */
export function streamCost(
  hours: readonly StreamHour[],
  batches: readonly QueryHour[],
): StreamCost {
  const isCharged = new Set(hours.map(({ hour }) => hour));
  const counted = batches.filter(({ hour }) => isCharged.has(hour));
  const ran = Map.groupBy(counted, ({ hour }) => hour);
  const sums = new Map<string, Sum>();
  for (const { query } of [...counted].sort((a, b) => (a.query < b.query ? -1 : 1))) {
    sums.set(query, { batches: 0, rows: 0, triggerMs: 0, worked: 0n });
  }
  let idle = 0n;
  for (const { hour, amount, spanMs } of hours) {
    const here = ran.get(hour) ?? [];
    const durations = here.map(({ triggerMs }) => whole(triggerMs));
    const busy = durations.reduce((sum, ms) => sum + ms, 0n);
    const span = whole(spanMs);
    // A whole without any weight goes to the first: to idle.
    const [rest = 0n, ...parts] = splitWhole(amount, [
      span > busy ? span - busy : 0n,
      ...durations,
    ]);
    idle += rest;
    for (const [index, one] of here.entries()) {
      const sum = sums.get(one.query);
      if (sum === undefined) continue;
      sum.worked += parts[index] ?? 0n;
      sum.batches += one.batches;
      sum.rows += one.rows;
      sum.triggerMs += one.triggerMs;
    }
  }
  const charged = hours.reduce((sum, { amount }) => sum + amount, 0n);
  return { charged, idle, queries: costs(sums, idle) };
}

function costs(sums: ReadonlyMap<string, Sum>, idle: Nanocredits): QueryCost[] {
  if (sums.size === 0) return [];
  const durations = [...sums.values()].map(({ triggerMs }) => whole(triggerMs));
  const isQuiet = durations.every((ms) => ms === 0n);
  const parts = splitWhole(idle, isQuiet ? durations.map(() => 1n) : durations);
  return [...sums]
    .map(([query, sum], index) => {
      const part = parts[index] ?? 0n;
      const total = sum.worked + part;
      const [rows, batches] = [whole(sum.rows), whole(sum.batches)];
      return {
        query,
        ...sum,
        idle: part,
        perMillionRows: rows > 0n ? divideHalfEven(total * 1_000_000n, rows) : undefined,
        perBatch: batches > 0n ? divideHalfEven(total, batches) : undefined,
      };
    })
    .sort((a, b) => {
      const [first, second] = [a.worked + a.idle, b.worked + b.idle];
      return first === second ? (a.query < b.query ? -1 : 1) : first > second ? -1 : 1;
    });
}
