import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../../..');

/** The real `tollgate demo` on a port of its own, with its data in a folder that goes with it. */
export async function runDemo(): Promise<AsyncDisposable & { readonly url: string }> {
  const main = join(ROOT, 'services/cli/main.ts');
  const demo = spawn(process.execPath, [main, 'demo', '--port', '0', '--history', '20'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(demo, 'exit');
  const lines = createInterface({ input: demo.stderr });
  const url = await new Promise<string>((found, failed) => {
    lines.on('line', (line) => {
      const address = /demo is on (http:\/\/\S+)/.exec(line)?.[1];
      if (address !== undefined) found(address);
    });
    lines.on('close', () => failed(new Error('the demo has ended before it told its address')));
  });
  return {
    url,
    async [Symbol.asyncDispose]() {
      demo.kill('SIGTERM');
      await ended;
    },
  };
}
