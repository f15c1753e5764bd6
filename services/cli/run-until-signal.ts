import type { AllInOne } from '../all-in-one/start.ts';
import type { CliIo } from './cli-io.ts';

/** When stopping takes longer, the process ends as it is: everything acknowledged is on disk. */
const STOP_MAX_MS = 30_000;

/** Keeps a running Tollgate until its process is signalled, then stops it with positions saved. */
export async function runUntilSignal(
  running: AllInOne,
  crashed: Promise<string>,
  io: Pick<CliIo, 'signal' | 'err' | 'clock'>,
): Promise<'stopped' | 'crash'> {
  const signalled = new Promise<'stopped'>((resolve) => {
    if (io.signal.aborted) resolve('stopped');
    io.signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  const ended = await Promise.race([signalled, crashed.then(() => 'crash' as const)]);
  if (ended === 'stopped') io.err('stopping; positions are being saved\n');
  const stopped = new AbortController();
  const patience = io.clock.sleep(STOP_MAX_MS, stopped.signal);
  await Promise.race([running[Symbol.asyncDispose](), patience]);
  stopped.abort();
  return ended;
}
