import { createHash } from 'node:crypto';
import type { Clock } from '../../../../../shared/runtime/clock.ts';
import { httpResult } from '../http-result.ts';
import type { OutboundHttp } from '../outbound-http.ts';
import type { Batch, Sender, SenderKind, SendResult, Thread } from '../sender.ts';
import { signWebhook } from './sign-webhook.ts';
import type { WebhookFormat } from './webhook-format.ts';

/** POSTs JSON to a URL; what the body looks like is the format's. */
export class WebhookSender implements Sender {
  readonly kind: SenderKind;
  readonly destination: string;
  readonly pace = { perSecond: 10, burst: 20 };
  readonly #options: WebhookOptions;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.kind = options.kind;
    // A URL may hold a secret, and so may a header or a body: their digest tells two apart.
    const parts = [options.url.href, options.account, JSON.stringify(options.headers)];
    const mark = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8);
    this.destination = `${options.kind}:${options.url.host}#${mark}`;
  }

  async send([notification]: Batch, _thread: Thread, signal: AbortSignal): Promise<SendResult> {
    const { url, format, headers, secret, http, clock, consoleUrl } = this.#options;
    const request = format(notification, { consoleUrl });
    if (request === undefined) {
      return { outcome: 'refused', why: `${this.kind} has no place for a notice without alerts` };
    }
    const body = JSON.stringify(request.body);
    const signed =
      secret === undefined
        ? {}
        : signWebhook(body, { id: notification.id, at: clock.now(), secret });
    const answer = await http.request(
      {
        url: request.path === undefined ? url : below(url, request.path),
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers, ...signed },
        body,
      },
      signal,
    );
    return httpResult(answer);
  }
}

export interface WebhookOptions {
  readonly kind: SenderKind;
  readonly url: URL;
  readonly format: WebhookFormat;
  /** Sent along, such as Authorization. Secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the body carries to name an account, such as a routing key; '' for none. A secret. */
  readonly account: string;
  /** Signs each body; undefined leaves it unsigned. */
  readonly secret: string | undefined;
  readonly http: OutboundHttp;
  readonly clock: Clock;
  readonly consoleUrl: string;
}

function below(url: URL, path: string): URL {
  const base = new URL(url);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return new URL(path, base);
}
