import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** A TCP server that counts lines. */
export class LineCollector implements AsyncDisposable {
  readonly port: number;
  lines = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => this.#count(chunk));
    });
  }

  /** @param port any free one when it is 0 */
  static async start(port = 0): Promise<LineCollector> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new LineCollector(server, address.port);
  }

  /** Resolves at that many lines, or when the signal aborts. */
  async reached(lines: number, signal: AbortSignal): Promise<void> {
    while (this.lines < lines && !signal.aborted) {
      await new Promise((next) => setTimeout(next, 20));
    }
  }

  /** Connections are reset, as when its process dies. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #count(chunk: Buffer): void {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) this.lines += 1;
  }
}
