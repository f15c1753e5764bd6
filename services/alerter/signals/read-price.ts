import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { BASE_STEP, formatPriceStep } from '../../../shared/values/price-step.ts';
import type { SignalOf } from '../rules/signal-config.ts';
import { namedAmong } from './named-among.ts';
import { seen } from './seen.ts';
import type { Sample } from './signal.ts';
import type { SignalDeps } from './signal-deps.ts';
import { type ReadSubjects, wholeRead } from './subjects-read.ts';

type Deps = Pick<SignalDeps, 'prices' | 'pools'>;

function sampleOf(
  pool: string,
  epoch: PriceEpoch | undefined,
  watermark: Instant | undefined,
): Sample {
  const step = epoch?.step ?? BASE_STEP;
  const value = step / 1_000;
  return {
    labels: { pool },
    project: undefined,
    target: { kind: 'pool', cluster: '', id: pool, startedAt: epoch?.start },
    value,
    why: '',
    evidence: [seen(['price multiplier', value, 'X'], 'price book', watermark)],
    annotations: { price: formatPriceStep(step), reason: epoch?.reason ?? '' },
    cost: undefined,
  };
}

/** A pool without an epoch is at the base price. */
export function readPrice(config: SignalOf<'price'>, deps: Deps): ReadSubjects {
  return async (at) => {
    const samples: Sample[] = [];
    const watermarks: (Instant | undefined)[] = [];
    for (const pool of namedAmong('pools', config.pools, deps.pools)) {
      const epochs = await deps.prices.epochs(pool, at, at + 1);
      const evaluated = await deps.prices.evaluation(pool);
      const watermark = evaluated === undefined ? undefined : Math.min(evaluated.at, at);
      watermarks.push(watermark);
      samples.push(sampleOf(pool, epochs.at(-1), watermark));
    }
    return wholeRead(samples, watermarks);
  };
}
