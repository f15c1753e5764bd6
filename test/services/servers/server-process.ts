import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** Debian's and Alpine's user `nobody`. */
const NOBODY = 65_534;

export interface ServerSpec {
  /** What an error calls it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  /** Runs as `nobody` when the tests run as root, for servers that refuse root. */
  readonly unprivileged?: boolean;
  /** The signal that ends it in order. */
  readonly stopSignal: NodeJS.Signals;
  /** True once it answers; asked every 50 ms. An exception means not yet. */
  readonly ready: () => Promise<boolean>;
  readonly readyWithinMs?: number;
  /** The process that serves, where that isn't the child itself. */
  readonly serverPid?: () => number | undefined;
}

/** Gives a folder to the user that unprivileged servers run as. */
export function giveToNobody(folder: string): void {
  if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
}

/** A real server as a child process: killed, paused and started again on the same data and ports. */
export class ServerProcess implements AsyncDisposable {
  readonly #spec: ServerSpec;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #output = '';

  private constructor(spec: ServerSpec) {
    this.#spec = spec;
  }

  static async start(spec: ServerSpec): Promise<ServerProcess> {
    const server = new ServerProcess(spec);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  /** What it wrote since the last start: the last 64 KiB. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    const pid = this.#spec.serverPid?.() ?? this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#spec.name} is not running`);
    return pid;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    this.launch();
    await this.ready();
  }

  /** Starts it without waiting for an answer. */
  launch(): void {
    const { command, args, env, unprivileged = false } = this.#spec;
    const asNobody = unprivileged && process.getuid?.() === 0;
    const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
    // pdeathsig: a test process that is killed leaves no server behind.
    const child = spawn(
      'setpriv',
      [...(asNobody ? ids : []), '--pdeathsig', this.#spec.stopSignal, command, ...args],
      { cwd: '/', env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#output = '';
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-65_536);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#ended = new Promise((resolve) => {
      child.once('close', () => resolve());
      child.once('error', (error) => {
        this.#output += error.message;
        resolve();
      });
    });
    this.#child = child;
  }

  /** Resolves when it answers; fails when it ended, with its last output. */
  async ready(): Promise<void> {
    const { name, readyWithinMs = 120_000 } = this.#spec;
    const over = Date.now() + readyWithinMs;
    let ended = false;
    void this.#ended.then(() => {
      ended = true;
    });
    for (;;) {
      if (await this.#spec.ready().catch(() => false)) return;
      if (ended) throw new Error(`${name} ended while starting: ${this.#output.slice(-4_000)}`);
      if (Date.now() > over) {
        throw new Error(
          `${name} gave no answer in ${readyWithinMs} ms: ${this.#output.slice(-4_000)}`,
        );
      }
      await wait(50);
    }
  }

  /** SIGKILL, as a crash of the machine does it to the process. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end(this.#spec.stopSignal);
  }

  /** SIGSTOP: it holds its connections and answers nobody. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const pids = new Set([this.#spec.serverPid?.(), child.pid]);
    for (const pid of pids) {
      if (pid !== undefined) signalOf(pid, signal);
    }
    const over = new AbortController();
    const late = wait(15_000, 'late', { signal: over.signal }).catch(() => 'ended');
    if ((await Promise.race([this.#ended, late])) === 'late') {
      for (const pid of pids) if (pid !== undefined) signalOf(pid, 'SIGKILL');
      await this.#ended;
    }
    over.abort();
    this.#child = undefined;
  }
}

/** A process that is gone already is no error. */
function signalOf(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
