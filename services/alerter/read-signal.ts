import { AppError } from '../../shared/errors/app-error.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Instant } from '../../shared/values/instant.ts';
import type { Reading, SignalReader } from './signals/signal.ts';

/** Most subjects of one signal; a rule's `limit` is about its alerts. */
const SUBJECTS_MAX = 50_000;

export interface ReadDeps {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Told of what is a bug in Tollgate. */
  readonly onFault: (error: unknown) => void;
}

function failed(error: unknown, onFault: (error: unknown) => void): Reading {
  if (error instanceof AppError) return { outcome: 'failed', why: error.message };
  onFault(error);
  return { outcome: 'failed', why: 'an error inside Tollgate, which its log tells of' };
}

/**
 * Reads a signal within its time; what throws or takes longer is failed.
 *
 * @returns the reading, and when the reader is really done: one that doesn't hear the signal is
 *   not asked again before
 */
export function readSignal(
  reader: () => SignalReader,
  at: Instant,
  { clock, timeoutMs, onFault }: ReadDeps,
  signal: AbortSignal,
): { readonly reading: Promise<Reading>; readonly done: Promise<void> } {
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  const read = (async (): Promise<Reading> => reader().read(at, SUBJECTS_MAX, ends))().catch(
    (error: unknown) => failed(error, ends.aborted ? () => undefined : onFault),
  );
  const late = clock
    .sleep(timeoutMs, ends)
    .then((): Reading => ({ outcome: 'failed', why: `no answer within ${timeoutMs / 1_000} s` }));
  const reading = Promise.race([read, late]).finally(() => over.abort());
  return { reading, done: read.then(() => undefined) };
}
