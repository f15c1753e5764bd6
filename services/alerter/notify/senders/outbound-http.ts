import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from '../../../../shared/runtime/clock.ts';
import { HOUR_MS } from '../../../../shared/values/instant.ts';
import type { DialGuard } from './dial-guard.ts';

export interface HttpCall {
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** `failed`: there was no answer, or not a whole one. `why` never holds the URL, which may be secret. */
export type HttpAnswer =
  | {
      readonly outcome: 'answered';
      readonly status: number;
      readonly retryAfterMs: number | undefined;
      readonly text: string;
    }
  | { readonly outcome: 'failed'; readonly why: string };

/** Answers say `ok` or what is wrong; more than this isn't read. */
const ANSWER_BYTES_MAX = 65_536;

/** A destination that asks for more would silence itself. */
const RETRY_AFTER_MAX_MS = HOUR_MS;

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Retry-After (RFC 9110, 10.2.3): seconds or a date, as ms from `now`, at most an hour. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const isSeconds = /^\d{1,10}(\.\d{1,9})?$/.test(text);
  const ms = isSeconds ? Number(text) * 1_000 : HTTP_DATE.test(text) ? Date.parse(text) - now : NaN;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(RETRY_AFTER_MAX_MS, Math.max(0, Math.ceil(ms)));
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString('utf8');
}

/**
 * Requests to addresses that others chose: guarded at dial time, bounded in time and size, each on a
 * connection of its own, no redirect followed, no proxy.
 */
export class OutboundHttp {
  readonly #guard: DialGuard;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(deps: {
    readonly guard: DialGuard;
    readonly clock: Clock;
    /** From the first packet to the last byte of the answer. */
    readonly timeoutMs: number;
  }) {
    this.#guard = deps.guard;
    this.#clock = deps.clock;
    this.#timeoutMs = deps.timeoutMs;
  }

  /** @throws only when the signal aborts */
  async request(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const problem = this.#guard.literalProblem(call.url);
    if (problem !== undefined) return { outcome: 'failed', why: problem };
    const late = new AbortController();
    const done = new AbortController();
    const patience = this.#clock
      .sleep(this.#timeoutMs, AbortSignal.any([signal, done.signal]))
      .then(() => {
        if (!done.signal.aborted) late.abort();
      });
    try {
      const answer = await this.#ask(call, AbortSignal.any([signal, late.signal]));
      const retryAfter = retryAfterMs(answer.headers['retry-after'], this.#clock.now());
      const text = await textOf(answer);
      const { statusCode: status = 0 } = answer;
      return { outcome: 'answered', status, retryAfterMs: retryAfter, text };
    } catch (error) {
      signal.throwIfAborted();
      if (late.signal.aborted) {
        return { outcome: 'failed', why: `no answer within ${this.#timeoutMs} ms` };
      }
      return { outcome: 'failed', why: reasonOf(error) };
    } finally {
      done.abort();
      await patience;
    }
  }

  #ask({ url, method, headers, body }: HttpCall, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = url.protocol === 'https:' ? requestHttps : requestHttp;
      const options = { method, headers, signal, agent: false, lookup: this.#guard.lookup };
      const asked = request(url, options, resolve);
      asked.on('error', reject);
      asked.end(body);
    });
  }
}

/** Of several addresses that were tried in turn, Node tells each error apart. */
function reasonOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message : String(first);
}
