import type { PriceEpoch } from '../../../shared/contracts/charge.ts';
import { estimateUse, type PlannedResources } from '../../../shared/rating/evaluate-quota.ts';
import type { WorkloadRun } from '../../../shared/stores/workload-reader.ts';
import { HOUR_MS, type Instant } from '../../../shared/values/instant.ts';
import type { Nanocredits } from '../../../shared/values/money.ts';
import type { PriceStep } from '../../../shared/values/price-step.ts';
import type { RateCard } from '../../../shared/values/rate-card.ts';
import {
  atStep,
  baseCost,
  mapSpread,
  QUARTILES_FROM,
  type Spread,
  spreadOf,
} from './forecast-cost.ts';
import { meanStep } from './mean-step.ts';

/** What is known when a quote is asked for. */
export interface QuoteQuestion {
  readonly now: Instant;
  /** In force now. */
  readonly step: PriceStep;
  /** From now on, with what is announced and what the quote promises. */
  readonly epochs: readonly PriceEpoch[];
  readonly card: RateCard;
  /** Earlier runs, newest first. */
  readonly runs: readonly WorkloadRun[];
  /** What it will hold; undefined where the caller doesn't say. */
  readonly resources: PlannedResources | undefined;
  /** How long; undefined: as its runs did. */
  readonly durationMs: number | undefined;
}

export interface CostForecast extends Spread<Nanocredits> {
  readonly basis: 'history' | 'plan' | 'plan-and-history';
  readonly range: 'quartiles' | 'extremes' | 'plan';
}

export interface QuoteForecast {
  readonly durationMs: Spread<number> | undefined;
  /** Over the expected run, from now on. */
  readonly step: PriceStep;
  /** Undefined without earlier runs and without a plan. */
  readonly cost: CostForecast | undefined;
  readonly perHour: Nanocredits | undefined;
}

function costOf(
  question: QuoteQuestion,
  durationMs: Spread<number> | undefined,
  step: PriceStep,
): CostForecast | undefined {
  const { resources, card, runs } = question;
  const ofRuns = runs.length < QUARTILES_FROM ? 'extremes' : 'quartiles';
  if (resources !== undefined) {
    if (durationMs === undefined) return undefined;
    const planned = question.durationMs !== undefined;
    return {
      ...mapSpread(durationMs, (ms) => estimateUse({ resources, durationMs: ms }, step, card)),
      basis: planned ? 'plan' : 'plan-and-history',
      range: planned ? 'plan' : ofRuns,
    };
  }
  const base = spreadOf(runs.map(baseCost));
  if (base === undefined) return undefined;
  return { ...mapSpread(base, (one) => atStep(one, step)), basis: 'history', range: ofRuns };
}

/** What an application that starts now is expected to cost. */
export function evaluateQuote(question: QuoteQuestion): QuoteForecast {
  const { now, epochs, runs, resources, durationMs: planned, card } = question;
  const durationMs =
    planned === undefined
      ? spreadOf(runs.map(({ start, end }) => end - start))
      : { expected: planned, low: planned, high: planned };
  const step = meanStep({ start: now, end: now + (durationMs?.expected ?? 0) }, epochs);
  return {
    durationMs,
    step,
    cost: costOf(question, durationMs, step),
    perHour: resources && estimateUse({ resources, durationMs: HOUR_MS }, question.step, card),
  };
}
