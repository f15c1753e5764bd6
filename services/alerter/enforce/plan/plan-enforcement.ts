import {
  type ActionProposal,
  DESTRUCTIVE_LEVELS,
  type EnforcementAction,
  isOpen,
  targetName,
} from '../../../../shared/contracts/action.ts';
import { dueOverBudget, proposedOverBudget } from './budget.ts';
import { decideOpen } from './decide-open.ts';
import { decideTrack } from './decide-track.ts';
import { holdOf } from './hold.ts';
import type { CallOff, EnforcementPlan, LeftAlone, PlanInput } from './plan-input.ts';
import { policyCovers, tracksOf } from './tracks.ts';

/** Rises when the same input may lead to another plan. */
export const PLANNER_VERSION = '1';

const SEVERITY_ORDER = ['critical', 'warning', 'info'];

interface Opened {
  readonly execute: EnforcementAction[];
  readonly abort: CallOff[];
  readonly wait: CallOff[];
  readonly lift: string[];
}

function planOpen(input: PlanInput, hold: EnforcementPlan['hold']): Opened {
  const opened: Opened = { execute: [], abort: [], wait: [], lift: [] };
  for (const action of input.actions.filter(isOpen)) {
    const decision = decideOpen(action, input, hold);
    if (decision.next === 'execute') opened.execute.push(action);
    else if (decision.next === 'lift') opened.lift.push(action.id);
    else if (decision.next === 'abort' || decision.next === 'wait') {
      const { reason, detail } = decision;
      opened[decision.next].push({ action: action.id, reason, detail });
    }
  }
  return opened;
}

function planNew(input: PlanInput, hold: EnforcementPlan['hold']) {
  const propose = new Map<string, ActionProposal>();
  const left: LeftAlone[] = [];
  const alerts = input.alerts
    .filter(({ state }) => state === 'firing')
    .sort(
      (a, b) =>
        SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) ||
        (a.id < b.id ? -1 : 1),
    );
  for (const alert of alerts) {
    for (const policy of input.policies.filter((one) => policyCovers(one, alert))) {
      for (const track of tracksOf(alert, policy, input)) {
        const decision = decideTrack(track, input, hold);
        if ('left' in decision) left.push(decision.left);
        // Two alerts of one thing lead to one action; the others find it in flight at the next tick.
        else
          for (const one of decision.propose) {
            const key = `${one.level} ${targetName(one.target)}`;
            if (!propose.has(key)) propose.set(key, one);
          }
      }
    }
  }
  return { propose: [...propose.values()], left };
}

/** What the brake calls off: all that would end work and hasn't been begun. */
function braked(input: PlanInput, detail: string): CallOff[] {
  return input.actions
    .filter(({ level, state }) => {
      return DESTRUCTIVE_LEVELS.has(level) && (state === 'proposed' || state === 'announced');
    })
    .map(({ id }) => ({ action: id, reason: 'over-budget', detail }));
}

/**
 * What enforcement does now. Proposes only: whoever carries it out looks at each target once more.
 * Equal inputs give equal plans.
 */
export function planEnforcement(input: PlanInput): EnforcementPlan {
  const hold = holdOf(input);
  const { execute, abort, lift, wait } = planOpen(input, hold);
  const { propose, left } = planNew(input, hold);
  const over = dueOverBudget(execute, input) ?? proposedOverBudget(propose, input);
  const ignored = input.applications.flatMap(({ cluster, id, exempt }) => {
    return exempt.state === 'ignored' ? [{ cluster, application: id, why: exempt.why }] : [];
  });
  const common = { at: input.now, hold, lift, left, ignoredExemptions: ignored };
  if (over === undefined && hold?.reason !== 'braked') {
    const ids = execute.map(({ id }) => id);
    return { ...common, brake: undefined, propose, execute: ids, abort, wait };
  }
  const detail = over ?? hold?.detail ?? '';
  const off = braked(input, detail);
  const isOff = new Set(off.map(({ action }) => action));
  return {
    ...common,
    brake: over === undefined ? undefined : { reason: 'over-budget', detail },
    propose: [],
    execute: [],
    abort: [...abort.filter(({ action }) => !isOff.has(action)), ...off],
    wait: wait.filter(({ action }) => !isOff.has(action)),
    lift: over === undefined ? lift : [],
  };
}
