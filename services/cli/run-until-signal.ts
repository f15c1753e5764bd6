import type { AllInOne } from '../all-in-one/start.ts';

/** After a second signal, or when stopping takes longer, the process ends as it is. */
const STOP_MAX_MS = 30_000;

/**
 * Keeps a running Tollgate until SIGTERM or SIGINT, then stops it with positions saved.
 *
 * @returns the exit code: 0 after a signal, 1 after a part ended by itself
 */
export async function runUntilSignal(
  running: AllInOne,
  crashed: Promise<string>,
  say: (text: string) => void,
): Promise<number> {
  const signalled = new Promise<'signal'>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.once(name, () => resolve('signal'));
    }
  });
  const reason = await Promise.race([signalled, crashed]);
  if (reason === 'signal') say('stopping; positions are being saved');
  const timer = setTimeout(() => process.exit(1), STOP_MAX_MS);
  process.once('SIGINT', () => process.exit(1));
  await running[Symbol.asyncDispose]();
  clearTimeout(timer);
  return reason === 'signal' ? 0 : 1;
}
