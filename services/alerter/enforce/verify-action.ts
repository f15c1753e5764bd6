import type { EnforcementAction } from '../../../shared/contracts/action.ts';
import type { StoredStop } from '../../../shared/stores/stop-orders.ts';
import { changeState, type TickContext } from './carry-out.ts';
import { readTarget, type TargetReading } from './read-target.ts';

/** Whether what was asked is seen to be so. */
function isDone(action: EnforcementAction, reading: TargetReading): boolean {
  const reverses = action.state === 'reversing';
  if (reading.is === 'gone') return true;
  if (action.level === 'deny-new-work') {
    return reverses ? reading.is === 'there' : reading.is === 'denied';
  }
  if (action.level !== 'cap-executors' || reading.is !== 'there') return false;
  return reverses ? reading.queue === action.queueBefore : reading.queue !== action.queueBefore;
}

/** Its time is over by both clocks. */
function isOver({ deps, input }: TickContext, action: EnforcementAction): boolean {
  const { intendedAt = 0, intendedSteadyMs = 0, means, withinMs } = action;
  const waitMs = deps.settings.verifyMs + (means === 'stop-order' ? withinMs : 0);
  return input.now - intendedAt > waitMs && input.steadyMs - intendedSteadyMs > waitMs;
}

async function stopOrder({ deps }: TickContext, action: EnforcementAction) {
  if (action.means !== 'stop-order') return undefined;
  const { cluster, id } = action.target;
  const orders = await deps.stopOrders.ofApplication(cluster, id);
  return orders.find((order) => order.id === action.id) ?? 'none';
}

/** An order that nobody took up is taken back, so that it stops nobody later. */
async function withdraw({ deps }: TickContext, action: EnforcementAction): Promise<void> {
  if (action.means !== 'stop-order') return;
  const words = { clean: undefined, message: 'withdrawn: its time is over' };
  await deps.stopOrders.report(action.id, { state: 'refused', ...words }, deps.clock.now());
}

async function fail(
  context: TickContext,
  action: EnforcementAction,
  order: StoredStop | 'none' | undefined,
): Promise<void> {
  const heard = order !== undefined && order !== 'none' && order.state !== 'ordered';
  const detail =
    order === undefined
      ? 'accepted, and nothing came of it'
      : heard
        ? `the agent said: ${order.state} ${order.message}`
        : 'no agent took it up';
  await changeState(context, action, { state: 'failed', reason: 'still-there', detail });
}

/**
 * Looks whether what was asked has come true. Of what was intended and perhaps never asked nothing
 * is asked again: it ends as verified, or as unknown, which a person resolves.
 */
export async function verifyAction(context: TickContext, action: EnforcementAction): Promise<void> {
  const { deps, signal } = context;
  const reading = await readTarget(deps, action, signal);
  const reverses = action.state === 'reversing';
  const wasAsked = action.state === 'asked' && action.reason === '';
  if (isDone(action, reading)) {
    await withdraw(context, action);
    const detail = reading.is === 'gone' ? reading.why : `read as ${reading.is}`;
    const state = reverses ? 'reversed' : 'verified';
    await changeState(context, action, { state, reason: wasAsked ? '' : 'unasked', detail });
    return;
  }
  const order = await stopOrder(context, action);
  if (order === 'none') {
    const detail = 'the order to stop was not stored';
    await changeState(context, action, { state: 'aborted', reason: 'not-ordered', detail });
    return;
  }
  const refused = order?.state === 'refused';
  if (!refused && !isOver(context, action)) return;
  await withdraw(context, action);
  const isKnown = reading.is !== 'unknown' && !reverses;
  // A stored order needs no answer: who finds it knows that it was given.
  if (isKnown && (wasAsked || order !== undefined)) {
    await fail(context, action, order);
    return;
  }
  const detail = reading.is === 'unknown' ? reading.why : 'it is still there, the answer was lost';
  await changeState(context, action, { state: 'unknown', reason: 'unverified', detail });
}
