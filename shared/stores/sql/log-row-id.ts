import type { Instant } from '../../values/instant.ts';

/** Row ids begin with the event's time, so that newest first is the table's own order backwards. */
const EPOCH = Date.UTC(2010, 0, 1);
/** Ids within one millisecond; 2^40 ms (until 2044) times this stays below 2^53. */
export const IDS_PER_MS = 8_192;
/** Leaves room to spill over into, for all the lines whose clock is beyond it. */
const LAST_MS = 2 ** 40 - 2 ** 22;

/** The first row id of an instant; instants outside 2010 to 2044 are at the ends. */
export function firstRowId(at: Instant): number {
  return Math.min(Math.max(at - EPOCH, 0), LAST_MS) * IDS_PER_MS;
}

/** The millisecond in whose range an id lies. */
export function instantOfRowId(id: number): Instant {
  return Math.floor(id / IDS_PER_MS) + EPOCH;
}

const MAX_CACHED = 100_000;

/**
 * Gives out free row ids in the millisecond of the event; when it is full, as with layouts of whole
 * seconds, in the next one that isn't. What was not asked for lately is looked up in the file once.
 */
export class RowIds {
  readonly #lastUsed: (from: number, until: number) => number | undefined;
  /** First id of a millisecond → its next free one. */
  readonly #next = new Map<number, number>();

  /** @param lastUsed highest id in `[from, until)` */
  constructor(lastUsed: (from: number, until: number) => number | undefined) {
    this.#lastUsed = lastUsed;
  }

  take(at: Instant): number {
    if (this.#next.size > MAX_CACHED) this.#next.clear();
    const wanted = firstRowId(at);
    let start = wanted;
    for (;;) {
      const free = this.#free(start);
      if (free < start + IDS_PER_MS) {
        this.#next.set(start, free + 1);
        if (start !== wanted) this.#next.set(wanted, start);
        return free;
      }
      // Full: `free` is where a millisecond with room was found last, or the next one.
      start = Math.floor(free / IDS_PER_MS) * IDS_PER_MS;
    }
  }

  /** After a rollback nothing that was given out is certain. */
  forget(): void {
    this.#next.clear();
  }

  #free(start: number): number {
    const known = this.#next.get(start);
    if (known !== undefined) return known;
    const last = this.#lastUsed(start, start + IDS_PER_MS);
    const free = last === undefined ? start : last + 1;
    this.#next.set(start, free);
    return free;
  }
}
