import type { Clock } from '../../runtime/clock.ts';
import { detailOf, jsonIn } from '../actuator-answer.ts';
import type { OneAnswer } from '../ask-once.ts';
import type {
  AdmissionSight,
  ApplicationSight,
  ClusterSight,
  TargetReader,
} from '../cluster-actuator.ts';
import { shownUrl } from '../fetch-json.ts';
import { objectAt, text } from '../lenient-json.ts';
import { ActiveFinder, type ActiveFinderOptions } from './active-finder.ts';
import { decodeApplication, type YarnApplication } from './decode-applications.ts';
import { decodeQueues, queueNamed } from './decode-queues.ts';
import { letsNobodyIn } from './queue-stop.ts';
import { isYarnApplicationId } from './yarn-ids.ts';

export interface YarnTargetOptions extends ActiveFinderOptions {
  readonly clock: Clock;
}

/** A 404 of the ResourceManager itself; one of a proxy or of another server says nothing. */
function isNoSuchApplication(answer: OneAnswer): boolean {
  if (answer.outcome !== 'answered' || answer.status !== 404) return false;
  return text(objectAt(jsonIn(answer), 'RemoteException'), 'exception') === 'NotFoundException';
}

/** The application that an answer of `/apps/{id}` holds, or why there is none. */
export function applicationIn(answer: OneAnswer, id: string): YarnApplication | string {
  if (answer.outcome !== 'answered' || answer.status !== 200) return detailOf(answer);
  const application = decodeApplication(objectAt(jsonIn(answer), 'app'));
  if (application?.application !== id) return `the answer is not ${id}`;
  return application.viewable ? application : `no right to view ${id}: its times and sizes are 0`;
}

/** What the active ResourceManager says of one target, whenever it is asked. */
export class YarnTargetReader implements TargetReader {
  readonly #clock: Clock;
  readonly #finder: ActiveFinder;

  constructor({ clock, ...manager }: YarnTargetOptions) {
    this.#clock = clock;
    this.#finder = new ActiveFinder(manager);
  }

  async application(id: string, signal: AbortSignal): Promise<ApplicationSight> {
    if (!isYarnApplicationId(id)) return unknown('it is no YARN application id');
    const at = this.#clock.now();
    const active = await this.#finder.findActive(signal);
    if (typeof active === 'string') return unknown(active);
    const answer = await active.get(`apps/${id}`, signal);
    if (isNoSuchApplication(answer)) return { outcome: 'absent', at };
    const application = applicationIn(answer, id);
    if (typeof application === 'string') return unknown(application);
    const { state, finalState, startedAt, name, user, queue, tags } = application;
    return { outcome: 'seen', state, finalState, startedAt, name, user, queue, tags, at };
  }

  async admission(subject: string, signal: AbortSignal): Promise<AdmissionSight> {
    const at = this.#clock.now();
    const active = await this.#finder.findActive(signal);
    if (typeof active === 'string') return unknown(active);
    const answer = await active.get('scheduler', signal);
    const queues = decodeQueues(jsonIn(answer));
    if (queues === undefined) return unknown('it tells no states of queues');
    const queue = queueNamed(queues, subject);
    if (queue === undefined) return unknown('there is no such queue');
    if (letsNobodyIn(queue)) return { outcome: 'denied', at };
    if (queue.state === 'RUNNING') return { outcome: 'open', at };
    return unknown(`the state of ${queue.path} is “${queue.state}”`);
  }

  /** A ResourceManager's cluster isn't Tollgate's to end: it is protected, and has no such ability. */
  async cluster(signal: AbortSignal): Promise<ClusterSight> {
    const at = this.#clock.now();
    const active = await this.#finder.findActive(signal);
    if (typeof active === 'string') return unknown(active);
    return {
      outcome: 'seen',
      state: 'running',
      name: shownUrl(active.base),
      startedAt: active.info.startedAt,
      owner: '',
      tags: {},
      market: 'unknown',
      protected: true,
      activity: [],
      at,
    };
  }
}

function unknown(why: string): { readonly outcome: 'unknown'; readonly why: string } {
  return { outcome: 'unknown', why };
}
