import type { Charge, PriceEpoch } from '../../../shared/contracts/charge.ts';
import type { ContainerLife } from '../../../shared/intervals/container-life.ts';
import { epochsFor } from '../../../shared/rating/fixed-price.ts';
import { type Outcome, outcomePercent } from '../../../shared/rating/outcome.ts';
import {
  clipIntervals,
  quantityOf,
  type ResourceInterval,
  rateQuantity,
} from '../../../shared/rating/rate-interval.ts';
import { chargeableSpan, rateLife } from '../../../shared/rating/rate-life.ts';
import type { Tariff } from '../../../shared/rating/tariff.ts';
import type { ContainerState, NetCharge } from '../../../shared/stores/ledger-writer.ts';
import { HOUR_MS, type Instant } from '../../../shared/values/instant.ts';
import type { Nanocredits } from '../../../shared/values/money.ts';
import { BASE_STEP } from '../../../shared/values/price-step.ts';
import { NO_RESOURCES } from '../../../shared/values/resources.ts';
import { type Payer, planCharges } from './plan-charges.ts';

export interface MeterContext {
  readonly now: Instant;
  readonly tariff: Tariff;
  /** Of the container's pool, in order of start. */
  readonly epochs: readonly PriceEpoch[];
  readonly accrualIntervalMs: number;
  /** End of the last closed month. */
  readonly closedUntil: Instant | undefined;
}

export interface MeteredContainer {
  readonly life: ContainerLife;
  readonly payer: Payer;
  /** A whole hour; charges before it stand; -Infinity to look at all, as a minimum needs. */
  readonly from: Instant;
  readonly outcome?: Outcome;
}

/**
 * What a container's life costs: the rows to write and the state to keep. A container that is over
 * is charged to its end; one that runs, for its whole hours before its last evidence, and the rest
 * accrues. Nothing is charged beyond `now`, where prices may still be announced.
 *
 * @param net rows of the ledger at or after `from`
 */
export function meterContainer(
  { life, payer, from, outcome = '' }: MeteredContainer,
  net: readonly NetCharge[],
  context: MeterContext,
): { readonly charges: Charge[]; readonly state: ContainerState } {
  const { now, tariff, epochs, closedUntil } = context;
  const percent = outcomePercent(payer.outcome ?? '');
  const { over, seenEnd, chargedUntil } = chargeableSpan(life, now);
  const window = { start: from, end: chargedUntil };
  const { project } = payer;
  const desired = rateLife(life, window, { tariff, epochs, project, percent, over });
  const rest = clipIntervals(life.intervals, { start: chargedUntil, end: seenEnd });
  const accrued = tariff
    .rate(rest, epochs, { project: payer.project, percent })
    .reduce((sum, { amount }) => sum + amount, 0n);
  return {
    charges: planCharges(payer, desired, net, { storedAt: now, closedUntil }),
    state: {
      cluster: payer.cluster,
      container: payer.container,
      application: payer.application,
      state: over ? 'ended' : 'running',
      start: life.start,
      end: over ? life.end : seenEnd,
      coverage: over && life.coverage !== 'open' ? life.coverage : 'running',
      witnessedUntil: seenEnd,
      resources: resourcesAt(life.intervals, seenEnd),
      accrued: over ? 0n : accrued,
      perHour: over
        ? 0n
        : hourCost(life.intervals, { ...context, project: payer.project, percent }),
      chargedUntil,
      nextAt: over ? undefined : now + context.accrualIntervalMs,
      attempt: life.attempt,
      outcome,
    },
  };
}

function resourcesAt(
  intervals: readonly ResourceInterval[],
  at: Instant,
): ResourceInterval['resources'] {
  const interval = intervals.findLast(({ start }) => start < at) ?? intervals[0];
  return interval?.resources ?? NO_RESOURCES;
}

function hourCost(
  intervals: readonly ResourceInterval[],
  {
    now,
    tariff,
    epochs,
    project,
    percent,
  }: MeterContext & { readonly project: string; readonly percent: number },
): Nanocredits {
  const own = epochsFor(tariff.fixedStepAt(now, project), epochs);
  const step = own.findLast(({ start }) => start <= now)?.step ?? BASE_STEP;
  const quantity = quantityOf({
    start: 0,
    end: HOUR_MS,
    resources: resourcesAt(intervals, now),
  });
  return rateQuantity(quantity, step, tariff.cardAt(now), percent);
}
