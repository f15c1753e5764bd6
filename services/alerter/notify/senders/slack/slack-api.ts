import { plainLine } from '../message/plain-line.ts';
import type { OutboundHttp } from '../outbound-http.ts';
import type { SendResult } from '../sender.ts';

/** `unclear`: no answer of Slack's own; `limited`: too many messages. */
export type SlackAnswer =
  | { readonly outcome: 'ok'; readonly channel: string; readonly ts: string }
  | { readonly outcome: 'error'; readonly error: string }
  | {
      readonly outcome: 'unclear';
      readonly why: string;
      readonly retryAfterMs: number | undefined;
    };

/** The message's fault: without its blocks Slack takes it, or it never will. */
export const MESSAGE_AT_FAULT = new Set([
  ...['msg_too_long', 'msg_blocks_too_long', 'invalid_blocks', 'invalid_blocks_format'],
  ...['no_text', 'invalid_arguments', 'invalid_array_arg', 'markdown_text_conflict'],
]);

interface SlackJson {
  readonly ok?: unknown;
  readonly channel?: unknown;
  readonly ts?: unknown;
  readonly error?: unknown;
}

function parse(text: string): SlackJson | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}

/** Two methods of Slack's Web API, each asked once. Source: docs.slack.dev, Web API. */
export class SlackApi {
  readonly #base: URL;
  readonly #token: string;
  readonly #http: OutboundHttp;

  constructor(options: {
    readonly base: URL;
    readonly token: string;
    readonly http: OutboundHttp;
  }) {
    this.#base = options.base;
    this.#token = options.token;
    this.#http = options.http;
  }

  async call(
    method: 'chat.postMessage' | 'chat.update',
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<SlackAnswer> {
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      authorization: `Bearer ${this.#token}`,
    };
    const url = new URL(method, this.#base);
    const body = JSON.stringify({ ...args, unfurl_links: false, unfurl_media: false });
    const answer = await this.#http.request({ url, method: 'POST', headers, body }, signal);
    if (answer.outcome === 'failed') {
      return { outcome: 'unclear', why: answer.why, retryAfterMs: undefined };
    }
    const { status, text, retryAfterMs } = answer;
    const json = parse(text);
    const { ok, channel, ts, error } = json ?? {};
    if (status === 429 || error === 'ratelimited' || error === 'rate_limited') {
      return { outcome: 'unclear', why: 'answers 429: too many messages', retryAfterMs };
    }
    if (ok === true && typeof channel === 'string' && typeof ts === 'string') {
      return { outcome: 'ok', channel, ts };
    }
    if (status === 200 && typeof error === 'string') return { outcome: 'error', error };
    return { outcome: 'unclear', why: `answers ${status}: ${plainLine(text, 100)}`, retryAfterMs };
  }
}

/** Errors that aren't the message's (a token, a channel that is gone) are a person's to mend. */
export function slackResult(answer: SlackAnswer): SendResult {
  if (answer.outcome === 'ok') return { outcome: 'delivered' };
  if (answer.outcome === 'unclear') {
    return { outcome: 'later', why: answer.why, retryAfterMs: answer.retryAfterMs };
  }
  const why = `Slack says ${plainLine(answer.error, 100)}`;
  if (MESSAGE_AT_FAULT.has(answer.error)) return { outcome: 'refused', why };
  return { outcome: 'later', why, retryAfterMs: undefined };
}
