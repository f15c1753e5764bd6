import { DAY_MS, type Instant } from '../values/instant.ts';

/** Where the slot time of executors went, in ms of one task slot; the five add up to `slotMs`. */
export interface SlotTotals {
  readonly slotMs: number;
  readonly usefulMs: number;
  readonly wastedMs: number;
  readonly idleMs: number;
  readonly tailMs: number;
  readonly startUpMs: number;
}

export const NO_SLOT_TIME: SlotTotals = {
  slotMs: 0,
  usefulMs: 0,
  wastedMs: 0,
  idleMs: 0,
  tailMs: 0,
  startUpMs: 0,
};

export function addSlotTotals(a: SlotTotals, b: SlotTotals): SlotTotals {
  return {
    slotMs: a.slotMs + b.slotMs,
    usefulMs: a.usefulMs + b.usefulMs,
    wastedMs: a.wastedMs + b.wastedMs,
    idleMs: a.idleMs + b.idleMs,
    tailMs: a.tailMs + b.tailMs,
    startUpMs: a.startUpMs + b.startUpMs,
  };
}

/** How the life of an executor ended, or hasn't. */
export interface SlotEnd {
  readonly at: Instant;
  /** Released because it had nothing to do: the wait after its last task is tail, not idle. */
  readonly released: boolean;
  /** Launch times of tasks that have not ended by `at`. */
  readonly running: readonly Instant[];
  /** Their time so far counts as useful while the executor lives, as wasted when it is gone. */
  readonly runningIsUseful: boolean;
}

/** Ten years and 16,384 slots keep every sum exact; only a log that lies comes near. */
const MAX_LIFE_MS = 10 * 366 * DAY_MS;
const MAX_SLOTS = 16_384;

/**
 * Slot time of one executor, fed with tasks as they end, in memory that depends on its slots only.
 *
 * Each task takes the slot that got free last before its launch. For tasks in order of their end
 * this finds a slot for every task whenever no more tasks ran at once than there are slots (the
 * greedy rule of k-machine interval scheduling); where more ran, what overlaps is clipped. So no
 * instant of a slot is counted twice, whatever the log claims.
 */
export class SlotTime {
  readonly #start: Instant;
  readonly #slots: number;
  #freeFrom: Instant[] = [];
  #usefulMs = 0;
  #wastedMs = 0;
  #firstLaunch = Number.POSITIVE_INFINITY;
  #lastFinish = Number.NEGATIVE_INFINITY;

  constructor(start: Instant, slots: number) {
    this.#start = start;
    this.#slots = Math.min(Math.max(1, slots), MAX_SLOTS);
  }

  launched(at: Instant): void {
    if (at < this.#firstLaunch) this.#firstLaunch = at;
  }

  /** A task that held a slot over `[launch, finish)`. */
  add(launch: Instant, finish: Instant, useful: boolean): void {
    this.launched(launch);
    if (finish > this.#lastFinish) this.#lastFinish = finish;
    const heldMs = this.#hold(Math.max(launch, this.#start), finish);
    if (useful) this.#usefulMs += heldMs;
    else this.#wastedMs += heldMs;
  }

  /** Books a slot and returns for how long. */
  #hold(from: Instant, to: Instant): number {
    if (to <= from) return 0;
    const free = this.#freeFrom;
    let best = -1;
    let earliest = 0;
    for (let slot = 0; slot < free.length; slot += 1) {
      const at = free[slot] ?? 0;
      if (at <= from && (best < 0 || at > (free[best] ?? 0))) best = slot;
      if (at < (free[earliest] ?? 0)) earliest = slot;
    }
    if (best >= 0) {
      free[best] = to;
      return to - from;
    }
    if (free.length < this.#slots) {
      free.push(to);
      return to - from;
    }
    const start = free[earliest] ?? to;
    free[earliest] = Math.max(start, to);
    return Math.max(0, to - start);
  }

  /** The split up to `end.at`; changes nothing, so it can be asked again later. */
  totals(end: SlotEnd): SlotTotals {
    const after = new SlotTime(this.#start, this.#slots);
    after.#freeFrom = [...this.#freeFrom];
    after.#usefulMs = this.#usefulMs;
    after.#wastedMs = this.#wastedMs;
    after.#firstLaunch = this.#firstLaunch;
    after.#lastFinish = this.#lastFinish;
    for (const launch of [...end.running].sort((a, b) => a - b)) {
      after.add(launch, Math.max(launch, end.at), end.runningIsUseful);
    }
    return after.#split(end);
  }

  #split({ at, released }: SlotEnd): SlotTotals {
    const lifeMs = Math.min(MAX_LIFE_MS, Math.max(0, at - this.#start));
    const slotMs = lifeMs * this.#slots;
    if (this.#firstLaunch === Number.POSITIVE_INFINITY) {
      return { ...NO_SLOT_TIME, slotMs, idleMs: slotMs };
    }
    const startUp = Math.min(lifeMs, Math.max(0, this.#firstLaunch - this.#start));
    const end = this.#start + lifeMs;
    const busyTo = Math.min(end, Math.max(this.#lastFinish, this.#start + startUp));
    const tail = released ? Math.max(0, end - busyTo) : 0;
    const startUpMs = startUp * this.#slots;
    const tailMs = tail * this.#slots;
    // Tasks that ended after the executor did (its loss is noticed late) are cut to its life.
    const room = slotMs - startUpMs - tailMs;
    const usefulMs = Math.min(this.#usefulMs, room);
    const wastedMs = Math.min(this.#wastedMs, room - usefulMs);
    const idleMs = room - usefulMs - wastedMs;
    return { slotMs, usefulMs, wastedMs, idleMs, tailMs, startUpMs };
  }
}
