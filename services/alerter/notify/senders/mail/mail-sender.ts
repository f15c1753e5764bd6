import type { Batch, Sender, SendResult, Thread } from '../sender.ts';
import { mailMessage } from './mail-message.ts';
import type { MailRelay } from './mail-relay.ts';

/** Mails one address: each recipient has a mail and an outcome of its own, and sees no other. */
export class MailSender implements Sender {
  readonly kind = 'mail';
  readonly destination: string;
  readonly pace = { perSecond: 5, burst: 20 };
  readonly #relay: Pick<MailRelay, 'send'>;
  readonly #setup: { readonly to: string; readonly domain: string; readonly consoleUrl: string };

  constructor(options: {
    readonly relay: Pick<MailRelay, 'send'>;
    readonly to: string;
    readonly domain: string;
    readonly consoleUrl: string;
  }) {
    const { to, domain, consoleUrl, relay } = options;
    this.#relay = relay;
    this.#setup = { to, domain, consoleUrl };
    this.destination = `mail:${to}`;
  }

  async send(batch: Batch, thread: Thread, signal: AbortSignal): Promise<SendResult> {
    const root = thread.value === '' ? undefined : thread.value;
    const message = mailMessage(batch, this.#setup, root);
    const result = await this.#relay.send(message, signal);
    if (result.outcome !== 'delivered') return result;
    const isOver = batch.at(-1)?.status === 'resolved';
    // The next firing of an ended group begins a conversation of its own.
    if (isOver) await thread.keep('');
    else if (root === undefined) await thread.keep(message.messageId);
    return result;
  }
}
