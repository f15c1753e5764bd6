import { type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import type { Clock } from '../runtime/clock.ts';
import { timeLimit } from '../runtime/time-limit.ts';

export interface OneRequest {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly url: URL;
  readonly contentType?: string;
  readonly body?: string;
}

/** What became of one request; enforcement hangs on the difference between the last two. */
export type OneAnswer =
  | {
      readonly outcome: 'answered';
      readonly status: number;
      /** Where it redirects to; '' where it doesn't. Never followed. */
      readonly location: string;
      readonly body: string;
      /** Why the body isn't whole; '' when it is. */
      readonly cut: string;
    }
  /** No connection came about: the manager has heard nothing. */
  | { readonly outcome: 'not-asked'; readonly why: string }
  /** It may have heard it. */
  | { readonly outcome: 'lost'; readonly why: string };

/** Rejects only when the signal aborts. */
export type AskOnce = (request: OneRequest, signal: AbortSignal) => Promise<OneAnswer>;

export interface AskOnceOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

type Answered = Extract<OneAnswer, { outcome: 'answered' }>;

function readAnswer(response: IncomingMessage, maxBytes: number): Promise<Answered> {
  const { statusCode: status = 0, headers } = response;
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    const end = (cut: string): void => {
      const body = Buffer.concat(chunks).toString('utf8');
      resolve({ outcome: 'answered', status, location: headers.location ?? '', body, cut });
    };
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      end(`more than ${maxBytes} B`);
      response.destroy();
    });
    response.once('end', () => end(response.complete ? '' : 'broken off'));
    response.once('error', () => end('broken off'));
    response.once('close', () => end('broken off'));
  });
}

function open({ method, url, contentType, body }: OneRequest, signal: AbortSignal) {
  const headers: Record<string, string | number> = { accept: 'application/json' };
  if (contentType !== undefined) headers['content-type'] = contentType;
  if (body !== undefined) headers['content-length'] = Buffer.byteLength(body);
  // A connection of its own: one that was kept open may be dead, and then it isn't known what was heard.
  const options = { method, headers, signal, agent: false } as const;
  return url.protocol === 'https:' ? overHttps(url, options) : overHttp(url, options);
}

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name;
}

function exchange(sent: ClientRequest, body: string | undefined, maxBytes: number) {
  return new Promise<OneAnswer>((resolve) => {
    let connected = false;
    const connect = (): void => {
      connected = true;
    };
    sent.once('socket', (socket) => {
      // With TLS nothing is said before its handshake.
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connect);
    });
    sent.once('response', (response) => resolve(readAnswer(response, maxBytes)));
    sent.on('error', (error) => {
      resolve({ outcome: connected ? 'lost' : 'not-asked', why: codeOf(error) });
    });
    sent.end(body);
  });
}

/** Sends one request, once: no redirect is followed and nothing is repeated. */
export function createAskOnce({ clock, timeoutMs, maxBytes }: AskOnceOptions): AskOnce {
  return async (request, signal) => {
    signal.throwIfAborted();
    using limit = timeLimit(clock, timeoutMs, signal);
    const answer = await exchange(open(request, limit.signal), request.body, maxBytes);
    signal.throwIfAborted();
    if (answer.outcome === 'answered' || !limit.isOver) return answer;
    return { ...answer, why: `no answer within ${timeoutMs} ms` };
  };
}
