import { createTransport } from 'nodemailer';
import { plainLine } from '../message/plain-line.ts';
import type { SendResult } from '../sender.ts';
import type { MailMessage } from './mail-message.ts';

export interface MailRelayOptions {
  readonly host: string;
  readonly port: number;
  /** `none`: in clear, for a relay on the same machine. */
  readonly security: 'starttls' | 'tls' | 'none';
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** PEM of the relay's authority, where the system doesn't know it. */
  readonly ca: string | undefined;
  readonly from: string;
  readonly timeoutMs: number;
}

interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly command?: string;
}

/**
 * Only what is said of this recipient or of this content is the message's own fault. A sender that
 * may not send, a password that is wrong, a relay that is full are a person's to mend; 4xx
 * (greylisting, RFC 6647) and whatever broke off passes with time.
 */
function resultOf(error: SmtpError): SendResult {
  const { responseCode = 0, command = '', response } = error;
  const why = plainLine(response ?? error.message, 300);
  const isOfMessage = command === 'RCPT TO' || command === 'DATA';
  if (responseCode >= 500 && isOfMessage) return { outcome: 'refused', why };
  return { outcome: 'later', why, retryAfterMs: undefined };
}

/** An SMTP relay; each mail on a connection of its own, to one recipient. */
export class MailRelay {
  readonly #options: MailRelayOptions;
  readonly #transport;

  constructor(options: MailRelayOptions) {
    const { host, port, security, user, password, ca, timeoutMs } = options;
    this.#options = options;
    this.#transport = createTransport({
      host,
      port,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
      tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      dnsTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  /** @throws when the signal aborts; the mail may have left */
  async send(message: MailMessage, signal: AbortSignal): Promise<SendResult> {
    signal.throwIfAborted();
    const { to, subject, messageId, headers, text, html } = message;
    const { from } = this.#options;
    const sent = this.#transport
      .sendMail({
        from,
        // An address as an object isn't parsed: a comma in it makes no second recipient.
        to: { name: '', address: to },
        envelope: { from: addressOf(from), to: [to] },
        subject,
        messageId,
        headers,
        text,
        html,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      .then(
        (): SendResult => ({ outcome: 'delivered' }),
        (error: SmtpError) => resultOf(error),
      );
    const stopped = Promise.withResolvers<never>();
    const stop = (): void => stopped.reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await Promise.race([sent, stopped.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

/** `Tollgate <alerts@example.org>` → `alerts@example.org`. */
export function addressOf(mailbox: string): string {
  return (/<([^<>]+)>\s*$/.exec(mailbox)?.[1] ?? mailbox).trim();
}
