import type { PriceEpoch, PriceEvaluation } from '../contracts/charge.ts';
import type { LoadFact } from '../contracts/container-fact.ts';
import { formatInstant, type Instant } from '../values/instant.ts';
import { BASE_STEP, type PriceStep } from '../values/price-step.ts';
import type { Resources } from '../values/resources.ts';
import { LADDER_STEP, PRICE_RULE_VERSION, type PriceRule, targetPrice } from './price-rule.ts';
import {
  isFresh,
  type LoadState,
  NO_LOAD,
  poolShare,
  poolSums,
  smoothLoad,
} from './smooth-load.ts';

/** All that the next evaluation needs; equal states give equal prices. */
export interface PriceState {
  readonly load: LoadState;
  /** The last epoch announced, in force or not yet; undefined before the first. */
  readonly last: { readonly step: PriceStep; readonly start: Instant } | undefined;
  /** When the price was last thought about: a whole period. */
  readonly evaluatedAt: Instant;
}

export const NO_PRICE: PriceState = { load: NO_LOAD, last: undefined, evaluatedAt: 0 };

/**
 * Why a price stays: `frozen` by switch, `announced` while the next one isn't in force, `held` since
 * it moved just now, `steady` near its target, `silent` while a cluster isn't heard of that could
 * tell of a rise, `lost` at the base without load.
 */
type PriceStay = 'frozen' | 'announced' | 'held' | 'steady' | 'silent' | 'lost';

/** What an evaluation went by, and what the next one goes on from; kept as JSON. */
export interface PriceInputs {
  /** Of capacity, now, pending included; null without a cluster. */
  readonly share: number | null;
  /** The same, smoothed. */
  readonly load: number;
  /** Multiplier that the load asks for, before ladder, hold and step limit. */
  readonly target: number;
  readonly allocated: Resources;
  /** Aged and capped. */
  readonly pending: Resources;
  readonly capacity: Resources;
  /** Only where the price didn't move. */
  readonly stays?: PriceStay;
  readonly rule: PriceRule;
  /** Names projects that wait: not for everybody's eyes. */
  readonly state: PriceState;
}

/** The price moves only when its target is further off than this, in thousandths: 0.75 of a rung. */
const DEAD_BAND = 0.75 * LADDER_STEP;

interface Move {
  readonly step: PriceStep;
  readonly reason: 'first' | 'load' | 'stale';
}

/** Start of the period that holds `now`: evaluations have the same times in every run. */
export function evaluationTime(now: Instant, rule: PriceRule): Instant {
  return Math.floor(now / rule.evaluateMs) * rule.evaluateMs;
}

export interface EvaluatedPrice {
  readonly state: PriceState;
  /** To announce, when the price moves: in the future by the notice at least, on a whole period. */
  readonly epoch: PriceEpoch | undefined;
  /** To keep: the next evaluation goes on from it. Undefined within the period of the one before. */
  readonly evaluation: PriceEvaluation | undefined;
}

/**
 * Thinks about the price of a pool once a period. Pure, so that a restart that starts from the last
 * evaluation's inputs and reads the load since goes on as if nothing had happened.
 *
 * @param samples load facts of the pool's clusters since the state, in any order
 */
export function evaluatePrice(
  pool: string,
  before: PriceState,
  { samples, now }: { readonly samples: readonly LoadFact[]; readonly now: Instant },
  rule: PriceRule,
): EvaluatedPrice {
  const at = evaluationTime(now, rule);
  if (at <= before.evaluatedAt) return { state: before, epoch: undefined, evaluation: undefined };
  const load = smoothLoad(
    before.load,
    samples.filter((sample) => sample.at <= at),
    rule,
  );
  // One period later than the evaluation, since it may come up to a period late.
  const start = at + rule.evaluateMs + Math.ceil(rule.noticeMs / rule.evaluateMs) * rule.evaluateMs;
  const next = nextMove(before.last, load, { at, start }, rule);
  const moves = typeof next === 'object';
  const last = moves ? { step: next.step, start } : before.last;
  const state: PriceState = { load, last, evaluatedAt: at };
  const inputs = inputsOf(state, rule, moves ? undefined : next);
  const evaluation = { pool, at, ruleVersion: PRICE_RULE_VERSION, inputs };
  if (!moves) return { state, epoch: undefined, evaluation };
  const epoch: PriceEpoch = {
    id: `${pool}@${formatInstant(start)}`,
    pool,
    step: next.step,
    start,
    end: undefined,
    ruleVersion: PRICE_RULE_VERSION,
    reason: next.reason,
    inputs,
  };
  return { state, epoch, evaluation };
}

function inputsOf(state: PriceState, rule: PriceRule, stays: PriceStay | undefined): string {
  const clusters = Object.values(state.load.clusters);
  const inputs: PriceInputs = {
    share: clusters.length === 0 ? null : poolShare(clusters),
    load: state.load.load,
    target: targetPrice(state.load.load, rule) / 1_000,
    ...poolSums(clusters),
    ...(stays === undefined ? {} : { stays }),
    rule,
    state,
  };
  return JSON.stringify(inputs);
}

/** The move, or why there is none. */
function nextMove(
  last: PriceState['last'],
  { load, at: loadAt, clusters }: LoadState,
  { at, start }: { readonly at: Instant; readonly start: Instant },
  rule: PriceRule,
): Move | PriceStay {
  if (last === undefined) return { step: BASE_STEP, reason: 'first' };
  if (rule.frozen) return 'frozen';
  if (last.start > at) return 'announced';
  if (at - loadAt >= rule.lostMs) {
    // A fall needs no hold: nobody should pay for load that nobody sees.
    const step = Math.max(BASE_STEP, last.step - rule.moveMax);
    return step < last.step ? { step, reason: 'stale' } : 'lost';
  }
  if (start - last.start < rule.holdMs) return 'held';
  const target = targetPrice(load, rule);
  if (Math.abs(target - last.step) <= DEAD_BAND) return 'steady';
  if (target > last.step && !isFresh(Object.values(clusters), at, rule)) return 'silent';
  const rung = Math.round(target / LADDER_STEP) * LADDER_STEP;
  const limited = Math.max(last.step - rule.moveMax, Math.min(last.step + rule.moveMax, rung));
  const step = Math.max(rule.floor, Math.min(rule.cap, limited));
  return step === last.step ? 'steady' : { step, reason: 'load' };
}

/** What an epoch or an evaluation was made of; undefined when another rule wrote it. */
export function priceInputs(
  written: Pick<PriceEpoch | PriceEvaluation, 'ruleVersion' | 'inputs'>,
): PriceInputs | undefined {
  if (written.ruleVersion !== PRICE_RULE_VERSION) return undefined;
  return JSON.parse(written.inputs) as PriceInputs;
}
