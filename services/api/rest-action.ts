import { dueAt, type EnforcementAction } from '../../shared/contracts/action.ts';
import type { RestAction } from '../../shared/contracts/rest-enforcement.ts';
import { formatInstant, type Instant } from '../../shared/values/instant.ts';

const orNull = (at: Instant | undefined): string | null =>
  at === undefined ? null : formatInstant(at);

export function restActionOf(action: EnforcementAction): RestAction {
  const { id, policy, policyVersion, level, state, reason, detail, alert, episode, rule } = action;
  const { kind, cluster, id: target, startedAt } = action.target;
  const { announcedAt } = action;
  return {
    ...{ id, policy, policyVersion, level, state, reason, detail, alert, episode, rule },
    project: action.project ?? null,
    target: { kind, cluster, id: target, startedAt: formatInstant(startedAt) },
    proposedAt: formatInstant(action.proposedAt),
    announcedAt: orNull(announcedAt),
    dueAt: announcedAt === undefined ? null : formatInstant(dueAt(action, announcedAt)),
    extensions: action.extensions,
    intendedAt: orNull(action.intendedAt),
    updatedAt: formatInstant(action.updatedAt),
  };
}
