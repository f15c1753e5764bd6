import type { Clock } from '../../../shared/runtime/clock.ts';

/**
 * Yields at once and then once an interval until the signal aborts. A turn that takes longer than
 * the interval is followed by the next at once; turns never overlap and missed ones aren't made up.
 */
export async function* poll(
  intervalMs: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<void> {
  while (!signal.aborted) {
    const startedAt = clock.elapsed();
    yield;
    await clock.sleep(Math.max(0, intervalMs - (clock.elapsed() - startedAt)), signal);
  }
}
