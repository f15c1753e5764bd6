import type { NotificationReason } from '../../../../../shared/contracts/notification.ts';
import { describeNotification } from '../message/describe-notification.ts';
import type { Batch, Sender, SendResult, Thread } from '../sender.ts';
import { MESSAGE_AT_FAULT, type SlackAnswer, type SlackApi, slackResult } from './slack-api.ts';
import { type SlackMessage, slackMessage } from './slack-message.ts';

/** Where a group's message stands: what chat.update and a reply in its thread need. */
interface Posted {
  readonly channel: string;
  readonly ts: string;
  /** The group has ended: the next firing gets a message of its own. */
  readonly isOver: boolean;
}

function postedOf(value: string | undefined): Posted | undefined {
  if (value === undefined || value === '') return undefined;
  return JSON.parse(value) as Posted;
}

/** Of a message that is changed (`ts`) or posted, perhaps into a thread. */
interface Place {
  readonly channel: string;
  readonly ts?: string;
  readonly thread_ts?: string;
  readonly reply_broadcast?: boolean;
}

/** Who only follows the channel sees these too; an end, or a part of one, is quiet. */
const QUIET: ReadonlySet<NotificationReason> = new Set(['all-resolved', 'new-resolved-alerts']);

const THREAD_GONE = new Set(['thread_not_found', 'message_not_found']);

/** These say something beside the alerts' state: the whole message goes into the thread. */
const SPEAKS: ReadonlySet<NotificationReason> = new Set([
  'announcement',
  'action-taken',
  'silence-ends-soon',
  'silence-ended',
  'test',
]);

/**
 * Posts as a bot: the first message of a group is brought up to date in place, and what changed is
 * told in its thread. Where Slack won't change it any more, the thread gets the whole message; where
 * it is gone, a new one begins.
 */
export class SlackBotSender implements Sender {
  readonly kind = 'slack';
  readonly destination: string;
  /** One message a second and channel; more may be hidden without an error. */
  readonly pace = { perSecond: 1, burst: 1 };
  readonly #api: SlackApi;
  readonly #channel: string;
  readonly #consoleUrl: string;

  constructor(options: {
    readonly api: SlackApi;
    readonly channel: string;
    readonly consoleUrl: string;
  }) {
    this.#api = options.api;
    this.#channel = options.channel;
    this.#consoleUrl = options.consoleUrl;
    this.destination = `slack:${options.channel}`;
  }

  async send([notification]: Batch, thread: Thread, signal: AbortSignal): Promise<SendResult> {
    const described = describeNotification(notification, this.#consoleUrl);
    const message = slackMessage(described);
    const isOver = notification.status === 'resolved';
    const posted = postedOf(thread.value);
    if (posted === undefined || posted.isOver) return this.#begin(message, isOver, thread, signal);

    const updated = await this.#say('chat.update', message, posted, signal);
    if (updated.outcome === 'error' && updated.error === 'message_not_found') {
      return this.#begin(message, isOver, thread, signal);
    }
    const isFixed =
      updated.outcome === 'error' &&
      (updated.error === 'edit_window_closed' || updated.error === 'cant_update_message');
    if (updated.outcome !== 'ok' && !isFixed) return slackResult(updated);
    const isWhole = isFixed || SPEAKS.has(notification.reason);
    const note = isWhole ? message : { text: message.text, blocks: [] };
    const isLoud = !QUIET.has(notification.reason);
    const replied = await this.#reply(note, posted, isLoud, signal);
    if (replied.outcome === 'error' && THREAD_GONE.has(replied.error)) {
      return this.#begin(message, isOver, thread, signal);
    }
    if (replied.outcome !== 'ok') return slackResult(replied);
    if (isOver) await thread.keep(JSON.stringify({ ...posted, isOver }));
    return { outcome: 'delivered' };
  }

  async #begin(message: SlackMessage, isOver: boolean, thread: Thread, signal: AbortSignal) {
    const answer = await this.#say('chat.postMessage', message, { channel: this.#channel }, signal);
    if (answer.outcome !== 'ok') return slackResult(answer);
    const { channel, ts } = answer;
    await thread.keep(JSON.stringify({ channel, ts, isOver } satisfies Posted));
    return { outcome: 'delivered' as const };
  }

  #reply(note: SlackMessage, posted: Posted, isLoud: boolean, signal: AbortSignal) {
    const place = { channel: posted.channel, thread_ts: posted.ts, reply_broadcast: isLoud };
    return this.#say('chat.postMessage', note, place, signal);
  }

  /** Once more without blocks where it is they that Slack can't read: a plain page beats none. */
  async #say(
    method: 'chat.postMessage' | 'chat.update',
    { text, blocks }: SlackMessage,
    place: Place,
    signal: AbortSignal,
  ): Promise<SlackAnswer> {
    const { channel, ts, thread_ts, reply_broadcast } = place;
    const isUpdate = method === 'chat.update';
    const where = { channel, ...(isUpdate ? { ts } : { thread_ts, reply_broadcast }) };
    const answer = await this.#api.call(method, { ...where, text, blocks }, signal);
    if (answer.outcome !== 'error' || !MESSAGE_AT_FAULT.has(answer.error) || blocks.length === 0) {
      return answer;
    }
    return this.#api.call(method, { ...where, text, blocks: [] }, signal);
  }
}
