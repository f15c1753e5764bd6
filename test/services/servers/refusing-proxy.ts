import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** An answer instead of, or after, the server's. */
interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers?: NodeJS.Dict<string | string[]>;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/** How often each fault is drawn, in percent; what is left passes untouched. */
export interface Shares {
  /** 429 without asking the server. */
  readonly busy: number;
  /** 503 without asking the server. */
  readonly away: number;
  /** The server's answer, late. */
  readonly slow: number;
  /** The server has done it, and its answer is lost: 500. */
  readonly unsaid: number;
  /** About half of a bulk is done, and the rest refused. */
  readonly half: number;
}

type Fault = keyof Shares | 'none';

const NONE: Shares = { busy: 0, away: 0, slow: 0, unsaid: 0, half: 0 };
const SLOW_MS = 1_500;
const TOO_BUSY = {
  type: 'es_rejected_execution_exception',
  reason: 'rejected execution of coordinating operation',
};
const json = (status: number, body: object): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' },
});

const OF_ONE_CONNECTION = new Set(['connection', 'content-length', 'transfer-encoding']);

function endToEnd(headers: NodeJS.Dict<string | string[]>): NodeJS.Dict<string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OF_ONE_CONNECTION.has(name)),
  );
}

/** A proxy before a server that speaks HTTP, which refuses by a seeded draw while it is told to. */
export class RefusingProxy implements AsyncDisposable {
  readonly #target: URL;
  readonly #random: () => number;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((request, response) => void this.#take(request, response));
  #shares = NONE;
  /** Requests by what became of them, since the start. */
  readonly counts: Record<Fault, number> = { ...NONE, none: 0 };

  private constructor(target: string, random: () => number) {
    this.#target = new URL(target);
    this.#random = random;
  }

  static async start(target: string, random: () => number): Promise<RefusingProxy> {
    const proxy = new RefusingProxy(target, random);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  refuse(shares: Partial<Shares>): void {
    this.#shares = { ...NONE, ...shares };
  }

  passAll(): void {
    this.#shares = NONE;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
    this.#agent.destroy();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = 'GET', url = '/', headers } = request;
      const answer = await this.#answer({
        method,
        path: url,
        headers,
        body: Buffer.concat(chunks),
      });
      response.writeHead(answer.status, answer.headers as NodeJS.Dict<string>);
      response.end(answer.body);
    } catch {
      // Either side has gone: the other sees a connection that breaks off.
      response.destroy();
    }
  }

  #draw(): Fault {
    let place = this.#random() * 100;
    for (const [fault, share] of Object.entries(this.#shares) as [keyof Shares, number][]) {
      if (place < share) return fault;
      place -= share;
    }
    return 'none';
  }

  async #answer(asked: Asked): Promise<Answer> {
    const drawn = this.#draw();
    const fault = drawn === 'half' && !asked.path.startsWith('/_bulk') ? 'none' : drawn;
    this.counts[fault] += 1;
    switch (fault) {
      case 'busy':
        return json(429, { error: TOO_BUSY, status: 429 });
      case 'away':
        return { status: 503, body: '<html><h1>503 Service Unavailable</h1></html>' };
      case 'slow':
        await wait(this.#random() * SLOW_MS);
        return await this.#pass(asked);
      case 'unsaid':
        await this.#pass(asked);
        return json(500, { error: 'timeout' });
      case 'half':
        return await this.#half(asked);
      case 'none':
        return await this.#pass(asked);
    }
  }

  /** Two lines are one document: those that the draw leaves out are answered for here. */
  async #half(asked: Asked): Promise<Answer> {
    const lines = asked.body.toString().split('\n').slice(0, -1);
    const taken = Array.from({ length: lines.length / 2 }, () => this.#random() < 0.5);
    if (!taken.includes(true)) return json(429, { error: TOO_BUSY, status: 429 });
    const kept = lines.filter((_, i) => taken[Math.floor(i / 2)] === true);
    const answer = await this.#pass({ ...asked, body: Buffer.from(`${kept.join('\n')}\n`) });
    const { items } = JSON.parse(answer.body.toString()) as { items?: object[] };
    if (items === undefined) return answer;
    const refused = { create: { status: 429, error: TOO_BUSY } };
    return json(200, { items: taken.map((done) => (done ? items.shift() : refused)) });
  }

  async #pass({ method, path, headers, body }: Asked): Promise<Answer> {
    const asked = httpRequest(new URL(path, this.#target), {
      method,
      agent: this.#agent,
      headers: { ...endToEnd(headers), host: this.#target.host, 'content-length': body.length },
    });
    asked.end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const { statusCode = 0 } = answer;
    return { status: statusCode, body: Buffer.concat(chunks), headers: endToEnd(answer.headers) };
  }
}
