import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on 127.0.0.1 whose wire a test can cut, mend and slow down. */
export class CuttingProxy implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #target: { readonly host: string; readonly port: number };
  #cut = false;
  #delayMs = 0;
  readonly #server = createServer((from) => this.#join(from));

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
  }

  static async start(target: {
    readonly host: string;
    readonly port: number;
  }): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed');
    return address.port;
  }

  /** Connections are reset, and new ones too, until `mend`. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend(): void {
    this.#cut = false;
  }

  /** Each piece of an answer waits so long before it is passed on. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #join(from: Socket): void {
    if (this.#cut) {
      from.resetAndDestroy();
      return;
    }
    const to = connect(this.#target);
    for (const socket of [from, to]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        from.destroy();
        to.destroy();
      });
    }
    from.pipe(to);
    to.on('data', (chunk) => {
      const pass = (): unknown => (from.destroyed ? undefined : from.write(chunk));
      if (this.#delayMs === 0) pass();
      else setTimeout(pass, this.#delayMs);
    });
    to.once('end', () => setTimeout(() => from.end(), this.#delayMs));
  }
}
