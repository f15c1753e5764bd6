import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../runtime/clock.ts';
import { timeLimit } from '../runtime/time-limit.ts';
import type { ClusterProblemReason } from './cluster-reader.ts';

export interface FetchJsonOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** Resolves to the parsed answer; rejects with CLUSTER_UNAVAILABLE whose details name the reason. */
export type FetchJson = (url: URL, signal: AbortSignal) => Promise<unknown>;

const MAX_REDIRECTS = 3;

/** The address as it may be shown: without credentials and query. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function refuse(
  reason: ClusterProblemReason,
  url: URL,
  what: string,
  more: { readonly cause?: unknown; readonly status?: number } = {},
): AppError {
  const message = `${shownUrl(url)} ${what}; is it the cluster manager's web address?`;
  return new AppError('CLUSTER_UNAVAILABLE', message, {
    cause: more.cause,
    details: { reason, status: more.status },
  });
}

/** Reason of an error that `FetchJson` rejected with. */
export function problemReason(error: unknown): ClusterProblemReason {
  const reason = error instanceof AppError ? error.details['reason'] : undefined;
  return (reason as ClusterProblemReason | undefined) ?? 'unreachable';
}

/** HTTP status of an error that `FetchJson` rejected with, where the manager answered. */
export function problemStatus(error: unknown): number | undefined {
  const status = error instanceof AppError ? error.details['status'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

/**
 * Where a standby ResourceManager sends its callers: a 307 with Location, or a 200 with a Refresh
 * header. Source: apache/hadoop …/yarn/server/resourcemanager/webapp/RMWebAppFilter.java.
 */
function redirectTarget(response: Response, from: URL): URL | undefined {
  const location =
    response.status >= 300 && response.status < 400
      ? response.headers.get('location')
      : /^\s*\d+\s*;\s*url=(.+)$/i.exec(response.headers.get('refresh') ?? '')?.[1];
  if (location === null || location === undefined) return undefined;
  const target = URL.parse(location.trim(), from);
  return target !== null && /^https?:$/.test(target.protocol) ? target : undefined;
}

async function readBody(response: Response, url: URL, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw refuse('too-large', url, `answers with more than ${maxBytes} B`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(body: string, url: URL): unknown {
  const start = body.trimStart();
  if (/^(Spark|Master|Worker) is starting up/i.test(start)) {
    throw refuse('starting-up', url, 'says that it is starting up');
  }
  if (/^This is standby RM/i.test(start)) {
    throw refuse('standby', url, 'is a standby that names no active ResourceManager');
  }
  try {
    return JSON.parse(start);
  } catch (cause) {
    const shown = start.slice(0, 80).replace(/\s+/g, ' ');
    throw refuse('not-json', url, `answers with what is no whole JSON (“${shown}”)`, { cause });
  }
}

async function fetchOnce(url: URL, maxBytes: number, signal: AbortSignal): Promise<unknown> {
  let target = url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const response = await fetch(target, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal,
    });
    const next = redirectTarget(response, target);
    if (next === undefined) {
      if (response.ok) return parseBody(await readBody(response, target, maxBytes), target);
      await response.body?.cancel();
      throw refuse('bad-status', target, `answers ${response.status}`, { status: response.status });
    }
    await response.body?.cancel();
    target = next;
  }
  throw refuse('standby', url, `redirects more than ${MAX_REDIRECTS} times`);
}

/** GETs JSON with a limit of time and size, following the redirects of a standby manager. */
export function createFetchJson({ clock, timeoutMs, maxBytes }: FetchJsonOptions): FetchJson {
  return async (url, signal) => {
    using limit = timeLimit(clock, timeoutMs, signal);
    try {
      return await fetchOnce(url, maxBytes, limit.signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AppError) throw error;
      const what = limit.isOver
        ? `doesn't answer within ${timeoutMs} ms`
        : "can't be reached or breaks off";
      throw refuse('unreachable', url, what, { cause: error });
    }
  };
}
