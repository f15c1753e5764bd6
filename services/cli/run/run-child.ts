import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { AttributedCommand } from './attribute-command.ts';

/** Hears signals that would else end this process, until it is disposed. */
export type OnSignal = (heard: (signal: NodeJS.Signals) => void) => Disposable;

/** What a terminal sends to every process in its foreground, and so to the command itself. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** As shells say it: a program that isn't there, or can't be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

export interface ChildEnd {
  /** Its own, 128 + signal when one killed it, 127 or 126 when it couldn't be started. */
  readonly exitCode: number;
  /** Why it couldn't be started. */
  readonly problem: string | undefined;
}

export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + (constants.signals[signal] ?? 0);
}

/**
 * Runs a command to its end on this process's own stdin, stdout and stderr, in its process group.
 * Every signal is passed on, as often as it comes; this process ends after the command, never before.
 *
 * @param options.isTerminal a terminal sends Ctrl+C to the command itself: passed on it would come twice
 */
export async function runChild(
  { program, args, env }: AttributedCommand,
  { onSignal, isTerminal }: { readonly onSignal: OnSignal; readonly isTerminal: boolean },
): Promise<ChildEnd> {
  const child = spawn(program, args, { stdio: 'inherit', env: { ...env } });
  using _ = onSignal((signal) => {
    if (!isTerminal || !FROM_TERMINAL.includes(signal)) child.kill(signal);
  });
  // Awaited here, so that signals are heard until then.
  return await new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      // A signal that can't be sent is an error, too; only a start that failed ends it.
      if (child.pid !== undefined) return;
      const exitCode = error.code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE;
      const problem = exitCode === NOT_FOUND ? 'is not found' : `can't be run (${error.code})`;
      resolve({ exitCode, problem: `${program} ${problem}` });
    });
    child.once('exit', (code, signal) => {
      const exitCode = code ?? (signal === null ? 1 : exitCodeOf(signal));
      resolve({ exitCode, problem: undefined });
    });
  });
}
