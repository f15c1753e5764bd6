import { fairlyFits } from '../core/fairly-fits.ts';

/** Bytes, or other things, that may be held at a time over all requests; one project has no more than half. */
export class ByteBudget {
  readonly #limit: number;
  readonly #own = new Map<string, number>();
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** A share that grows with what it holds and is given back as a whole. */
  open(project = ''): ByteShare {
    let mine = 0;
    return {
      grow: (bytes) => {
        const own = this.#own.get(project) ?? 0;
        // What one request holds alone may become as large as all may.
        const isAlone = mine === this.#held && mine + bytes <= this.#limit;
        const fits = fairlyFits({ own, held: this.#held, limit: this.#limit }, bytes);
        if (this.#held + bytes > this.#limit || !(isAlone || fits)) return false;
        this.#own.set(project, own + bytes);
        this.#held += bytes;
        mine += bytes;
        return true;
      },
      [Symbol.dispose]: () => {
        const own = (this.#own.get(project) ?? 0) - mine;
        if (own > 0) this.#own.set(project, own);
        else this.#own.delete(project);
        this.#held -= mine;
        mine = 0;
      },
    };
  }
}

export interface ByteShare extends Disposable {
  /** False, without taking anything, when the budget doesn't have them. */
  grow(bytes: number): boolean;
}
