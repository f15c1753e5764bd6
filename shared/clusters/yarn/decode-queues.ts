import {
  count,
  field,
  isObject,
  type JsonObject,
  objectAt,
  objectsIn,
  text,
} from '../lenient-json.ts';

/** A queue of the CapacityScheduler. */
export interface YarnQueue {
  /** From the root, such as `root.etl.nightly`. */
  readonly path: string;
  /** Applications go to leaves only. */
  readonly leaf: boolean;
  /** RUNNING, STOPPED or DRAINING (stopped, and some still run); of the nearest one that isn't RUNNING. */
  readonly state: string;
  readonly maximumApplications: number | undefined;
}

const MAX_DEPTH = 50;

function visit(row: JsonObject, above: { path: string; state: string }, queues: YarnQueue[]): void {
  const name = text(row, 'queueName');
  const path = text(row, 'queuePath') || `${above.path}.${name}`;
  const below = objectsIn(field(objectAt(row, 'queues'), 'queue'));
  // A queue below one that is stopped lets nobody in, whatever it says of itself.
  const state = above.state === 'RUNNING' ? text(row, 'state') : above.state;
  const leaf = below.length === 0 && text(row, 'type') === 'capacitySchedulerLeafQueueInfo';
  queues.push({ path, leaf, state, maximumApplications: count(row, 'maxApplications') });
  if (path.split('.').length > MAX_DEPTH) return;
  for (const child of below) visit(child, { path, state }, queues);
}

/**
 * The answer of `/ws/v1/cluster/scheduler`; undefined when it is another scheduler's, which has no
 * states of queues. The root tells no state of its own. Source: …/webapp/dao/CapacitySchedulerInfo.java
 * and CapacitySchedulerQueueInfo.java.
 */
export function decodeQueues(answer: unknown): YarnQueue[] | undefined {
  const root = objectAt(answer, 'scheduler', 'schedulerInfo');
  if (text(root, 'type') !== 'capacityScheduler') return undefined;
  const queues: YarnQueue[] = [];
  const path = text(root, 'queuePath') || 'root';
  for (const child of objectsIn(field(objectAt(root, 'queues'), 'queue'))) {
    visit(child, { path, state: 'RUNNING' }, queues);
  }
  return queues;
}

/** By its path, or by its last name where only one has it: older managers tell no more. */
export function queueNamed(queues: readonly YarnQueue[], name: string): YarnQueue | undefined {
  const exact = queues.find(({ path }) => path === name);
  if (exact !== undefined || name.includes('.')) return exact;
  const named = queues.filter(({ path }) => path.endsWith(`.${name}`));
  return named.length === 1 ? named[0] : undefined;
}

/**
 * The answer of `/ws/v1/cluster/scheduler-conf`: `{"property": [{"name", "value"}]}`; undefined when
 * it is something else, such as that the scheduler's configuration can't be changed.
 */
export function decodeSchedulerConf(answer: unknown): ReadonlyMap<string, string> | undefined {
  if (!isObject(answer) || !Object.hasOwn(answer, 'property')) return undefined;
  const conf = new Map<string, string>();
  for (const row of objectsIn(field(answer, 'property'))) {
    conf.set(text(row, 'name'), text(row, 'value', 100_000));
  }
  return conf;
}
