import { answerTo, detailOf, jsonIn, refused, unsupported } from '../actuator-answer.ts';
import type { OneAnswer } from '../ask-once.ts';
import type {
  Actuation,
  ActuatorAnswer,
  ActuatorOrder,
  ClusterActuator,
} from '../cluster-actuator.ts';
import { field, isObject } from '../lenient-json.ts';
import { findTarget } from './find-target.ts';
import { isDriverId } from './standalone-ids.ts';
import {
  type AliveMaster,
  below,
  StandaloneMaster,
  type StandaloneMasterOptions,
} from './standalone-master.ts';

export interface StandaloneActuatorOptions extends StandaloneMasterOptions {
  readonly abilities: ReadonlySet<Actuation>;
  /** REST submission servers (port 6066) of the same masters, in the same order, or none. */
  readonly submissionUrls: readonly URL[];
}

/**
 * Acts on a Spark standalone cluster: an application or a driver is killed as the master's page does
 * it, a driver through the REST submission server where there is one, since that says what it did.
 */
export class StandaloneActuator implements ClusterActuator {
  readonly #options: StandaloneActuatorOptions;
  readonly #master: StandaloneMaster;

  constructor(options: StandaloneActuatorOptions) {
    this.#options = options;
    this.#master = new StandaloneMaster(options);
  }

  get abilities(): ReadonlySet<Actuation> {
    return this.#options.abilities;
  }

  async act(order: ActuatorOrder, signal: AbortSignal): Promise<ActuatorAnswer> {
    const { actuation, subject, startedAt } = order;
    if (!this.abilities.has(actuation)) return unsupported(`${actuation} is not switched on here`);
    if (actuation !== 'kill-application') return unsupported(`standalone has no ${actuation}`);
    const alive = await this.#master.findAlive(signal);
    if (typeof alive === 'string') return refused(`nothing was asked: ${alive}`);
    const target = findTarget(alive.state, subject);
    if (typeof target === 'string') return refused(`nothing was asked: ${target}`);
    if (target === undefined) return refused('the master knows no such application or driver');
    if (startedAt === undefined || target.startedAt !== startedAt) {
      return refused('it is not the incarnation that the order means');
    }
    if (target.state === 'ended') return refused(`it has ended: ${target.finalState}`);
    return isDriverId(subject)
      ? await this.#killDriver(alive, subject, signal)
      : await this.#killApplication(alive, subject, signal);
  }

  async #killApplication(
    alive: AliveMaster,
    id: string,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    const answer = await this.#post(alive, 'app/kill/', id, signal);
    const drivers = alive.state.drivers.length;
    if (answer.outcome !== 'accepted' || drivers === 0) return answer;
    // The master doesn't say whose they are.
    const warning = `the cluster runs drivers (${drivers}), and a supervised one starts its application anew`;
    return { ...answer, detail: `${answer.detail}; ${warning}` };
  }

  async #killDriver(alive: AliveMaster, id: string, signal: AbortSignal): Promise<ActuatorAnswer> {
    const server = this.#options.submissionUrls[alive.position];
    if (server === undefined) return await this.#post(alive, 'driver/kill/', id, signal);
    const url = below(server, `v1/submissions/kill/${id}`);
    return submissionAnswer(await this.#options.ask({ method: 'POST', url }, signal));
  }

  /** A form as the master's page has it. The answer is a redirect, whatever became of it. */
  async #post(
    { base }: AliveMaster,
    path: string,
    id: string,
    signal: AbortSignal,
  ): Promise<ActuatorAnswer> {
    const request = {
      method: 'POST',
      url: below(base, path),
      contentType: 'application/x-www-form-urlencoded',
      body: new URLSearchParams({ id, terminate: 'true' }).toString(),
    } as const;
    const answer = await this.#options.ask(request, signal);
    return answerTo(answer, isBack(answer, base) ? 'accepted' : 'unknown');
  }
}

/** Elsewhere may be a page to sign in. */
function isBack(answer: OneAnswer, base: URL): boolean {
  if (answer.outcome !== 'answered') return false;
  return URL.parse(answer.location, base)?.host === base.host;
}

/** `{"success": false}` comes with 200. Source: …/deploy/rest/SubmitRestProtocolResponse.scala. */
function submissionAnswer(answer: OneAnswer): ActuatorAnswer {
  const json = jsonIn(answer);
  const success = isObject(json) ? field(json, 'success') : undefined;
  const said = answerTo(answer, 'unknown');
  if (said.outcome !== 'accepted' || success === true) return said;
  return { outcome: success === false ? 'refused' : 'unknown', detail: detailOf(answer) };
}
