import { detailOf, jsonIn } from '../actuator-answer.ts';
import type { AskOnce } from '../ask-once.ts';
import { shownUrl } from '../fetch-json.ts';
import { decodeMaster, type MasterState } from './decode-master.ts';

export interface StandaloneMasterOptions {
  /** Web addresses of the masters; the one that is ALIVE is found among them. */
  readonly urls: readonly URL[];
  readonly ask: AskOnce;
}

/** The master that is ALIVE now, and what it says. */
export interface AliveMaster {
  readonly base: URL;
  /** Position of its address among those that are configured. */
  readonly position: number;
  readonly state: MasterState;
}

/** An address below the one of a master, which may itself stand below a path. */
export function below(base: URL, path: string): URL {
  return new URL(`${base.pathname.replace(/\/+$/, '')}/${path}`, base);
}

/** Finds the master that is ALIVE; no redirect is followed. */
export class StandaloneMaster {
  readonly #options: StandaloneMasterOptions;
  /** Index of the one that was ALIVE last. */
  #last = 0;

  constructor(options: StandaloneMasterOptions) {
    this.#options = options;
  }

  /** Why there is none, as text, where none says that it is ALIVE. */
  async findAlive(signal: AbortSignal): Promise<AliveMaster | string> {
    const { urls, ask } = this.#options;
    const why: string[] = [];
    for (let tried = 0; tried < urls.length; tried += 1) {
      const [position, base] = [this.#last, urls[this.#last] as URL];
      const answer = await ask({ method: 'GET', url: below(base, 'json/') }, signal);
      const state = decodeMaster(jsonIn(answer));
      if (typeof state === 'object') return { base, position, state };
      const said = state === undefined ? detailOf(answer) : `it is ${state}`;
      why.push(`${shownUrl(base)} says ${said}`);
      this.#last = (this.#last + 1) % urls.length;
    }
    return `no master is ALIVE: ${why.join('; ')}`;
  }
}
