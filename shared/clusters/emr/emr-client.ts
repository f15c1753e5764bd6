import type { EMRClient } from '@aws-sdk/client-emr';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ClusterProblemReason } from '../cluster-reader.ts';
import { field, isObject, objectAt, text } from '../lenient-json.ts';

/** The client of AWS as it is loaded. */
type Aws = typeof import('@aws-sdk/client-emr');

export interface EmrClientOptions {
  readonly region: string;
  /** Another address than the region's own, for tests and private endpoints. */
  readonly endpoint: URL | undefined;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** What AWS said. */
export type EmrAnswer<T> =
  | { readonly outcome: 'answered'; readonly body: T }
  /** It surely did nothing. `code` is the name of AWS's exception. */
  | {
      readonly outcome: 'refused';
      readonly reason: ClusterProblemReason;
      readonly code: string;
      readonly detail: string;
    }
  /** No answer, or an error of the server: it may have done what it was asked. */
  | { readonly outcome: 'lost'; readonly reason: ClusterProblemReason; readonly detail: string };

/** EMR's limits are a few calls a second for a whole account: who is refused waits this long. */
const THROTTLED_MS = 10_000;
const WORDS_MAX = 300;
const THROTTLING = /throttl|toomanyrequests|requestlimit|slowdown/i;
const NO_RIGHT =
  /accessdenied|unrecognizedclient|unauthorized|signature|expired|credential|invalidclienttoken|optinrequired/i;

/**
 * Sends commands to EMR with the SDK's default chain of credentials, once each: a throttled caller
 * that tries again takes the account's share from people.
 */
export class EmrSender implements Disposable {
  #loaded: Promise<{ readonly aws: Aws; readonly client: EMRClient }> | undefined;
  readonly #options: EmrClientOptions;
  #waitUntil = Number.NEGATIVE_INFINITY;

  constructor(options: EmrClientOptions) {
    if (!/^[a-z]{2}(-[a-z]+)+-\d{1,2}$/.test(options.region)) {
      const message = `“${options.region}” is no region of AWS, such as eu-central-1`;
      throw new AppError('CONFIG_INVALID', message);
    }
    this.#options = options;
  }

  /** With the first command: every process that knows clusters would else hold AWS's client. */
  #load() {
    this.#loaded ??= import('@aws-sdk/client-emr').then((aws) => {
      const { region, endpoint } = this.#options;
      const address = endpoint === undefined ? {} : { endpoint: endpoint.href };
      return { aws, client: new aws.EMRClient({ region, maxAttempts: 1, ...address }) };
    });
    return this.#loaded;
  }

  /**
   * @param name of the command, for messages
   * @param send hands a command to the client with this signal
   * @throws only when the signal aborts
   */
  async ask<T>(
    name: string,
    send: (
      client: EMRClient,
      options: { readonly abortSignal: AbortSignal },
      aws: Aws,
    ) => Promise<T>,
    signal: AbortSignal,
  ): Promise<EmrAnswer<T>> {
    signal.throwIfAborted();
    const { clock, timeoutMs } = this.#options;
    if (clock.elapsed() < this.#waitUntil) {
      const detail = `${name}: nothing is asked for some seconds, since AWS throttled a call`;
      return { outcome: 'refused', reason: 'throttled', code: '', detail };
    }
    const timeout = new AbortController();
    const done = new AbortController();
    void clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal])).then(() => {
      if (!done.signal.aborted) timeout.abort();
    });
    try {
      const abortSignal = AbortSignal.any([signal, timeout.signal]);
      const { aws, client } = await this.#load();
      return { outcome: 'answered', body: await send(client, { abortSignal }, aws) };
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.signal.aborted) {
        const detail = `${name}: no answer within ${timeoutMs} ms`;
        return { outcome: 'lost', reason: 'unreachable', detail };
      }
      const answer = classify(name, error);
      if (answer.reason === 'throttled') this.#waitUntil = clock.elapsed() + THROTTLED_MS;
      return answer;
    } finally {
      done.abort();
    }
  }

  [Symbol.dispose](): void {
    void this.#loaded?.then(({ client }) => client.destroy());
  }
}

/**
 * What an exception of the SDK means. One with a status below 500 is AWS's own answer; a page instead
 * of JSON is a SyntaxError that carries the response; anything else is a connection.
 */
function classify(
  name: string,
  error: unknown,
): Exclude<EmrAnswer<never>, { outcome: 'answered' }> {
  const told = isObject(error) ? error : {};
  const code = error instanceof Error ? error.name : '';
  const said = error instanceof Error ? error.message : String(error);
  const words = said
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, WORDS_MAX);
  const status = field(objectAt(told, '$metadata'), 'httpStatusCode');
  if (THROTTLING.test(code) || status === 429) {
    return { outcome: 'refused', reason: 'throttled', code, detail: `${name}: ${code}` };
  }
  if (code === 'CredentialsProviderError') {
    const detail = `${name}: no credentials of AWS were found; set AWS_PROFILE or give the machine a role`;
    return { outcome: 'refused', reason: 'refused', code, detail };
  }
  if (typeof status === 'number' && status >= 400 && status < 500 && code !== 'SyntaxError') {
    const reason = NO_RIGHT.test(code) || status === 403 ? 'refused' : 'bad-status';
    return { outcome: 'refused', reason, code, detail: `${name}: ${status} ${code}: ${words}` };
  }
  if (code === 'SyntaxError' || (typeof status === 'number' && status >= 500)) {
    const reason = code === 'SyntaxError' ? 'not-json' : 'bad-status';
    return { outcome: 'lost', reason, detail: `${name}: an error of the server (${code})` };
  }
  const cause = text(told, 'code', 40) || code;
  return { outcome: 'lost', reason: 'unreachable', detail: `${name}: no answer (${cause})` };
}
