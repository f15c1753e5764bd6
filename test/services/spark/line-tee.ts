import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Hands TCP bytes on to a port of this machine and keeps the lines that passed. */
export class LineTee implements AsyncDisposable {
  /** Without their newline, over all connections. */
  readonly lines: string[] = [];
  /** Connections that ended before a newline: their last bytes are no line. */
  partial = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((from) => this.#join(from));
  readonly #target: number;

  private constructor(target: number) {
    this.#target = target;
  }

  static async start(target: number): Promise<LineTee> {
    const tee = new LineTee(target);
    tee.#server.listen(0, '127.0.0.1');
    await once(tee.#server, 'listening');
    return tee;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the tee is closed');
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #join(from: Socket): void {
    const to = connect({ host: '127.0.0.1', port: this.#target });
    for (const socket of [from, to]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    let rest = '';
    from.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString('latin1')).split('\n');
      rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
    from.once('close', () => {
      if (rest !== '') this.partial += 1;
      // A sender that was reset has delivered its bytes all the same.
      to.end();
    });
    from.pipe(to);
    to.resume();
  }
}
