import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HookRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type HookAnswer =
  | {
      readonly status?: number;
      readonly text?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly never: true }
  /** The connection is cut: before the answer, or in its middle. */
  | { readonly cut: 'before' | 'within' };

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function give(response: ServerResponse, answer: HookAnswer): void {
  if ('never' in answer) return;
  if ('cut' in answer) {
    if (answer.cut === 'within') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half');
      response.once('drain', () => response.destroy());
      setImmediate(() => response.destroy());
      return;
    }
    response.destroy();
    return;
  }
  response.writeHead(answer.status ?? 200, { 'content-type': 'text/plain', ...answer.headers });
  response.end(answer.text ?? 'ok');
}

/** A server on 127.0.0.1 that keeps what it is sent and answers as a test says. */
export class HookServer implements AsyncDisposable {
  readonly requests: HookRequest[] = [];
  /** Decides each answer; `ok` unless a test sets it. */
  answer: (request: HookRequest, count: number) => HookAnswer = () => ({});
  readonly #server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const kept = { method, path: url, headers, body };
      this.requests.push(kept);
      give(response, this.answer(kept, this.requests.length));
    });
  });

  static async open(): Promise<HookServer> {
    const server = new HookServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.port}/hook`);
  }

  /** Bodies as JSON. */
  get bodies(): unknown[] {
    return this.requests.map(({ body }) => JSON.parse(body));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
