import type { Clock } from './clock.ts';

export interface TimeLimit extends Disposable {
  /** Aborts when the time is over, and with the caller's own signal. */
  readonly signal: AbortSignal;
  /** The time was over before the work was. */
  readonly isOver: boolean;
}

/** A limit of time for one piece of work; disposing of it ends its sleeper. */
export function timeLimit(clock: Clock, ms: number, signal: AbortSignal): TimeLimit {
  const over = new AbortController();
  const done = new AbortController();
  void clock.sleep(ms, AbortSignal.any([signal, done.signal])).then(() => {
    if (!done.signal.aborted && !signal.aborted) over.abort();
  });
  return {
    signal: AbortSignal.any([signal, over.signal]),
    get isOver() {
      return over.signal.aborted;
    },
    [Symbol.dispose]: () => done.abort(),
  };
}
