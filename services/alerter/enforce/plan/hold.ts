import type {
  EnforcementState,
  LiveReference,
} from '../../../../shared/stores/enforcement-store.ts';
import { isFresh } from './evidence-gate.ts';
import type { ClusterLook, EnforcementPlan, PlanInput } from './plan-input.ts';
import type { EnforceRules } from './policy.ts';

interface Settled {
  readonly references: EnforcementState['references'];
  /** Clusters that lost too many applications at once, with the numbers. */
  readonly dropped: readonly string[];
}

function isDrop(look: ClusterLook, reference: LiveReference, rules: EnforceRules): boolean {
  const { dropPercent, minimumLive } = rules.freeze;
  return reference.live >= minimumLive && look.live * 100 < reference.live * (100 - dropPercent);
}

/**
 * How many applications each cluster is believed to have: what its last whole look says, but for a
 * sudden drop, which is believed only after it has lasted.
 */
export function settleReferences(
  input: Pick<PlanInput, 'now' | 'steadyMs' | 'rules' | 'clusters' | 'state'>,
): Settled {
  const { rules, steadyMs, now } = input;
  const references: Record<string, LiveReference> = { ...input.state.references };
  const dropped: string[] = [];
  const limits = { now, maxAgeMs: rules.lookMaxAgeMs, clockToleranceMs: rules.clockToleranceMs };
  for (const look of input.clusters) {
    if (!look.complete || !isFresh(look.at, limits)) continue;
    const reference = references[look.cluster];
    const since = reference?.droppedSinceMs ?? steadyMs;
    if (
      reference === undefined ||
      !isDrop(look, reference, rules) ||
      steadyMs - since >= rules.freeze.settleMs
    ) {
      references[look.cluster] = { live: look.live, droppedSinceMs: undefined };
    } else {
      references[look.cluster] = { live: reference.live, droppedSinceMs: since };
      dropped.push(`${look.cluster} from ${reference.live} to ${look.live}`);
    }
  }
  return { references, dropped };
}

/** Why nothing at all may be done now. */
export function holdOf(input: PlanInput): EnforcementPlan['hold'] {
  const { switchedOn, brake, now, state, rules } = input;
  if (!switchedOn.on) return { reason: 'switched-off', detail: switchedOn.why };
  if (brake !== undefined) return { reason: 'braked', detail: `${brake.reason}: ${brake.detail}` };
  const behindMs = state.wallMax - now;
  if (behindMs > rules.clockToleranceMs) {
    return { reason: 'clock-went-back', detail: `by ${behindMs} ms; nothing's age is known` };
  }
  const { dropped } = settleReferences(input);
  if (dropped.length === 0) return undefined;
  return { reason: 'frozen', detail: `applications dropped: ${dropped.join('; ')}` };
}
