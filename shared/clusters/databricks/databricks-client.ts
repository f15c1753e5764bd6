import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { SECOND_MS } from '../../values/instant.ts';
import type { ClusterProblemReason } from '../cluster-reader.ts';
import { isObject, text } from '../lenient-json.ts';
import { parseExactJson } from './parse-exact-json.ts';

export interface DatabricksClientOptions {
  /** Address of the workspace, such as https://dbc-1.cloud.databricks.com. */
  readonly workspace: URL;
  /** Of a user or service principal. A secret: it is sent to the workspace and told to nobody. */
  readonly token: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** What the workspace said. */
export type DatabricksAnswer =
  | { readonly outcome: 'answered'; readonly body: unknown }
  /** It surely did nothing. */
  | {
      readonly outcome: 'refused';
      readonly reason: ClusterProblemReason;
      readonly status: number;
      /** Its `error_code`, such as INVALID_STATE; '' where it gives none. */
      readonly code: string;
      readonly detail: string;
    }
  /** No answer, half an answer, or an error of the server: it may have done what it was asked. */
  | { readonly outcome: 'lost'; readonly reason: ClusterProblemReason; readonly detail: string };

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
  /** JSON text, since ids beyond 2^53 must stand in it as they are. */
  readonly body?: string;
}

const MAX_WAIT_MS = 600_000;
const DEFAULT_WAIT_MS = 5_000;
const WORDS_MAX = 300;

/** One line of the other side's words: they stand in logs and in the history of actions. */
function words(said: string): string {
  return said
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, WORDS_MAX);
}

/**
 * Calls a workspace's REST API. It never follows a redirect, since the token would go along, sends
 * nothing while the workspace has asked it to wait (429 with Retry-After), and never retries.
 */
export class DatabricksClient {
  readonly #options: DatabricksClientOptions;
  #waitUntil = Number.NEGATIVE_INFINITY;

  constructor(options: DatabricksClientOptions) {
    const { protocol, hostname, username, password } = options.workspace;
    const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
    if (protocol !== 'https:' && !isLocal) {
      const message = `${options.workspace.origin} would get the token in the clear; write https://`;
      throw new AppError('CONFIG_INVALID', message);
    }
    if (username !== '' || password !== '') {
      const message = `${options.workspace.origin}: the token belongs in "token", not in the address`;
      throw new AppError('CONFIG_INVALID', message);
    }
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get(path: string, query: Request['query'], signal: AbortSignal): Promise<DatabricksAnswer> {
    return this.#ask({ method: 'GET', path, ...(query === undefined ? {} : { query }) }, signal);
  }

  post(path: string, body: string, signal: AbortSignal): Promise<DatabricksAnswer> {
    return this.#ask({ method: 'POST', path, body }, signal);
  }

  put(path: string, body: string, signal: AbortSignal): Promise<DatabricksAnswer> {
    return this.#ask({ method: 'PUT', path, body }, signal);
  }

  /** Only throws when the signal aborts. */
  async #ask(request: Request, signal: AbortSignal): Promise<DatabricksAnswer> {
    signal.throwIfAborted();
    const { clock, timeoutMs } = this.#options;
    const waitMs = this.#waitUntil - clock.elapsed();
    if (waitMs > 0) {
      const detail = `nothing is asked for ${Math.ceil(waitMs / SECOND_MS)} s, as the workspace wants`;
      return { outcome: 'refused', reason: 'throttled', status: 429, code: '', detail };
    }
    const timeout = new AbortController();
    const done = new AbortController();
    void clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal])).then(() => {
      if (!done.signal.aborted) timeout.abort();
    });
    try {
      return await this.#send(request, AbortSignal.any([signal, timeout.signal]));
    } catch (error) {
      signal.throwIfAborted();
      const why = timeout.signal.aborted
        ? `no answer within ${timeoutMs} ms`
        : `no connection, or it broke off (${causeOf(error)})`;
      return lost('unreachable', request, why);
    } finally {
      done.abort();
    }
  }

  async #send(request: Request, signal: AbortSignal): Promise<DatabricksAnswer> {
    const { workspace, token, maxBytes } = this.#options;
    const url = new URL(request.path, workspace);
    for (const [key, value] of request.query ?? []) url.searchParams.append(key, value);
    const response = await fetch(url, {
      method: request.method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${token}`,
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: 'manual',
      signal,
    });
    const body = await readText(response, maxBytes);
    if (body === undefined) return lost('too-large', request, `more than ${maxBytes} B`);
    if (!response.ok) return this.#refusal(request, response, body);
    try {
      return { outcome: 'answered', body: parseExactJson(body === '' ? '{}' : body) };
    } catch {
      return lost('not-json', request, `${response.status} with what is no whole JSON`);
    }
  }

  #refusal(request: Request, response: Response, body: string): DatabricksAnswer {
    const { status } = response;
    const { code, message } = errorOf(body);
    const said = words(`${status} ${code} ${message}`);
    if (status >= 500) return lost('bad-status', request, said);
    if (status === 429) this.#waitUntil = this.#options.clock.elapsed() + this.#waitOf(response);
    const reason = reasonOf(status);
    return { outcome: 'refused', reason, status, code, detail: `${request.path}: ${said}` };
  }

  /** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3). */
  #waitOf(response: Response): number {
    const told = response.headers.get('retry-after') ?? '';
    const ms = /^\d{1,6}$/.test(told)
      ? Number(told) * SECOND_MS
      : Date.parse(told) - this.#options.clock.now();
    return Number.isNaN(ms) ? DEFAULT_WAIT_MS : Math.min(MAX_WAIT_MS, Math.max(0, ms));
  }
}

function lost(reason: ClusterProblemReason, { path }: Request, why: string): DatabricksAnswer {
  return { outcome: 'lost', reason, detail: `${path}: ${why}` };
}

function reasonOf(status: number): ClusterProblemReason {
  if (status === 429) return 'throttled';
  return status === 401 || status === 403 ? 'refused' : 'bad-status';
}

/** `ECONNREFUSED`, say, and never an address or a header. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  const code = isObject(cause) ? text(cause, 'code') : '';
  return /^[A-Z0-9_]{1,40}$/.test(code) ? code : 'no reason told';
}

/** `{"error_code": "INVALID_STATE", "message": "…"}`; anything else has no code. */
function errorOf(body: string): { readonly code: string; readonly message: string } {
  try {
    const parsed = parseExactJson(body);
    if (!isObject(parsed)) return { code: '', message: '' };
    const code = text(parsed, 'error_code', 100);
    return { code: /^[A-Z0-9_]+$/.test(code) ? code : '', message: text(parsed, 'message') };
  } catch {
    return { code: '', message: body.slice(0, 80) };
  }
}

async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
