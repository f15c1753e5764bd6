/** Bytes that may be held at a time, over all requests. */
export class ByteBudget {
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** A share that grows with what it holds and is given back as a whole. */
  open(): ByteShare {
    let mine = 0;
    return {
      grow: (bytes) => {
        if (this.#held + bytes > this.#limit) return false;
        this.#held += bytes;
        mine += bytes;
        return true;
      },
      [Symbol.dispose]: () => {
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
