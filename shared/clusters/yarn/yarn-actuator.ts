import type { Clock } from '../../runtime/clock.ts';
import { formatInstant } from '../../values/instant.ts';
import { answerTo, detailOf, jsonIn, refused, unsupported } from '../actuator-answer.ts';
import type {
  Actuation,
  ActuatorAnswer,
  ActuatorOrder,
  ClusterActuator,
} from '../cluster-actuator.ts';
import { plainWords } from '../plain-words.ts';
import { ActiveFinder, type ActiveFinderOptions, type ActiveManager } from './active-finder.ts';
import type { YarnApplication } from './decode-applications.ts';
import { decodeQueues, decodeSchedulerConf, queueNamed, type YarnQueue } from './decode-queues.ts';
import {
  changeBody,
  planStart,
  planStop,
  type QueueChange,
  type QueueSettings,
  settingsOf,
} from './queue-stop.ts';
import { isYarnApplicationId } from './yarn-ids.ts';
import { applicationIn } from './yarn-target-reader.ts';

export interface YarnActuatorOptions extends ActiveFinderOptions {
  readonly abilities: ReadonlySet<Actuation>;
  /** Full paths of the leaf queues that may be stopped for new work. */
  readonly stopQueues: readonly string[];
  /** Where applications are moved to cap them; undefined where nothing can be capped. */
  readonly capQueue: string | undefined;
  readonly clock: Clock;
}

const MAX_REASON = 500;

/** Redirects come before anything is done: from a standby, or from a page to sign in. */
const NOT_DONE = 'refused';

/**
 * Acts on a YARN cluster through the active ResourceManager's REST API (Hadoop 2.6 to 3.5; queues
 * from 3.0 on), by its administrators' or a queue's administrator's name.
 */
export class YarnActuator implements ClusterActuator {
  readonly #options: YarnActuatorOptions;
  readonly #finder: ActiveFinder;

  constructor(options: YarnActuatorOptions) {
    this.#options = options;
    this.#finder = new ActiveFinder(options);
  }

  get abilities(): ReadonlySet<Actuation> {
    return this.#options.abilities;
  }

  async act(order: ActuatorOrder, signal: AbortSignal): Promise<ActuatorAnswer> {
    const { actuation } = order;
    if (!this.abilities.has(actuation)) return unsupported(`${actuation} is not switched on here`);
    const isOfQueue = actuation === 'deny-new-work' || actuation === 'allow-new-work';
    if (!isOfQueue && !isYarnApplicationId(order.subject)) {
      return refused('the subject is no YARN application id');
    }
    const active = await this.#finder.findActive(signal);
    if (typeof active === 'string') return refused(`nothing was asked: ${active}`);
    return isOfQueue
      ? await this.#changeQueue(active, order, signal)
      : await this.#changeApplication(active, order, signal);
  }

