import { z } from 'zod';
import { restProblem } from '../../shared/contracts/rest.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import { CliError, EXIT } from './cli-io.ts';
import { printable } from './printable.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8470';

const TIMEOUT_MS = 60_000;
const NO_TOKEN =
  '\nset TOLLGATE_TOKEN or name a --token-file; "tollgate token create" makes a token';

/** Query parameters; those without a value are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

function addressOf(base: string, path: string, query: Query): URL {
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol)) {
    throw new CliError(EXIT.usage, `--url ${base} is no http address; such as ${DEFAULT_URL}`);
  }
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function unreachable(base: string, cause: unknown): CliError {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  const text =
    code === 'ECONNREFUSED'
      ? `nothing listens at ${base}`
      : `${base} does not answer${code === '' ? '' : ` (${code})`}`;
  const message = `${text}; start Tollgate with "tollgate start" or "tollgate demo", or name another address with --url`;
  return new CliError(EXIT.unreachable, message, { cause });
}

interface Init {
  readonly method: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Waits when the answer is 429, which is an error without it. */
  readonly onBusy?: (seconds: number) => Promise<void>;
}

/** What a problem says, each wrong part on a line of its own. */
function problemText(status: number, body: string): string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return `the answer is ${status} and no problem+json: is this a Tollgate?`;
  }
  const { success, data } = restProblem.safeParse(json);
  if (!success) return `the answer is ${status} and no problem+json: is this a Tollgate?`;
  const errors = (data.errors ?? []).map(({ path, message }) => `  ${path}: ${message}`);
  return [`${data.title} (${data.code}): ${data.detail}`, ...errors].map(printable).join('\n');
}

function refused(status: number, body: string): CliError {
  const hint = status === 401 ? NO_TOKEN : '';
  return new CliError(EXIT.refused, `${problemText(status, body)}${hint}`);
}

function understood<S extends z.ZodType>(url: URL, schema: S, text: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const what = cause instanceof z.ZodError ? 'another version of Tollgate' : 'no Tollgate';
    const message = `the answer of ${url.origin}${url.pathname} is not understood: ${what}?`;
    throw new CliError(EXIT.refused, message, { cause });
  }
}

/** Calls a running Tollgate. Every failure is a CliError that says what to do. */
export class RestClient {
  readonly #base: string;
  readonly #signal: AbortSignal;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(base: string, signal: AbortSignal, token?: string) {
    this.#base = base;
    this.#signal = signal;
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
      throw new CliError(EXIT.usage, 'the token is none: it has blanks or other odd characters');
    }
    this.#headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  }

  get<S extends z.ZodType>(path: string, schema: S, query: Query = {}): Promise<z.output<S>> {
    return this.#call(addressOf(this.#base, path, query), schema, { method: 'GET' });
  }

  post<S extends z.ZodType>(path: string, schema: S, body: object): Promise<z.output<S>> {
    return this.#call(addressOf(this.#base, path, {}), schema, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json' },
    });
  }

  /** POSTs, and reads an answer of one JSON object a line as it comes, however long it takes. */
  async *lines<S extends z.ZodType>(
    path: string,
    schema: S,
    body: object,
  ): AsyncGenerator<z.output<S>, void> {
    const url = addressOf(this.#base, path, {});
    const headers = { ...this.#headers, 'Content-Type': 'application/json' };
    const init = { method: 'POST', body: JSON.stringify(body), headers, signal: this.#signal };
    let rest = '';
    try {
      const response = await fetch(url, init);
      if (!response.ok) throw refused(response.status, await response.text());
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield understood(url, schema, line);
      }
    } catch (error) {
      if (this.#signal.aborted || error instanceof CliError) throw error;
      throw unreachable(this.#base, error);
    }
  }

  /** Lines as NDJSON; an answer that asks to wait (429) is waited for and sent again. */
  postLines<S extends z.ZodType>(
    path: string,
    schema: S,
    sent: {
      readonly lines: readonly string[];
      readonly headers: Readonly<Record<string, string>>;
      readonly clock: Pick<Clock, 'sleep'>;
    },
  ): Promise<z.output<S>> {
    const url = addressOf(this.#base, path, {});
    const headers = { ...sent.headers, 'Content-Type': 'application/x-ndjson' };
    const onBusy = async (seconds: number): Promise<void> => {
      await sent.clock.sleep(seconds * 1_000, this.#signal);
      this.#signal.throwIfAborted();
    };
    const body = `${sent.lines.join('\n')}\n`;
    return this.#call(url, schema, { method: 'POST', body, headers, onBusy });
  }

  async #call<S extends z.ZodType>(url: URL, schema: S, init: Init): Promise<z.output<S>> {
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const { onBusy: _, ...rest } = init;
      const headers = { ...this.#headers, ...init.headers };
      response = await fetch(url, { ...rest, headers, signal });
      text = await response.text();
    } catch (error) {
      if (this.#signal.aborted) throw error;
      throw unreachable(this.#base, error);
    }
    if (response.status === 429 && init.onBusy !== undefined) {
      await init.onBusy(Number(response.headers.get('retry-after')) || 1);
      return this.#call(url, schema, init);
    }
    if (!response.ok) throw refused(response.status, text);
    return understood(url, schema, text);
  }
}
