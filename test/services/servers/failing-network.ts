import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { must } from '../../../shared/errors/assert.ts';
import type { NetworkSpec } from '../../support/network-process.ts';
import { freePort } from '../../support/running-tollgate.ts';
import { ServerProcess } from './server-process.ts';

/** Connections that a stopped network still takes from each port's clients, and never answers. */
const BACKLOG = 32;
const PROGRAM = join(import.meta.dirname, '../../support/network-process.ts');

function connected(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const late = setTimeout(() => resolve(socket), 200);
    const end = (got: Socket | undefined): void => {
      clearTimeout(late);
      resolve(got);
    };
    socket.once('connect', () => end(socket)).once('error', () => end(undefined));
  });
}

/** The way to servers on this machine, which a test cuts as networks are cut. */
export class FailingNetwork implements AsyncDisposable {
  readonly #routes: NetworkSpec['routes'];
  readonly #process: ServerProcess;
  #waiting: Socket[] = [];

  private constructor(routes: NetworkSpec['routes'], process: ServerProcess) {
    this.#routes = routes;
    this.#process = process;
  }

  static async to(targets: readonly number[]): Promise<FailingNetwork> {
    const ports = await Promise.all(targets.map(() => freePort()));
    const routes = targets.map((target, i) => ({ port: must(ports[i], 'a port'), target }));
    const spec: NetworkSpec = { routes, backlog: BACKLOG };
    const server = await ServerProcess.start({
      name: 'the network',
      command: process.execPath,
      args: [PROGRAM, JSON.stringify(spec)],
      stopSignal: 'SIGTERM',
      ready: async () => {
        const sockets = await Promise.all(routes.map(({ port }) => connected(port)));
        for (const socket of sockets) socket?.destroy();
        return sockets.every((socket) => socket !== undefined);
      },
    });
    return new FailingNetwork(routes, server);
  }

  /** An address of a server, as it is reached through this network. */
  through(url: string): string {
    const route = this.#routes.find(({ target }) => String(target) === new URL(url).port);
    if (route === undefined) throw new Error(`no way to ${url}`);
    return url.replace(`:${route.target}`, `:${route.port}`);
  }

  /** Connections fall silent, and the packets of new ones are answered by nobody. */
  async silence(): Promise<void> {
    this.#process.pause();
    // The kernel shakes hands for a stopped process until nobody fits into its queue.
    const places = this.#routes.flatMap(({ port }) => Array<number>(BACKLOG + 2).fill(port));
    const sockets = await Promise.all(places.map(connected));
    this.#waiting = sockets.filter((socket) => socket !== undefined);
    for (const socket of this.#waiting) socket.on('error', () => undefined);
  }

  /** Connections are reset, and new ones refused. */
  async refuse(): Promise<void> {
    await this.#process.kill();
    this.#hangUp();
  }

  /** After `refuse`: it refuses nobody any more, and answers nobody either. */
  async fallSilent(): Promise<void> {
    await this.#process.start();
    await this.silence();
  }

  /** After `silence` or `fallSilent`. */
  mend(): void {
    this.#hangUp();
    this.#process.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hangUp();
    await this.#process.kill();
  }

  #hangUp(): void {
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting = [];
  }
}
