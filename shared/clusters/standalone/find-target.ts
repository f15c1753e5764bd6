import type { ApplicationSight } from '../cluster-actuator.ts';
import type { MasterState } from './decode-master.ts';
import { isDriverId, isStandaloneApplicationId } from './standalone-ids.ts';

/** What one answer of a master says of a target; undefined where it knows no such one. */
export type StandaloneTarget = Pick<
  Extract<ApplicationSight, { outcome: 'seen' }>,
  'state' | 'finalState' | 'startedAt' | 'name' | 'user'
>;

const ENDED_DRIVER = new Set(['FINISHED', 'KILLED', 'FAILED', 'ERROR']);

function applicationIn({ active, completed }: MasterState, id: string): StandaloneTarget | string {
  const found = [...active, ...completed].filter(({ application }) => application === id);
  const [one] = found;
  if (one === undefined) return '';
  if (found.length > 1) return `${id} is listed twice`;
  // So it is called while a master recovers and has not heard of it yet.
  if (!/^(WAITING|RUNNING|FINISHED|FAILED|KILLED)$/.test(one.written)) {
    return `its state is “${one.written}”`;
  }
  const { state, startedAt, name, user, written } = one;
  return { state, finalState: state === 'ended' ? written : '', startedAt, name, user };
}

function driverIn(
  { drivers, completedDrivers }: MasterState,
  id: string,
): StandaloneTarget | string {
  const found = [...drivers, ...completedDrivers].filter(({ driver }) => driver === id);
  const [one] = found;
  if (one === undefined) return '';
  if (found.length > 1) return `${id} is listed twice`;
  const { written, running, startedAt, name } = one;
  const isEnded = ENDED_DRIVER.has(written);
  if (!isEnded && !running && written !== 'SUBMITTED' && written !== 'RELAUNCHING') {
    return `its state is “${written}”`;
  }
  const state = isEnded ? 'ended' : running ? 'running' : 'waiting';
  return { state, finalState: isEnded ? written : '', startedAt, name, user: '' };
}

/**
 * An application, or a driver that the cluster runs, in a master's whole answer: undefined where it
 * isn't there, and a text where that can't be told.
 */
export function findTarget(master: MasterState, id: string): StandaloneTarget | string | undefined {
  const isDriver = isDriverId(id);
  if (!isDriver && !isStandaloneApplicationId(id)) {
    return 'it is no id of an application or a driver';
  }
  const found = isDriver ? driverIn(master, id) : applicationIn(master, id);
  if (found !== '') return found;
  // Then the one that is looked for may be among them.
  return master.repeated.includes('') ? 'the master lists rows without an id' : undefined;
}
