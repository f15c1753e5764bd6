import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer =
  | { readonly json: unknown; readonly cutAt?: number }
  | { readonly text: string; readonly status?: number; readonly headers?: Record<string, string> }
  | { readonly never: true }
  | { readonly breakOff: true };

function send(response: ServerResponse, answer: Answer): void {
  if ('never' in answer) return;
  if ('breakOff' in answer) {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"half":');
    response.destroy();
    return;
  }
  if ('json' in answer) {
    const body = JSON.stringify(answer.json);
    response.setHeader('content-type', 'application/json');
    response.end(answer.cutAt === undefined ? body : body.slice(0, answer.cutAt));
    return;
  }
  response.writeHead(answer.status ?? 200, { 'content-type': 'text/plain', ...answer.headers });
  response.end(answer.text);
}

/** A web server on 127.0.0.1 that gives set answers by path; every other path is a 404. */
export class AnsweringServer implements AsyncDisposable {
  /** Answers by path without query; change them at any time. */
  readonly answers = new Map<string, Answer>();
  /** Paths with query, in the order asked. */
  readonly asked: string[] = [];
  readonly #server = createServer((request, response) => {
    this.asked.push(request.url ?? '');
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    send(response, this.answers.get(path) ?? { text: 'not found', status: 404 });
  });

  static async open(): Promise<AnsweringServer> {
    const server = new AnsweringServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sets the answers of many paths. */
  set(answers: Readonly<Record<string, Answer>>): void {
    for (const [path, answer] of Object.entries(answers)) this.answers.set(path, answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
