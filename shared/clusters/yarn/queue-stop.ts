import type { ActuatorAnswer } from '../cluster-actuator.ts';
import type { YarnQueue } from './decode-queues.ts';

/** Settings of one queue that change together; '' takes a setting away. */
export type QueueChange = Readonly<Record<string, string>>;

/** Settings of a queue, by their last name. */
export type QueueSettings = (key: string) => string | undefined;

/**
 * Tollgate's marks stand beside what it changed, in the manager's own configuration: what was there
 * before is never forgotten, whatever happens to Tollgate, and what others stopped is never opened.
 */
const ORDER = 'tollgate-order';
const STATE_BEFORE = 'tollgate-state-before';
const LIMIT_BEFORE = 'tollgate-maximum-applications-before';
const UNSET = 'unset';
const LIMIT = 'maximum-applications';
const NO_MARKS = { [ORDER]: '', [STATE_BEFORE]: '', [LIMIT_BEFORE]: '' };

export function settingsOf(conf: ReadonlyMap<string, string>, path: string): QueueSettings {
  return (key) => conf.get(`yarn.scheduler.capacity.${path}.${key}`);
}

export function letsNobodyIn({ state, maximumApplications }: YarnQueue): boolean {
  return state === 'STOPPED' || state === 'DRAINING' || maximumApplications === 0;
}

function answered(outcome: ActuatorAnswer['outcome'], detail: string): { answer: ActuatorAnswer } {
  return { answer: { outcome, detail } };
}

/** Nothing is to be asked; or another way, for where the manager refuses the one before. */
export type StopPlan =
  | { readonly answer: ActuatorAnswer }
  | { readonly ways: readonly QueueChange[] };

/** How a leaf queue is stopped for new work; what runs in it goes on. */
export function planStop(queue: YarnQueue, settings: QueueSettings, order: string): StopPlan {
  const { path, leaf } = queue;
  if (!leaf) {
    // A parent stops the queues below it too, and starting it again leaves those stopped.
    return answered('unsupported', `${path} has queues below it: name those`);
  }
  if (letsNobodyIn(queue)) return answered('accepted', `${path} lets nobody in already`);
  const half = isHalfStarted(settings);
  const marks = { ...NO_MARKS, [ORDER]: order };
  return {
    ways: [
      { state: 'STOPPED', ...marks, [STATE_BEFORE]: (!half && settings('state')) || UNSET },
      { [LIMIT]: '0', ...marks, [LIMIT_BEFORE]: settings(LIMIT) || UNSET },
    ],
  };
}

/** A start that was interrupted after its first step. */
function isHalfStarted(settings: QueueSettings): boolean {
  return settings(STATE_BEFORE) === UNSET && settings('state') === 'RUNNING';
}

/** Nothing is to be asked; or one change after the other, each once the one before was accepted. */
export type StartPlan =
  | { readonly answer: ActuatorAnswer }
  | { readonly steps: readonly QueueChange[] };

/**
 * How a queue that Tollgate stopped becomes exactly what it was. A state that was not set must be
 * RUNNING first: taking STOPPED away leaves the queue stopped (measured, Hadoop 3.5.0).
 */
export function planStart(queue: YarnQueue, settings: QueueSettings): StartPlan {
  const { path } = queue;
  const [state, limit] = [settings(STATE_BEFORE), settings(LIMIT_BEFORE)];
  if (state === undefined && limit === undefined) {
    return letsNobodyIn(queue)
      ? answered('refused', `${path} was not stopped by Tollgate, and isn't opened by it`)
      : answered('accepted', `${path} is open, and nothing of Tollgate's is left in it`);
  }
  if (isHalfStarted(settings)) return { steps: [{ ...NO_MARKS, state: '' }] };
  if (limit !== undefined && settings(LIMIT) === '0') {
    return { steps: [{ ...NO_MARKS, [LIMIT]: limit === UNSET ? '' : limit }] };
  }
  // What somebody else has set since stands.
  if (state === undefined || settings('state') !== 'STOPPED') return { steps: [NO_MARKS] };
  if (state !== UNSET) return { steps: [{ ...NO_MARKS, state }] };
  return { steps: [{ state: 'RUNNING' }, { ...NO_MARKS, state: '' }] };
}

/** The body of a change. Source: …/yarn/webapp/dao/SchedConfUpdateInfo.java. */
export function changeBody(path: string, change: QueueChange): string {
  const entry = Object.entries(change).map(([key, value]) => ({ key, value }));
  return JSON.stringify({ 'update-queue': [{ 'queue-name': path, params: { entry } }] });
}
