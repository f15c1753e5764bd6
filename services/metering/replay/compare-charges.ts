import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import type { RestReplayResult } from '../../../shared/contracts/rest-replay.ts';
import { cutAtEpochs } from '../../../shared/rating/rate-interval.ts';
import { divideHalfEven } from '../../../shared/values/divide-half-even.ts';
import type { Interval } from '../../../shared/values/interval.ts';
import { formatCredits, type Nanocredits } from '../../../shared/values/money.ts';

type Pools = ReadonlyMap<string, readonly PriceEpoch[]>;

/** `-12.50`: hundredths of a percent, rounded half to even; null of nothing. */
function percentOf(difference: Nanocredits, of: Nanocredits): string | null {
  if (of === 0n) return null;
  const hundredths = divideHalfEven(difference * 10_000n, of < 0n ? -of : of);
  const magnitude = hundredths < 0n ? -hundredths : hundredths;
  const sign = hundredths < 0n ? '-' : '';
  return `${sign}${magnitude / 100n}.${(magnitude % 100n).toString().padStart(2, '0')}`;
}

/** What was charged beside what would have been. */
export function changeOf(charged: Nanocredits, replayed: Nanocredits): RestReplayResult['total'] {
  const difference = replayed - charged;
  return {
    charged: formatCredits(charged),
    replayed: formatCredits(replayed),
    difference: formatCredits(difference),
    percent: percentOf(difference, charged),
  };
}

interface Course {
  readonly changes: number;
  readonly mean: string;
  readonly highest: string;
}

/** A pool's price over the window. */
function courseOf(epochs: readonly PriceEpoch[], window: Interval): Course {
  const pieces = cutAtEpochs(window, epochs);
  const length = BigInt(window.end - window.start);
  const weighted = pieces.reduce(
    (sum, { start, end, step }) => sum + BigInt(end - start) * BigInt(step),
    0n,
  );
  const changes = pieces.filter(({ step }, i) => i > 0 && step !== pieces[i - 1]?.step).length;
  const highest = Math.max(...pieces.map(({ step }) => step));
  const mean = divideHalfEven(weighted, length);
  return {
    changes,
    mean: (Number(mean) / 1_000).toFixed(3),
    highest: (highest / 1_000).toFixed(2),
  };
}

/** Prices as they were announced beside those of the replay, pool by pool. */
export function comparePools(
  announced: Pools,
  replayed: Pools,
  window: Interval,
): RestReplayResult['pools'] {
  return [...replayed.keys()].map((pool) => {
    const before = courseOf(announced.get(pool) ?? [], window);
    const after = courseOf(replayed.get(pool) ?? [], window);
    return {
      pool,
      changes: { announced: before.changes, replayed: after.changes },
      mean: { announced: before.mean, replayed: after.mean },
      highest: { announced: before.highest, replayed: after.highest },
    };
  });
}
