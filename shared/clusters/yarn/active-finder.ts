import { detailOf, jsonIn } from '../actuator-answer.ts';
import type { AskOnce, OneAnswer, OneRequest } from '../ask-once.ts';
import { shownUrl } from '../fetch-json.ts';
import { decodeInfo, type YarnInfo } from './decode-cluster.ts';

export interface ActiveFinderOptions {
  /** Web addresses of the ResourceManagers; the active one is found among them. */
  readonly urls: readonly URL[];
  /** Sent as `user.name`, which "simple" security reads; undefined sends none. */
  readonly user: string | undefined;
  readonly ask: AskOnce;
}

/** The ResourceManager that is active now. */
export interface ActiveManager {
  readonly base: URL;
  readonly info: YarnInfo;
  get(path: string, signal: AbortSignal): Promise<OneAnswer>;
  put(path: string, body: string, signal: AbortSignal): Promise<OneAnswer>;
}

/**
 * Finds the active ResourceManager by asking each what it is, since `/info` alone is answered by a
 * standby too. Nothing is sent to an address that isn't configured: no redirect is followed.
 */
export class ActiveFinder {
  readonly #options: ActiveFinderOptions;
  /** Index of the one that was active last. */
  #last = 0;

  constructor(options: ActiveFinderOptions) {
    this.#options = options;
  }

  /** Why there is none, as text, where none says that it is active. */
  async findActive(signal: AbortSignal): Promise<ActiveManager | string> {
    const { urls } = this.#options;
    const why: string[] = [];
    for (let tried = 0; tried < urls.length; tried += 1) {
      const base = urls[this.#last] as URL;
      const answer = await this.#ask(base, { path: 'info', method: 'GET' }, signal);
      const info = decodeInfo(jsonIn(answer));
      if (info?.active) return this.#open(base, info);
      const said = info === undefined ? detailOf(answer) : `it is ${info.state}`;
      why.push(`${shownUrl(base)} says ${said}`);
      this.#last = (this.#last + 1) % urls.length;
    }
    return `no ResourceManager is active: ${why.join('; ')}`;
  }

  #open(base: URL, info: YarnInfo): ActiveManager {
    return {
      base,
      info,
      get: (path, signal) => this.#ask(base, { path, method: 'GET' }, signal),
      put: (path, body, signal) => this.#ask(base, { path, method: 'PUT', body }, signal),
    };
  }

  #ask(
    base: URL,
    { path, method, body }: Pick<OneRequest, 'method' | 'body'> & { readonly path: string },
    signal: AbortSignal,
  ): Promise<OneAnswer> {
    const { user, ask } = this.#options;
    const url = new URL(`${base.pathname.replace(/\/+$/, '')}/ws/v1/cluster/${path}`, base);
    if (user !== undefined) url.searchParams.set('user.name', user);
    // Any other type is answered with 503, and nothing is done.
    const sent = body === undefined ? {} : { body, contentType: 'application/json' };
    return ask({ method, url, ...sent }, signal);
  }
}
