import type { PriceEpoch } from '../contracts/charge.ts';
import type { LoadFact } from '../contracts/container-fact.ts';
import { formatInstant, type Instant } from '../values/instant.ts';
import { BASE_STEP, type PriceStep } from '../values/price-step.ts';
import { LADDER_STEP, PRICE_RULE_VERSION, type PriceRule, targetPrice } from './price-rule.ts';
import { type LoadState, NO_LOAD, poolShare, smoothLoad } from './smooth-load.ts';

/** All that the next evaluation needs; equal states give equal prices. */
export interface PriceState {
  readonly load: LoadState;
  /** The last epoch announced, in force or not yet; undefined before the first. */
  readonly last: { readonly step: PriceStep; readonly start: Instant } | undefined;
  /** When the price was last thought about: a whole period. */
  readonly evaluatedAt: Instant;
}

export const NO_PRICE: PriceState = { load: NO_LOAD, last: undefined, evaluatedAt: 0 };

/** The price moves only when its target is further off than this, in thousandths: 0.75 of a rung. */
const DEAD_BAND = 0.75 * LADDER_STEP;

interface Move {
  readonly step: PriceStep;
  readonly reason: 'first' | 'load' | 'stale';
  readonly target: number;
}

/** Start of the period that holds `now`: evaluations have the same times in every run. */
export function evaluationTime(now: Instant, rule: PriceRule): Instant {
  return Math.floor(now / rule.evaluateMs) * rule.evaluateMs;
}

/**
 * Thinks about the price of a pool once a period. Pure, so that a restart that starts from the last
 * epoch's inputs and reads the load since goes on as if nothing had happened.
 *
 * @param samples load facts of the pool's clusters since the state, in any order
 * @returns the state after, and the epoch to announce when the price moves: always in the future,
 *   by the notice at least, and on a whole period
 */
export function evaluatePrice(
  pool: string,
  before: PriceState,
  { samples, now }: { readonly samples: readonly LoadFact[]; readonly now: Instant },
  rule: PriceRule,
): { readonly state: PriceState; readonly epoch: PriceEpoch | undefined } {
  const at = evaluationTime(now, rule);
  if (at <= before.evaluatedAt) return { state: before, epoch: undefined };
  const smoothed = smoothLoad(
    before.load,
    samples.filter((sample) => sample.at <= at),
    rule,
  );
  // One period later than the evaluation, since it may come up to a period late.
  const start = at + rule.evaluateMs + Math.ceil(rule.noticeMs / rule.evaluateMs) * rule.evaluateMs;
  const move = nextMove(before.last, smoothed, { at, start }, rule);
  // What load had done before it was lost must not lift the price again at its first new sample.
  const load =
    move?.reason === 'stale' ? { ...smoothed, load: Math.min(smoothed.load, rule.knee) } : smoothed;
  const last = move === undefined ? before.last : { step: move.step, start };
  const state: PriceState = { load, last, evaluatedAt: at };
  if (move === undefined) return { state, epoch: undefined };
  const clusters = Object.values(smoothed.clusters);
  const share = clusters.length === 0 ? null : poolShare(clusters);
  const epoch: PriceEpoch = {
    id: `${pool}@${formatInstant(start)}`,
    pool,
    step: move.step,
    start,
    end: undefined,
    ruleVersion: PRICE_RULE_VERSION,
    reason: move.reason,
    inputs: JSON.stringify({ share, target: move.target / 1_000, rule, state }),
  };
  return { state, epoch };
}

function nextMove(
  last: PriceState['last'],
  { load, at: loadAt }: LoadState,
  { at, start }: { readonly at: Instant; readonly start: Instant },
  rule: PriceRule,
): Move | undefined {
  if (last === undefined) return { step: BASE_STEP, reason: 'first', target: BASE_STEP };
  if (rule.frozen || last.start > at || start - last.start < rule.holdMs) return undefined;
  if (at - loadAt >= rule.lostMs) {
    return last.step === BASE_STEP
      ? undefined
      : { step: BASE_STEP, reason: 'stale', target: BASE_STEP };
  }
  const target = targetPrice(load, rule);
  if (Math.abs(target - last.step) <= DEAD_BAND) return undefined;
  if (target > last.step && at - loadAt > rule.staleMs) return undefined;
  const rung = Math.round(target / LADDER_STEP) * LADDER_STEP;
  const limited = Math.max(last.step - rule.moveMax, Math.min(last.step + rule.moveMax, rung));
  const step = Math.max(rule.floor, Math.min(rule.cap, limited));
  return step === last.step ? undefined : { step, reason: 'load', target };
}

/** The state that an epoch was announced with; undefined when another rule wrote it. */
export function stateOfEpoch(epoch: PriceEpoch): PriceState | undefined {
  if (epoch.ruleVersion !== PRICE_RULE_VERSION) return undefined;
  const inputs = JSON.parse(epoch.inputs) as { readonly state: PriceState };
  return inputs.state;
}
