import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { AppError } from '../../../shared/errors/app-error.ts';
import type { Clock } from '../../../shared/runtime/clock.ts';

/** Where and how a text is asked for. Secrets are files, read anew for each request. */
export interface TextTarget {
  readonly url: URL;
  readonly timeoutMs: number;
  /** Of the answer, decompressed. */
  readonly maxBytes: number;
  readonly accept: string;
  readonly bearerTokenFile?: string | undefined;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  /** PEM files: the authority of the server, and a certificate of our own with its key. */
  readonly caFile?: string | undefined;
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface FetchedText {
  readonly text: string;
  readonly contentType: string;
}

/** Why there is no text; the detail `reason` of the error. */
export type FetchProblem =
  | 'unreachable'
  | 'timeout'
  | 'bad-status'
  | 'too-large'
  | 'redirect-refused'
  | 'secret-unreadable';

const MAX_REDIRECTS = 3;

function refuse(reason: FetchProblem, url: URL, what: string, cause?: unknown): AppError {
  const message = `${url.origin}${url.pathname} ${what}`;
  return new AppError('INPUT_UNREADABLE', message, { cause, details: { reason } });
}

/** Reason of an error that `fetchText` rejected with. */
export function fetchProblem(error: unknown): FetchProblem {
  const reason = error instanceof AppError ? error.details['reason'] : undefined;
  return (reason as FetchProblem | undefined) ?? 'unreachable';
}

async function secretOf(file: string | undefined, url: URL): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw refuse('secret-unreadable', url, `can't be asked: ${file} can't be read (${code})`);
  }
}

async function authorizationOf(target: TextTarget): Promise<string | undefined> {
  const token = await secretOf(target.bearerTokenFile, target.url);
  if (token !== undefined) return `Bearer ${token}`;
  const password = await secretOf(target.passwordFile, target.url);
  if (target.user === undefined) return undefined;
  return `Basic ${Buffer.from(`${target.user}:${password ?? ''}`).toString('base64')}`;
}

interface Asking {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
  };
  readonly signal: AbortSignal;
}

function ask(url: URL, { headers, tls, signal }: Asking): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? requestHttps(url, { headers, signal, agent: false, ...tls }, resolve)
        : requestHttp(url, { headers, signal, agent: false }, resolve);
    request.on('error', reject);
    request.end();
  });
}

async function readText(answer: IncomingMessage, url: URL, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const take = async (parts: AsyncIterable<Buffer>): Promise<void> => {
    for await (const part of parts) {
      bytes += part.length;
      if (bytes > maxBytes) throw refuse('too-large', url, `answers with more than ${maxBytes} B`);
      chunks.push(part);
    }
  };
  if (answer.headers['content-encoding'] === 'gzip') await pipeline(answer, createGunzip(), take);
  else await take(answer);
  return Buffer.concat(chunks, bytes).toString('utf8');
}

/** A redirect stays where it was: elsewhere it would take the secret along. */
function redirectTarget(answer: IncomingMessage, from: URL): URL | undefined {
  const { statusCode = 0, headers } = answer;
  if (statusCode < 300 || statusCode > 399 || headers.location === undefined) return undefined;
  const target = URL.parse(headers.location, from);
  if (target?.origin === from.origin) return target;
  throw refuse('redirect-refused', from, 'redirects to another server; give the address it means');
}

async function fetchWithin(target: TextTarget, signal: AbortSignal): Promise<FetchedText> {
  const authorization = await authorizationOf(target);
  const [ca, cert, key] = await Promise.all([
    secretOf(target.caFile, target.url),
    secretOf(target.certificateFile, target.url),
    secretOf(target.keyFile, target.url),
  ]);
  const headers = {
    accept: target.accept,
    'accept-encoding': 'gzip',
    ...(authorization !== undefined && { authorization }),
  };
  let { url } = target;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const answer = await ask(url, { headers, tls: { ca, cert, key }, signal });
    try {
      const next = redirectTarget(answer, url);
      if (next === undefined) {
        if (answer.statusCode !== 200) {
          throw refuse('bad-status', url, `answers ${answer.statusCode}`);
        }
        const text = await readText(answer, url, target.maxBytes);
        return { text, contentType: answer.headers['content-type'] ?? '' };
      }
      url = next;
    } finally {
      answer.destroy();
    }
  }
  throw refuse('redirect-refused', target.url, `redirects more than ${MAX_REDIRECTS} times`);
}

/**
 * GETs a text with a limit of time and size. Redirects are followed on the same server only.
 *
 * @throws AppError INPUT_UNREADABLE whose message has neither query nor secret; `fetchProblem` says why
 */
export async function fetchText(
  target: TextTarget,
  clock: Clock,
  signal: AbortSignal,
): Promise<FetchedText> {
  const late = new AbortController();
  const done = new AbortController();
  const patience = clock
    .sleep(target.timeoutMs, AbortSignal.any([signal, done.signal]))
    .then(() => {
      if (!done.signal.aborted) late.abort();
    });
  try {
    return await fetchWithin(target, AbortSignal.any([signal, late.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError) throw error;
    if (late.signal.aborted) {
      throw refuse('timeout', target.url, `doesn't answer within ${target.timeoutMs} ms`);
    }
    const what = error instanceof Error ? error.message : String(error);
    throw refuse('unreachable', target.url, `can't be reached or breaks off (${what})`, error);
  } finally {
    done.abort();
    await patience;
  }
}
