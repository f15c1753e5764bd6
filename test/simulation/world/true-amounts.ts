import { HOUR_MS, type Instant } from '../../../shared/values/instant.ts';
import type { RateCard } from '../../../shared/values/rate-card.ts';
import type { Resources } from '../../../shared/values/resources.ts';

/** What a container really was. */
export interface TrueLife {
  readonly start: Instant;
  readonly end: Instant;
  /** In order of time; the first from its start on. */
  readonly sizes: readonly { readonly from: Instant; readonly resources: Resources }[];
}

/** The price from an instant on; 1,000 before the first. */
export interface TrueStep {
  readonly start: Instant;
  readonly step: number;
}

/** The last of those that have begun. */
function inForce<T>(list: readonly T[], begin: (one: T) => Instant, at: Instant): T | undefined {
  return list.filter((one) => begin(one) <= at).at(-1);
}

/** Half to even, by the remainder alone. */
function rounded(numerator: bigint, denominator: bigint): bigint {
  const whole = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  if (twice < denominator || (twice === denominator && whole % 2n === 0n)) return whole;
  return whole + 1n;
}

/**
 * What a life costs, by hour and price step: an oracle that shares no code with what charges. It
 * looks at each piece between two instants at which anything changes.
 *
 * @returns nanocredits by `hour/step`; lines that come to nothing are left out
 */
export function trueAmounts(
  { start, end, sizes }: TrueLife,
  steps: readonly TrueStep[],
  card: Pick<RateCard, 'coreSecond' | 'gibSecond' | 'gpuSecond'>,
): Map<string, bigint> {
  const cuts = new Set([start, end, ...sizes.map(({ from }) => from)]);
  for (const step of steps) cuts.add(step.start);
  for (let hour = Math.ceil(start / HOUR_MS) * HOUR_MS; hour < end; hour += HOUR_MS) cuts.add(hour);
  const instants = [...cuts].filter((at) => at >= start && at <= end).sort((a, b) => a - b);
  // In nanocredits × 1,000 (millicores) × 1,024 (MiB) × 1,000 (ms) × 1,000 (steps).
  const sums = new Map<string, bigint>();
  for (const [index, from] of instants.entries()) {
    const until = instants[index + 1];
    const size = inForce(sizes, (one) => one.from, from)?.resources;
    if (until === undefined || size === undefined) continue;
    const step = inForce(steps, (one) => one.start, from)?.step ?? 1_000;
    const perMs =
      BigInt(size.millicores) * card.coreSecond * 1_024n +
      BigInt(size.memoryMib) * card.gibSecond * 1_000n +
      BigInt(size.gpus) * card.gpuSecond * 1_024_000n;
    const key = `${Math.floor(from / HOUR_MS) * HOUR_MS}/${step}`;
    sums.set(key, (sums.get(key) ?? 0n) + perMs * BigInt(until - from) * BigInt(step));
  }
  const amounts = [...sums].map(
    ([key, sum]) => [key, rounded(sum, 1_024_000n * 1_000_000n)] as const,
  );
  return new Map(amounts.filter(([, amount]) => amount !== 0n));
}
