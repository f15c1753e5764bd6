import type { ActionProposal, EnforcementAction } from '../../../shared/contracts/action.ts';
import {
  type ChainVerdict,
  HISTORY_START,
  verifyHistory,
} from '../../../shared/stores/enforcement-history.ts';
import type { EnforcementReader, HistoryEntry } from '../../../shared/stores/enforcement-store.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { actionId } from './action-identity.ts';
import type { FrozenInput } from './freeze-input.ts';
import { PLANNER_VERSION, planEnforcement } from './plan/plan-enforcement.ts';
import type { Obstacle } from './plan/plan-input.ts';

export type { FrozenInput } from './freeze-input.ts';

const PAGE = 1_000;

/** Whether a decision follows again from what it was made from. */
export interface Replay {
  readonly same: boolean;
  /** By which version it was decided; another one may decide otherwise. */
  readonly planner: string;
  readonly plannerNow: string;
  /** What would be proposed; undefined: nothing, for `left`. */
  readonly proposed: ActionProposal | undefined;
  readonly left: readonly Obstacle[];
}

export interface ActionExplanation {
  readonly action: EnforcementAction;
  /** What became of it, oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** Of the whole chain, from its first entry. */
  readonly chain: ChainVerdict;
  /** Undefined where the frozen input isn't in the chain. */
  readonly replay: Replay | undefined;
}

async function verifyAll(store: Pick<EnforcementReader, 'history'>): Promise<ChainVerdict> {
  let at = { seq: 0, hash: HISTORY_START };
  for (;;) {
    const page = await store.history(at.seq, PAGE);
    const verdict = verifyHistory(page, at);
    if (!verdict.whole || page.length === 0) return verdict;
    at = verdict;
  }
}

/** Plans once more from the frozen input of a proposal. */
export function replayProposal(action: EnforcementAction, frozen: FrozenInput): Replay {
  const plan = planEnforcement(frozen.input);
  const proposed = plan.propose.find((one) => actionId(one, action.proposedAt) === action.id);
  const same =
    proposed !== undefined &&
    Object.entries(proposed).every(
      ([name, value]) =>
        canonicalJson(value) === canonicalJson(action[name as keyof ActionProposal]),
    );
  return {
    ...{ same, proposed, planner: frozen.planner, plannerNow: PLANNER_VERSION },
    left: plan.left.map(({ reason, detail }) => ({ reason, detail })),
  };
}

/**
 * All that is known of an action: what was decided from what, each step, whether the chain that
 * tells it is whole, and whether the decision comes out the same. Undefined for an unknown id.
 */
export async function explainAction(
  store: Pick<EnforcementReader, 'action' | 'history' | 'historyOf'>,
  id: string,
): Promise<ActionExplanation | undefined> {
  const action = await store.action(id);
  if (action === undefined) return undefined;
  const entries = await store.historyOf(id);
  const first = entries.find(({ kind }) => kind === 'proposed');
  const { frozen } = (first === undefined ? {} : JSON.parse(first.body)) as { frozen?: string };
  return {
    ...{ action, entries, chain: await verifyAll(store) },
    replay:
      frozen === undefined ? undefined : replayProposal(action, JSON.parse(frozen) as FrozenInput),
  };
}
