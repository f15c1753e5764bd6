import { AppError } from '../../shared/errors/app-error.ts';
import { backoffMs } from '../../shared/runtime/backoff.ts';
import type { CliIo } from './cli-io.ts';

const PAUSE = { baseMs: 1_000, capMs: 5_000 };
/** What it waits for is said again this often. */
const SAY_MS = 60_000;

/**
 * Starts as soon as the stores answer: after a power cut servers come back in any order, and nobody
 * should have to start Tollgate again. What a person must mend ends it at once.
 *
 * @returns undefined when it was told to stop meanwhile
 */
export async function startWhenStoresAnswer<T>(
  io: Pick<CliIo, 'signal' | 'err' | 'clock'>,
  random: () => number,
  start: () => Promise<T>,
): Promise<T | undefined> {
  let said = { message: '', at: Number.NEGATIVE_INFINITY };
  for (let attempt = 1; !io.signal.aborted; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'STORE_UNAVAILABLE') throw error;
      const at = io.clock.elapsed();
      if (error.message !== said.message || at - said.at >= SAY_MS) {
        io.err(`${error.message}\nwaiting for it; Ctrl-C ends that\n`);
        said = { message: error.message, at };
      }
    }
    await io.clock.sleep(backoffMs(attempt, { ...PAUSE, random }), io.signal);
  }
  return undefined;
}
