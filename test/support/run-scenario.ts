import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '../../services/cli/main.ts');

/** A process of `tollgate run`, with what it and its command said so far. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** Once stdout or stderr holds the text. */
  says(text: string): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** Follows a process that was started with pipes. */
export function follow(child: ChildProcess): RunningCommand {
  let [out, err] = ['', ''];
  let heard = Promise.withResolvers<void>();
  const hear = (): void => {
    heard.resolve();
    heard = Promise.withResolvers();
  };
  child.stdout?.on('data', (chunk) => {
    out += String(chunk);
    hear();
  });
  child.stderr?.on('data', (chunk) => {
    err += String(chunk);
    hear();
  });
  const ended = once(child, 'close').then(([code, signal]) => {
    hear();
    return (code ?? signal) as number | string | null;
  });
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    async says(text) {
      while (!`${out}${err}`.includes(text)) {
        if (child.exitCode !== null) throw new Error(`it ended without "${text}": ${out}${err}`);
        await heard.promise;
      }
    },
  };
}

/** Node's own options would reach the commands that it starts. */
export function plainEnv(folder: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  return { ...env, XDG_CACHE_HOME: join(folder, 'cache'), ...more };
}

/** `tollgate run` for project etl before a control plane, in a process of its own. */
export function startRun(
  place: { readonly url: string; readonly folder: string },
  args: readonly string[],
  more: { readonly input?: string; readonly env?: Record<string, string> } = {},
): RunningCommand {
  const line = [MAIN, 'run', '-p', 'etl', '--url', place.url, ...args];
  const child = spawn(process.execPath, line, {
    stdio: 'pipe',
    env: plainEnv(place.folder, more.env),
  });
  child.stdin.end(more.input ?? '');
  return follow(child);
}

/** A program in `<folder>/bin` that runs a shell script. */
export async function writeProgram(folder: string, name: string, script: string): Promise<string> {
  const file = join(folder, 'bin', name);
  await mkdir(join(folder, 'bin'), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

/** A `tollgate` that a command line can call by its name. */
export function writeTollgate(folder: string): Promise<string> {
  const js = resolve(import.meta.dirname, '../../services/cli/tollgate.js');
  return writeProgram(folder, 'tollgate', `exec '${process.execPath}' '${js}' "$@"`);
}
