import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Answer =
  | { readonly json: unknown; readonly cutAt?: number }
  | { readonly text: string; readonly status?: number; readonly headers?: Record<string, string> }
  | { readonly never: true }
  /** Half a body, after 200 or another status. */
  | { readonly breakOff: true; readonly status?: number }
  /** The connection ends before anything is said. */
  | { readonly hangUp: true };

export interface AskedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

function send(response: ServerResponse, answer: Answer): void {
  if ('never' in answer) return;
  if ('hangUp' in answer) {
    response.destroy();
    return;
  }
  if ('breakOff' in answer) {
    response.writeHead(answer.status ?? 200, { 'content-length': '1000' });
    response.write('{"half":', () => response.destroy());
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
  /**
   * Answers by path without query, or by method and path (`PUT /x`); several are given one after
   * the other, the last one again and again. Change them at any time.
   */
  readonly answers = new Map<string, Answer | Answer[]>();
  /** Paths with query, in the order asked. */
  readonly asked: string[] = [];
  /** All that was asked, once it was there whole. */
  readonly requests: AskedRequest[] = [];
  readonly #server = createServer(async (request, response) => {
    const { method = '', url = '/', headers } = request;
    this.asked.push(url);
    const body = await text(request).catch(() => '');
    const contentType = headers['content-type'] ?? '';
    this.requests.push({ method, path: url, contentType, body });
    const path = new URL(url, 'http://x').pathname;
    const answer = this.answers.get(`${method} ${path}`) ?? this.answers.get(path);
    const one = Array.isArray(answer) && answer.length > 1 ? answer.shift() : answer;
    send(response, [one].flat()[0] ?? { text: 'not found', status: 404 });
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
  set(answers: Readonly<Record<string, Answer | Answer[]>>): void {
    for (const [path, answer] of Object.entries(answers)) this.answers.set(path, answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
