import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { HeldLease } from './held-lease.ts';

export interface RunWhileHeldOptions {
  readonly lease: HeldLease;
  /** A third of the lease's time or less. */
  readonly checkIntervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Runs a task while this process holds a lease: waits for it, ends the task through its signal when
 * another process has taken over, and waits again. What the task writes must be harmless twice,
 * since a process that was asleep learns late that it has lost the lease.
 */
export async function runWhileHeld(
  task: (signal: AbortSignal) => Promise<void>,
  options: RunWhileHeldOptions,
): Promise<void> {
  const { lease, clock, checkIntervalMs, logger, signal } = options;
  const held = async (): Promise<boolean> => {
    try {
      return (await lease.fence()) !== undefined;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      logger.warn({ error: error.message }, 'a lease could not be asked for');
      return false;
    }
  };
  while (!signal.aborted) {
    if (await held()) {
      const lost = new AbortController();
      const running = task(AbortSignal.any([signal, lost.signal]));
      const ended = running.then(
        () => true,
        () => true,
      );
      while (!signal.aborted) {
        const over = new AbortController();
        const waited = clock.sleep(checkIntervalMs, AbortSignal.any([signal, over.signal]));
        const done = await Promise.race([ended, waited.then(() => false)]);
        over.abort();
        if (done || !(await held())) break;
      }
      lost.abort();
      await running;
    }
    await clock.sleep(checkIntervalMs, signal);
  }
}
