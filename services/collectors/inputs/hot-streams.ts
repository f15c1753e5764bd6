interface Group {
  /** In the order of their next visit. */
  readonly streams: Set<string>;
  /** Bytes of its turn that are left; below zero after a piece that was larger. */
  credit: number;
}

const PIECES_OF_A_TURN = 2;

/**
 * Streams that may have something to read, by whose they are. A pass gives everyone a turn of so
 * many bytes, so that who has many files, or much in them, is read no more than who has one
 * while both have something. A turn goes on with the files that the one before didn't reach.
 */
export class HotStreams<F extends { readonly stream: string }> {
  readonly #pieceBytes: number;
  readonly #turnBytes: number;
  readonly #ownerOf: (file: F) => string;
  readonly #groups = new Map<string, Group>();
  readonly #shareOf = new Map<string, string>();
  #credited: Group | undefined;

  /**
   * @param pieceBytes of the largest piece that a visit gives
   * @param ownerOf whose a file is by now, such as a project; it may change
   */
  constructor(pieceBytes: number, ownerOf: (file: F) => string) {
    this.#pieceBytes = pieceBytes;
    this.#turnBytes = PIECES_OF_A_TURN * pieceBytes;
    this.#ownerOf = ownerOf;
  }

  has(stream: string): boolean {
    return this.#shareOf.has(stream);
  }

  add(file: F): void {
    const { stream } = file;
    const share = this.#ownerOf(file);
    if (this.#shareOf.get(stream) === share) return;
    this.delete(stream);
    const group = this.#groups.get(share) ?? { streams: new Set<string>(), credit: 0 };
    group.streams.add(stream);
    this.#groups.set(share, group);
    this.#shareOf.set(stream, share);
  }

  delete(stream: string): void {
    const share = this.#shareOf.get(stream);
    const group = share === undefined ? undefined : this.#groups.get(share);
    if (share === undefined || group === undefined) return;
    this.#shareOf.delete(stream);
    group.streams.delete(stream);
    if (group.streams.size === 0) this.#groups.delete(share);
  }

  /**
   * The streams to visit now; say by `charge` what each one gave. One that gave a full piece, and may
   * have more, is visited again in the same turn, so that one file gets as much as many.
   */
  *pass(): Generator<string> {
    for (const group of [...this.#groups.values()]) {
      group.credit += this.#turnBytes;
      this.#credited = group;
      let visits = group.streams.size;
      while (group.credit > 0 && visits > 0) {
        const [stream] = group.streams;
        if (stream === undefined) break;
        group.streams.delete(stream);
        group.streams.add(stream);
        const before = group.credit;
        yield stream;
        visits = before - group.credit >= this.#pieceBytes ? group.streams.size : visits - 1;
      }
      // What wasn't used is gone; what was read too much is owed.
      group.credit = Math.min(0, group.credit);
    }
    this.#credited = undefined;
  }

  /** What the stream that was visited last gave. */
  charge(bytes: number): void {
    if (this.#credited !== undefined) this.#credited.credit -= bytes;
  }
}
