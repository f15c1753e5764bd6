import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { z } from 'zod';
import type { FailMode, restQuote } from '../../shared/contracts/rest-quote.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

interface Refusal {
  readonly status: number;
  readonly detail: string;
  /** Of each limit that refuses; null: waiting doesn't help. */
  readonly retryAfter?: readonly (number | null)[];
  readonly header?: number;
}

/** Quotes and reservations as the API has them, over HTTP, with answers that a test sets. */
export class FakeControlPlane implements AsyncDisposable {
  readonly asked: Asked[] = [];
  multiplier = '1.00';
  next: { start: string; multiplier: string } | undefined;
  cost: string | undefined;
  failMode: FailMode = 'open';
  /** Of the first request whose path holds the text. */
  readonly refusals = new Map<string, Refusal>();
  /** `hangs`: takes requests and answers none. */
  health: 'up' | 'fails' | 'hangs' = 'up';
  readonly #listeners = new Set<() => void>();
  readonly #server = createServer((request, response) => {
    void this.#answer(request, response);
  });

  static async open(): Promise<FakeControlPlane> {
    const plane = new FakeControlPlane();
    plane.#server.listen(0, '127.0.0.1');
    await once(plane.#server, 'listening');
    return plane;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `POST reservations`, `PUT lease` …: the last part of each address, in the order asked. */
  get steps(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);
  }

  /** The first request like this one, once it has come. */
  async request(step: string): Promise<Asked> {
    for (;;) {
      const found = this.asked[this.steps.indexOf(step)];
      if (found !== undefined) return found;
      await new Promise<void>((come) => this.#listeners.add(come));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const body = (await json(request)) as Record<string, unknown>;
    this.asked.push({ method, path: url, body });
    for (const heard of [...this.#listeners]) heard();
    this.#listeners.clear();
    if (this.health === 'hangs') return;
    const failing = { status: 503, detail: 'the ledger does not answer' };
    const found = [...this.refusals].find(([part]) => url.includes(part))?.[1];
    const refusal = this.health === 'fails' ? failing : found;
    if (refusal !== undefined) return this.#refuse(response, refusal);
    const isQuote = url === '/v1/quotes';
    const answer = isQuote ? this.#quote(body) : this.#step(url, body);
    response.writeHead(url.endsWith('/reservations') ? 201 : 200, {
      'content-type': 'application/json',
    });
    response.end(JSON.stringify(answer));
  }

  #refuse(response: ServerResponse, { status, detail, retryAfter, header }: Refusal): void {
    const reasons = retryAfter?.map((one) => ({ kind: 'cores', retryAfter: one }));
    response.writeHead(status, {
      'content-type': 'application/problem+json',
      ...(header === undefined ? {} : { 'retry-after': String(header) }),
    });
    const told = { title: 'No', detail, code: 'QUOTA_EXCEEDED', status, type: 'x' };
    response.end(JSON.stringify(reasons === undefined ? told : { ...told, reasons }));
  }

  #step(url: string, { id }: Record<string, unknown>): object {
    const expiresAt = '2026-11-21T10:00:00.000Z';
    return { id: id ?? url.split('/').at(-2), state: 'held', expiresAt };
  }

  #quote(body: Record<string, unknown>): z.infer<typeof restQuote> {
    const { maxMultiplier, maxCost, lockMinutes } = body;
    const at = '2026-11-21T09:00:00.000Z';
    const dear = maxMultiplier !== undefined && Number(this.multiplier) > Number(maxMultiplier);
    const much = maxCost !== undefined && Number(this.cost) > Number(maxCost);
    const none = { end: null, reason: 'load' };
    return {
      id: lockMinutes === undefined ? null : 'abc123',
      project: String(body['project']),
      application: String(body['application']),
      pool: 'shared',
      price: {
        multiplier: this.multiplier,
        next: this.next === undefined ? null : { ...this.next, ...none },
        forecast: this.multiplier,
      },
      locked:
        lockMinutes === undefined
          ? null
          : { multiplier: this.multiplier, from: at, until: '2026-11-21T10:00:00.000Z' },
      cost:
        this.cost === undefined
          ? null
          : {
              ...{ expected: this.cost, low: this.cost, high: this.cost },
              ...{ range: 'quartiles', basis: 'history', runs: 14 },
            },
      durationMs: null,
      perHour: body['resources'] === undefined ? null : '36',
      fits: !dear && !much,
      limits: [
        ...(dear
          ? [
              {
                kind: 'max-multiplier' as const,
                state: 'missed' as const,
                message: `the price is ${this.multiplier} X, above ${String(maxMultiplier)} X`,
              },
            ]
          : []),
        ...(much
          ? [{ kind: 'max-cost' as const, state: 'missed' as const, message: 'it costs too much' }]
          : []),
      ],
      start: dear
        ? {
            ...{ state: 'predicted', at, earliest: at, latest: null },
            message: 'as in earlier weeks',
          }
        : null,
      failMode: this.failMode,
      asOf: at,
    };
  }

  /** As when its machine goes away. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
