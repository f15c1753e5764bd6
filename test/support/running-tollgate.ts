import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';

const MAIN = resolve(import.meta.dirname, '../../services/cli/main.ts');

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Folder of a test, gone after it. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'tollgate-test-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** `tollgate start`, or another service, as a process of its own, on real files and sockets. */
export class RunningTollgate implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #errors: string[];

  private constructor(url: string, child: ChildProcess, errors: string[]) {
    this.url = url;
    this.#child = child;
    this.#errors = errors;
  }

  /**
   * @param config as `tollgate.yaml` says it; the API's port is any free one unless it is given
   * @param command `start`, or one role in a process of its own
   * @param main the program; without it, the source of this checkout
   */
  static async start(
    folder: string,
    config: object,
    command = 'start',
    main = MAIN,
  ): Promise<RunningTollgate> {
    const file = join(folder, command === 'start' ? 'tollgate.yaml' : `${command}.yaml`);
    const data = {
      dataFolder: join(folder, command === 'start' ? 'data' : `data-${command}`),
      logLevel: 'warn',
      api: { port: 0 },
    };
    await writeFile(file, stringify({ ...data, ...config }));
    // pdeathsig: a test process that is killed leaves none running.
    const guard = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL'] : [];
    const [program = '', ...rest] = [...guard, process.execPath, main, command, '-c', file];
    const child = spawn(program, rest, {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const errors: string[] = [];
    const url = await new Promise<string>((ready, fail) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        errors.push(chunk.toString());
        const match = /ready on (http:\S+)/.exec(errors.join(''));
        if (match?.[1] !== undefined) ready(match[1]);
      });
      child.once('exit', () => fail(new Error(`it did not start: ${errors.join('')}`)));
    });
    return new RunningTollgate(url, child, errors);
  }

  /** What it wrote to stderr. */
  get errors(): string {
    return this.#errors.join('');
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('it did not start');
    return this.#child.pid;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  post(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const type = { 'content-type': 'application/x-ndjson' };
    return fetch(`${this.url}${path}`, { method: 'POST', body, headers: { ...type, ...headers } });
  }

  /** Asks until the answer satisfies; what was last seen is in the error. */
  async until<T>(
    ask: () => Promise<T>,
    done: (answer: T) => boolean,
    withinMs = 30_000,
  ): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const answer = await ask();
      if (done(answer)) return answer;
      if (performance.now() > deadline) {
        const seen = JSON.stringify(answer)?.slice(0, 2_000);
        throw new Error(`not reached within ${withinMs} ms; last seen: ${seen}\n${this.errors}`);
      }
      await new Promise((next) => setTimeout(next, 100));
    }
  }

  /** The most memory that it has held so far. Source: proc_pid_status(5), VmHWM. */
  peakMemoryBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    if (kib === undefined) throw new Error('no VmHWM: the process has ended');
    return Number(kib) * 1_024;
  }

  /** As a power cut of the process: nothing is saved or closed. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** SIGSTOP: it holds its connections and does nothing, as a process whose machine sleeps. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** @returns its exit code */
  async stop(): Promise<number | null> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const [code] = await exited;
    return code as number | null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
