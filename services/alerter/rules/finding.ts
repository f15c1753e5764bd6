import type { AlertVerdict } from '../../../shared/contracts/alert.ts';
import type { Sample } from '../signals/signal.ts';
import type { Rule } from './rule.ts';
import { holds } from './threshold.ts';

/** What one reading says of one subject. */
export interface Finding {
  readonly verdict: AlertVerdict;
  /** For verdicts other than ok and breach; else ''. */
  readonly why: string;
  /**
   * Where it moves an alert. `hold`: neither in breach nor clear, so that what fires goes on and what
   * is pending was no lasting breach; `nowhere`: nothing is known.
   */
  readonly towards: 'firing' | 'end' | 'hold' | 'nowhere';
}

const NOT_WHOLE = 'what was read is not whole, so that it ends nothing';

/** How a value stands to a rule. An end needs whole evidence; a breach on part of it is told too. */
export function findingOf(rule: Rule, { value, why, evidence }: Sample): Finding {
  if (value === undefined || !Number.isFinite(value)) {
    const towards = rule.noData === 'alert' ? 'firing' : 'nowhere';
    return {
      verdict: 'no_data',
      why: why === '' ? `the value is ${value ?? 'missing'}` : why,
      towards,
    };
  }
  if (holds(rule.when, value)) return { verdict: 'breach', why: '', towards: 'firing' };
  if (evidence.some(({ complete }) => !complete)) {
    return { verdict: 'no_data', why: NOT_WHOLE, towards: 'nowhere' };
  }
  const clear = rule.clear === undefined || holds(rule.clear, value);
  return { verdict: 'ok', why: '', towards: clear ? 'end' : 'hold' };
}
