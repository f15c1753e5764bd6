import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';

/** One connection after the other; what it reads is in the file at once. */
const SCRIPT = `
import socket, sys
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(8)
print("ready", flush=True)
with open(sys.argv[2], "wb", buffering=0) as file:
    while True:
        connection, _ = server.accept()
        while chunk := connection.recv(65536):
            file.write(chunk)
`;

/** A process that reads lines from TCP into a file, and can be stopped, resumed and killed. */
export class KeepingCollector implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #file: string;

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
  }

  static async start(port: number, file: string): Promise<KeepingCollector> {
    const command = ['--pdeathsig', 'KILL', 'python3', '-c', SCRIPT, `${port}`, file];
    const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ready = once(child.stdout, 'data');
    const failed = once(child, 'exit').then(() => {
      throw new Error(`the collector on port ${port} did not start`);
    });
    await Promise.race([ready, failed]);
    failed.catch(() => undefined);
    return new KeepingCollector(child, file);
  }

  /** It holds its connections and reads nothing. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** What it has read. */
  text(): string {
    return existsSync(this.#file) ? readFileSync(this.#file, 'latin1') : '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