  async #changeApplication(
    active: ActiveManager,
    order: ActuatorOrder,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    const { subject: id, startedAt } = order;
    const application = applicationIn(await active.get(`apps/${id}`, signal), id);
    if (typeof application === 'string') return refused(`nothing was asked: ${application}`);
    if (startedAt === undefined || application.startedAt !== startedAt) {
      return refused('it is not the incarnation that the order means');
    }
    if (application.state === 'ended') return refused(`it has ended: ${application.finalState}`);
    const request = this.#requestOf(order, application);
    if ('outcome' in request) return request;
    const path = `apps/${id}/${request.path}`;
    return answerTo(await active.put(path, JSON.stringify(request.body), signal), NOT_DONE);
  }

  /** What to put where, or the answer where nothing is to be asked. */
  #requestOf(
    order: ActuatorOrder,
    application: YarnApplication,
  ): { readonly path: string; readonly body: object } | ActuatorAnswer {
    const { capQueue } = this.#options;
    switch (order.actuation) {
      case 'kill-application': {
        const diagnostics = `${plainWords(order.reason, MAX_REASON)} (Tollgate ${order.id})`;
        return { path: 'state', body: { state: 'KILLED', diagnostics } };
      }
      case 'limit-lifetime':
        return lifetimeRequest(order, application, this.#options.clock.now());
      case 'cap-application':
        if (capQueue === undefined) return unsupported('no queue is configured to cap in');
        return { path: 'queue', body: { queue: capQueue } };
      case 'uncap-application':
        if (!isSameQueue(application.queue, capQueue ?? '')) {
          return refused(`it is in ${application.queue}, where Tollgate did not put it`);
        }
        if (!order.queue) return refused('the order names no queue to go back to');
        return { path: 'queue', body: { queue: order.queue } };
      default:
        return unsupported(`YARN has no ${order.actuation}`);
    }
  }

  async #changeQueue(
    active: ActiveManager,
    { actuation, subject, id }: ActuatorOrder,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    const found = await this.#findQueue(active, subject, signal);
    if ('outcome' in found) return found;
    const { queue, settings } = found;
    const ask = async (change: QueueChange): Promise<ActuatorAnswer> =>
      answerTo(
        await active.put('scheduler-conf', changeBody(queue.path, change), signal),
        NOT_DONE,
      );
    if (actuation === 'allow-new-work') {
      const plan = planStart(queue, settings);
      if ('answer' in plan) return plan.answer;
      let answer = refused('there was nothing to do');
      for (const step of plan.steps) {
        answer = await ask(step);
        if (answer.outcome !== 'accepted') return answer;
      }
      return answer;
    }
    const plan = planStop(queue, settings, id);
    if ('answer' in plan) return plan.answer;
    const refusals: string[] = [];
    for (const way of plan.ways) {
      const answer = await ask(way);
      if (answer.outcome !== 'refused') return answer;
      refusals.push(answer.detail);
    }
    return refused(refusals.join('; '));
  }

  async #findQueue(
    active: ActiveManager,
    subject: string,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer | { readonly queue: YarnQueue; readonly settings: QueueSettings }> {
    const scheduler = await active.get('scheduler', signal);
    const queues = decodeQueues(jsonIn(scheduler));
    if (queues === undefined) {
      const isOther = scheduler.outcome === 'answered' && scheduler.status === 200;
      return isOther
        ? unsupported('only the CapacityScheduler stops queues')
        : refused(`nothing was asked: ${detailOf(scheduler)}`);
    }
    // The manager accepts a change of a queue that isn't there, and nothing happens.
    const queue = queueNamed(queues, subject);
    if (queue === undefined) return refused('there is no such queue');
    if (!this.#options.stopQueues.includes(queue.path)) {
      return unsupported(`${queue.path} is not among the queues that may be stopped`);
    }
    const answer = await active.get('scheduler-conf', signal);
    const conf = decodeSchedulerConf(jsonIn(answer));
    if (conf !== undefined) return { queue, settings: settingsOf(conf, queue.path) };
    const isFixed = answer.outcome === 'answered' && [400, 404, 405].includes(answer.status);
    return isFixed
      ? unsupported(`the scheduler's configuration can't be changed: ${detailOf(answer)}`)
      : refused(`nothing was asked: ${detailOf(answer)}`);
  }
}

/** The manager ends it then by itself, and can't take that back: so it is never put off, only nearer. */
function lifetimeRequest(
  { until }: ActuatorOrder,
  { expiresAt }: YarnApplication,
  now: number,
): { readonly path: string; readonly body: object } | ActuatorAnswer {
  if (until === undefined || until <= now) return refused('the order names no time to come');
  if (expiresAt !== undefined && expiresAt <= until) {
    return refused(`its lifetime ends before, at ${formatInstant(expiresAt)}`);
  }
  // YARN reads an offset without a colon, and no Z.
  const expiryTime = formatInstant(until).replace(/Z$/, '+0000');
  return { path: 'timeout', body: { timeout: { type: 'LIFETIME', expiryTime } } };
}

/** Older managers name a queue by its last name only. */
function isSameQueue(named: string, path: string): boolean {
  return named === path || (!named.includes('.') && path.endsWith(`.${named}`));
}
