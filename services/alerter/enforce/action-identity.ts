import { hash } from 'node:crypto';
import type { ActionProposal, EnforcementAction } from '../../../shared/contracts/action.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import type { Instant } from '../../../shared/values/instant.ts';

const digest = (parts: readonly unknown[]): string => hash('sha256', canonicalJson(parts), 'hex');

/** The same proposal at the same moment is one action, however often it is written. */
export function actionId(proposal: ActionProposal, at: Instant): string {
  const { policy, level, alert, episode, target } = proposal;
  return `act-${digest([policy, level, alert, episode, target, at]).slice(0, 32)}`;
}

/**
 * What may be begun once: a level of a policy on one incarnation in one period of UTC. Periods are
 * aligned, so that whoever computes it comes to the same.
 */
export function intentKey(
  { policy, level, target, periodMs }: EnforcementAction,
  at: Instant,
  way: 'do' | 'undo',
): string {
  const period = Math.floor(at / periodMs);
  return digest([policy, level, target, way === 'undo' ? at : period, way]);
}
