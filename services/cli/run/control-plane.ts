import { z } from 'zod';
import type { Clock } from '../../../shared/runtime/clock.ts';
import { printable } from '../printable.ts';

/** How a call to Tollgate came out. */
export type Reached<T> =
  | { readonly kind: 'ok'; readonly body: T }
  /** Tollgate said no. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly message: string;
      /** After which asking again may help; undefined where it won't. */
      readonly retryAfterMs: number | undefined;
    }
  /** Nothing there, or it can't answer now. */
  | { readonly kind: 'unreachable'; readonly message: string };

/** What a problem says; anything else isn't Tollgate's. */
const problem = z.object({
  title: z.string(),
  detail: z.string(),
  code: z.string(),
  reasons: z
    .array(z.object({ retryAfter: z.number().nullish() }))
    .optional()
    .catch(undefined),
});

/** Longer than Tollgate ever takes, and short enough for a job that waits for it. */
const TIMEOUT_MS = 10_000;
/** Waits before the second and the third try: a restart is no outage. */
const WAITS_MS: readonly number[] = [1_000, 3_000];
const OVERLOAD_WAIT_MAX_MS = 10_000;

type Method = 'POST' | 'PUT';

function causeOf(error: unknown): string {
  const inner = error instanceof Error ? error.cause : undefined;
  if (inner instanceof Error && 'code' in inner) return String(inner.code);
  return error instanceof Error && error.name === 'TimeoutError' ? 'no answer' : 'no connection';
}

function refusalOf(response: Response, text: string): Reached<never> {
  const { status } = response;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const { success, data } = problem.safeParse(json);
  if (!success) {
    return { kind: 'unreachable', message: `the answer is ${status} and not Tollgate's` };
  }
  const message = printable(data.detail);
  if (status >= 500) return { kind: 'unreachable', message: `${data.code}: ${message}` };
  const waits = data.reasons?.map(({ retryAfter }) => retryAfter ?? Number.POSITIVE_INFINITY);
  const seconds =
    waits === undefined || waits.length === 0
      ? Number(response.headers.get('retry-after'))
      : Math.max(...waits);
  const helps = seconds > 0 && Number.isFinite(seconds);
  return { kind: 'refused', status, message, retryAfterMs: helps ? seconds * 1_000 : undefined };
}

/** Calls a running Tollgate, for a command that must go on whatever becomes of it: it never throws. */
export class ControlPlane {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;

  constructor(options: {
    readonly url: string;
    readonly token: string | undefined;
    readonly clock: Clock;
  }) {
    const { url, token, clock } = options;
    this.url = url;
    this.#clock = clock;
    this.#headers = {
      'Content-Type': 'application/json',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    };
  }

  /** One try. */
  async call<S extends z.ZodType>(
    request: { readonly method: Method; readonly path: string; readonly body: object },
    answer: S,
    signal: AbortSignal,
  ): Promise<Reached<z.output<S>>> {
    const { method, path, body } = request;
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(path, this.url), {
        method,
        headers: this.#headers,
        body: JSON.stringify(body),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      text = await response.text();
    } catch (error) {
      return { kind: 'unreachable', message: causeOf(error) };
    }
    if (!response.ok) return refusalOf(response, text);
    try {
      return { kind: 'ok', body: answer.parse(JSON.parse(text)) };
    } catch {
      return { kind: 'unreachable', message: `the answer of ${path} is not understood` };
    }
  }

  /** A few tries, for as long as a restart or an overload takes. Every request is safe to repeat. */
  async patiently<S extends z.ZodType>(
    request: { readonly method: Method; readonly path: string; readonly body: object },
    answer: S,
    signal: AbortSignal,
  ): Promise<Reached<z.output<S>>> {
    for (const wait of WAITS_MS) {
      const reached = await this.call(request, answer, signal);
      const overloaded = reached.kind === 'refused' && reached.status === 429;
      if (signal.aborted || (reached.kind !== 'unreachable' && !overloaded)) return reached;
      const asked = overloaded ? (reached.retryAfterMs ?? 0) : 0;
      // Whoever must wait for longer than a moment decides for itself.
      if (asked > OVERLOAD_WAIT_MAX_MS) return reached;
      await this.#clock.sleep(Math.max(wait, asked), signal);
    }
    return this.call(request, answer, signal);
  }
}
