import {
  type ActionState,
  DESTRUCTIVE_LEVELS,
  type EnforcementAction,
} from '../../../shared/contracts/action.ts';
import type { Fence } from '../../../shared/stores/lease.ts';
import { canonicalJson } from '../../../shared/values/canonical-json.ts';
import { intentKey } from './action-identity.ts';
import { actuationOf, askCluster } from './ask-cluster.ts';
import type { EnforcerDeps } from './enforcer-deps.ts';
import { gatherAgain } from './gather-input.ts';
import { dueOverBudget } from './plan/budget.ts';
import { decideOpen } from './plan/decide-open.ts';
import { holdOf } from './plan/hold.ts';
import type { PlanInput } from './plan/plan-input.ts';
import { readTarget, type TargetReading } from './read-target.ts';

/** One tick's surroundings. */
export interface TickContext {
  readonly deps: EnforcerDeps;
  readonly fence: Fence;
  readonly signal: AbortSignal;
  readonly input: PlanInput;
}

/** Writes the next state of an action as it was read, and tells of it. */
export async function changeState(
  { deps, fence, input }: TickContext,
  action: EnforcementAction,
  change: { state: ActionState; reason?: string; detail?: string } & Partial<
    Pick<EnforcementAction, 'announcedAt' | 'announcedSteadyMs'>
  >,
): Promise<void> {
  const words = { reason: '', detail: '', ...change };
  await deps.store.change(action, words, Math.max(deps.clock.now(), input.now), fence);
  const { id, level, policy, target } = action;
  const { state, reason, detail } = words;
  deps.logger.info({ action: id, level, policy, target, state, reason, detail }, 'enforcement');
  deps.metrics.counter(
    'tollgate_enforce_actions_total',
    'States that actions of enforcement came to, by level and reason.',
  )({ level, state, reason });
}

/** The same input with the cluster as it was just read. */
function withReading(
  input: PlanInput,
  action: EnforcementAction,
  reading: TargetReading,
): PlanInput {
  if (reading.is !== 'there' || reading.cluster === undefined) return input;
  const sight = reading.cluster;
  const isIt = (cluster: string): boolean => cluster === action.target.cluster;
  return {
    ...input,
    clusters: input.clusters.map((look) => (isIt(look.cluster) ? { ...look, sight } : look)),
  };
}

/** @returns whether it may go on */
async function mayGoOn(
  context: TickContext,
  action: EnforcementAction,
  reading: TargetReading,
): Promise<boolean> {
  switch (reading.is) {
    case 'there':
      return true;
    case 'unknown':
      return false;
    case 'gone':
      await changeState(context, action, {
        state: 'aborted',
        reason: 'ended',
        detail: reading.why,
      });
      return false;
    case 'denied': {
      // Somebody else did, who alone may take it back.
      const detail = 'new work is denied already';
      await changeState(context, action, { state: 'failed', reason: 'already-done', detail });
      return false;
    }
  }
}

async function intend(
  { deps, fence, input }: TickContext,
  action: EnforcementAction,
  options: { way: 'do' | 'undo'; recheck: PlanInput | undefined; reading: TargetReading },
): Promise<EnforcementAction | undefined> {
  const { reading, way } = options;
  const at = deps.clock.now();
  const { id, level, project, target } = action;
  const key = intentKey(action, at, way);
  const before =
    reading.is === 'there' && way === 'do'
      ? { queueBefore: reading.queue, restore: reading.restore }
      : { queueBefore: action.queueBefore, restore: action.restore };
  const recheck = canonicalJson({ reading, input: options.recheck ?? null });
  const intent = { key, action: id, level, project, target, at, steadyMs: input.steadyMs };
  await deps.store.intend(intent, { version: action.version, ...before, recheck }, fence);
  // What comes after is written over exactly this version.
  return await deps.store.action(id);
}

/** Asks, once, and writes what was answered. */
async function askAndRecord(
  context: TickContext,
  action: EnforcementAction,
  way: 'do' | 'undo',
): Promise<void> {
  const { deps, signal } = context;
  const { outcome, detail } = await askCluster(deps, action, way, signal);
  if (way === 'undo') {
    if (outcome === 'accepted' || outcome === 'unknown') return;
    const words = { reason: 'not-reversed', detail } as const;
    await changeState(context, action, { state: 'unknown', ...words });
  } else if (outcome === 'refused' || outcome === 'unsupported') {
    await changeState(context, action, { state: 'failed', reason: outcome, detail });
  } else if (action.means === 'admission') {
    await changeState(context, action, { state: 'verified', detail });
  } else {
    const reason = outcome === 'unknown' ? 'answer-lost' : '';
    await changeState(context, action, { state: 'asked', reason, detail });
  }
}

/**
 * Does one due action: everything that may have changed is read again, then the target, then the
 * intent is written, then its manager is asked.
 *
 * @param done destructive ones of this tick so far
 * @returns whether something was begun
 */
export async function executeAction(
  context: TickContext,
  id: string,
  done: number,
): Promise<boolean> {
  const { deps, input, signal } = context;
  const again = await gatherAgain(deps, input, id);
  const action = again?.actions[0];
  if (again === undefined || action === undefined) return false;
  const readAt = deps.clock.elapsed();
  const reading = await readTarget(deps, action, signal);
  const fresh = withReading({ ...again, now: deps.clock.now() }, action, reading);
  const decision = decideOpen(action, fresh, holdOf(fresh));
  if (decision.next === 'abort') {
    const { reason, detail } = decision;
    await changeState(context, action, { state: 'aborted', reason, detail });
    return false;
  }
  if (decision.next !== 'execute' || dueOverBudget([action], fresh, done) !== undefined)
    return false;
  if (!(await mayGoOn(context, action, reading))) return false;
  if (action.means === 'none') {
    await changeState(context, action, { state: 'verified', detail: 'it was announced' });
    return false;
  }
  const begun = await intend(context, action, { way: 'do', recheck: fresh, reading });
  if (begun === undefined) return false;
  const destructive = DESTRUCTIVE_LEVELS.has(action.level);
  const late = deps.clock.elapsed() - readAt > deps.settings.actWithinMs;
  if (late || signal.aborted) {
    const detail = 'too long after its target was read; nothing was asked';
    await changeState(context, begun, { state: 'aborted', reason: 'too-late', detail });
    return destructive;
  }
  await askAndRecord(context, begun, 'do');
  return destructive;
}

/** Takes back what stands, when its reason has ended. */
export async function liftAction(context: TickContext, id: string): Promise<void> {
  const { deps, signal } = context;
  const action = await deps.store.action(id);
  if (action?.state !== 'verified') return;
  if (action.means === 'admission') {
    await changeState(context, action, { state: 'reversed', detail: 'its alert has ended' });
    return;
  }
  const reading = await readTarget(deps, action, signal);
  if (reading.is === 'gone') {
    await changeState(context, action, { state: 'reversed', detail: reading.why });
    return;
  }
  const undo = actuationOf(action.level, 'undo');
  const { actuator } = deps.clusters.get(action.target.cluster) ?? {};
  const able = undo !== undefined && actuator?.abilities.has(undo);
  if (reading.is === 'unknown' || !able) return;
  const begun = await intend(context, action, { way: 'undo', recheck: undefined, reading });
  if (begun !== undefined) await askAndRecord(context, begun, 'undo');
}
