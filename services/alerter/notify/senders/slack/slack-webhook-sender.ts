import { createHash } from 'node:crypto';
import { describeNotification } from '../message/describe-notification.ts';
import { plainLine } from '../message/plain-line.ts';
import type { HttpAnswer, OutboundHttp } from '../outbound-http.ts';
import type { Batch, Sender, SendResult, Thread } from '../sender.ts';
import { type SlackMessage, slackMessage } from './slack-message.ts';

/** About one message a second and channel; more may be hidden without an error. */
const SLACK_PACE = { perSecond: 1, burst: 1 };

/** Slack can't read the blocks; the headline alone it can. */
const BLOCKS_AT_FAULT = /invalid_payload|invalid_blocks|msg_blocks_too_long|msg_too_long|no_text/;

/** Posts to an incoming webhook. Its answer has no timestamp: messages can't be updated or threaded. */
export class SlackWebhookSender implements Sender {
  readonly kind = 'slack-webhook';
  readonly destination: string;
  readonly pace = SLACK_PACE;
  readonly #url: URL;
  readonly #http: OutboundHttp;
  readonly #consoleUrl: string;

  constructor(options: {
    readonly url: URL;
    readonly http: OutboundHttp;
    readonly consoleUrl: string;
  }) {
    this.#url = options.url;
    this.#http = options.http;
    this.#consoleUrl = options.consoleUrl;
    // The URL is the secret; its digest tells two of them apart.
    const mark = createHash('sha256').update(options.url.href).digest('hex').slice(0, 8);
    this.destination = `slack-webhook:${options.url.host}#${mark}`;
  }

  async send([notification]: Batch, _thread: Thread, signal: AbortSignal): Promise<SendResult> {
    const message = slackMessage(describeNotification(notification, this.#consoleUrl));
    const answer = await this.#post(message, signal);
    const isUnread =
      answer.outcome === 'answered' && answer.status === 400 && BLOCKS_AT_FAULT.test(answer.text);
    if (!isUnread) return webhookResult(answer);
    return webhookResult(await this.#post({ text: message.text, blocks: [] }, signal));
  }

  #post({ text, blocks }: SlackMessage, signal: AbortSignal): Promise<HttpAnswer> {
    const body = JSON.stringify({
      text,
      ...(blocks.length > 0 && { blocks }),
      unfurl_links: false,
      unfurl_media: false,
    });
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    return this.#http.request({ url: this.#url, method: 'POST', headers, body }, signal);
  }
}

/** 400 is the message's fault; 403, 404 and 410 (prohibited, gone, archived) a person can mend. */
function webhookResult(answer: HttpAnswer): SendResult {
  if (answer.outcome === 'failed') {
    return { outcome: 'later', why: answer.why, retryAfterMs: undefined };
  }
  const { status, text, retryAfterMs } = answer;
  if (status === 200) return { outcome: 'delivered' };
  const why = `answers ${status}: ${plainLine(text, 100)}`;
  if (status === 400) return { outcome: 'refused', why };
  return { outcome: 'later', why, retryAfterMs };
}
