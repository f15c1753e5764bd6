import { BASE_STEP, formatPriceStep, type PriceStep } from '../values/price-step.ts';
import { LADDER_STEP, type PriceRule } from './price-rule.ts';

/** Something wrong with a rule, at the member to change first. */
export interface PriceRuleProblem {
  readonly member: keyof PriceRule;
  readonly message: string;
}

/** Users look at a price about a minute after it is announced: the delay of the simulation. */
const REACTION_MS = 60_000;
/** Demand falls by 1.2 % when the price rises by 1 %: the elasticity of the simulation. */
const ELASTICITY = 1.2;
/** Furthest that a price may go before its first move can have been felt. */
const OVERSHOOT_MAX: PriceStep = 150;

/** Time after which a move of the price shows in the smoothed load: what it must wait for. */
function feedbackMs(rule: PriceRule): number {
  const timeConstant = rule.factorPeriodMs / -Math.log(1 - rule.riseFactor);
  return rule.evaluateMs + rule.noticeMs + REACTION_MS + timeConstant;
}

/**
 * Why a rule would swing: the price goes far before its first move is felt, and load then gives way
 * by more than the price moved, so that it comes back as far, and again. Above the knee, 1 % of load
 * is `slope · knee / (1 − knee)` % of the base price; the product with the elasticity is the gain of
 * the loop. Below one, swings die out however fast the price moves. From one on they don't, and are as
 * wide as a few times what the price goes before load answers: `test/simulation/price-rules.test.ts`
 * plays both sides.
 */
function swing(rule: PriceRule): PriceRuleProblem | undefined {
  const gain = (ELASTICITY * rule.slope * rule.knee) / (1 - rule.knee);
  const feltMs = feedbackMs(rule);
  const range = rule.cap - rule.floor;
  const overshoot = Math.min(range, Math.ceil(feltMs / rule.holdMs) * rule.moveMax);
  if (gain < 1 || overshoot <= OVERSHOOT_MAX) return undefined;
  return {
    member: 'holdMs',
    message:
      `the price could move by ${(overshoot / 1_000).toFixed(2)} before its first move is felt, ` +
      `after ${Math.round(feltMs / 1_000)} s, and load then gives way ${gain.toFixed(1)} times as ` +
      'far: it would swing. Raise holdMs, or lower moveMax or slope',
  };
}

/**
 * All that is wrong with a rule: members that contradict each other, and what would make the price
 * diverge from the load instead of following it. Empty for a rule that may be used.
 */
export function priceRuleProblems(rule: PriceRule): PriceRuleProblem[] {
  const problems: PriceRuleProblem[] = [];
  const refuse = (isWrong: boolean, member: keyof PriceRule, message: string): void => {
    if (isWrong) problems.push({ member, message });
  };
  const steps = ['cap', 'floor', 'moveMax'] as const;
  for (const member of steps) {
    const offLadder = !Number.isSafeInteger(rule[member]) || rule[member] % LADDER_STEP !== 0;
    refuse(offLadder, member, `must be on the ladder: a multiple of ${LADDER_STEP / 1_000}`);
  }
  const factors = ['riseFactor', 'fallFactor'] as const;
  for (const member of factors) {
    const outside = !(rule[member] > 0 && rule[member] < 1);
    refuse(outside, member, 'must be above 0 and below 1: a weight of old against new load');
  }
  refuse(!(rule.knee > 0 && rule.knee < 1), 'knee', 'must be above 0 and below 1');
  refuse(
    !(rule.quiet > 0 && rule.quiet <= rule.knee),
    'quiet',
    'must be above 0 and at most the knee: the discount would begin where the price rises',
  );
  refuse(!(rule.slope >= 0), 'slope', 'must be 0 or more: a price that falls with load feeds it');
  refuse(rule.moveMax < LADDER_STEP, 'moveMax', 'must be a rung or more: the price could not move');
  refuse(rule.floor > rule.cap, 'floor', `is above the cap of ${formatPriceStep(rule.cap)}`);
  refuse(rule.floor > BASE_STEP || rule.floor <= 0, 'floor', 'must be above 0 and at most 1');
  refuse(rule.cap < BASE_STEP, 'cap', 'must be 1 or more');
  refuse(rule.noticeMs < 60_000, 'noticeMs', 'must be a minute or more: a rise is told ahead');
  refuse(
    rule.holdMs < rule.evaluateMs,
    'holdMs',
    `must be ${rule.evaluateMs / 1_000} s or more: a price is thought about that often`,
  );
  refuse(
    rule.lostMs <= rule.staleMs,
    'lostMs',
    'must be longer than staleMs: lost load was old load first',
  );
  refuse(!(rule.pendingCap >= 0 && rule.pendingCap <= 2), 'pendingCap', 'must be from 0 to 2');
  refuse(rule.pendingAgeMs <= 0, 'pendingAgeMs', 'must be above 0');
  // What follows divides by what was refused above.
  const swings = problems.length === 0 ? swing(rule) : undefined;
  return swings === undefined ? problems : [...problems, swings];
}
