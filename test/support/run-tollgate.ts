import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { CommandResult } from './run-command.ts';

const MAIN = resolve(import.meta.dirname, '../../services/cli/main.ts');

/** One command line, to its end, in a process of its own. */
export async function runTollgate(args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { exitCode: exitCode as number, out, err };
}
