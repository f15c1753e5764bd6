import { ENFORCEMENT_LEVELS, type EnforcementLevel } from '../../../../shared/contracts/action.ts';
import type { Obstacle, PlanInput } from './plan-input.ts';
import type { Policy } from './policy.ts';

/**
 * Why a level only observes: it or a milder one of the ladder isn't switched on, or was switched on
 * for the policy as it was before.
 */
export function levelObstacle(
  policy: Policy,
  level: EnforcementLevel,
  { levels }: Pick<PlanInput, 'levels'>,
): Obstacle | undefined {
  const last = ENFORCEMENT_LEVELS.indexOf(level);
  for (const rung of policy.ladder) {
    if (ENFORCEMENT_LEVELS.indexOf(rung.level) > last) break;
    const turned = levels.find((one) => one.policy === policy.id && one.level === rung.level);
    if (turned === undefined || !turned.on) {
      return { reason: 'observe', detail: `${rung.level} is not switched on` };
    }
    if (turned.policyVersion !== policy.version) {
      const detail = `${policy.id} was edited since ${turned.by} switched ${rung.level} on`;
      return { reason: 'policy-changed', detail };
    }
  }
  return undefined;
}
