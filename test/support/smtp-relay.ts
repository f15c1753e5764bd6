import { once } from 'node:events';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';

/** One mail as it arrived. */
export interface ArrivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and body as they were sent, lines ended by CRLF. */
  readonly raw: string;
  readonly isEncrypted: boolean;
}

export type SmtpAnswer = 'take' | { readonly code: number; readonly text: string };

/** A real SMTP server on 127.0.0.1 that refuses, greylists and drops as a test says. */
export class SmtpRelay implements AsyncDisposable {
  readonly mails: ArrivedMail[] = [];
  /** Each RCPT TO, whatever was answered. */
  readonly asked: string[] = [];
  /** Answers RCPT TO and the end of DATA. */
  recipient: (address: string) => SmtpAnswer = () => 'take';
  data: () => SmtpAnswer | 'drop' = () => 'take';
  readonly #server: SMTPServer;

  private constructor(options: SMTPServerOptions) {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: options.key === undefined ? ['STARTTLS'] : [],
      ...options,
      onRcptTo: ({ address }, _session, done) => {
        this.asked.push(address);
        done(errorOf(this.recipient(address)));
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => this.#end(Buffer.concat(chunks), session, done));
      },
    });
    this.#server.on('error', () => undefined);
  }

  static async open(options: SMTPServerOptions = {}): Promise<SmtpRelay> {
    const relay = new SmtpRelay(options);
    const listening = relay.#server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    return relay;
  }

  get port(): number {
    const address = this.#server.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  #end(body: Buffer, session: SMTPServerSession, done: (error?: Error | null) => void): void {
    const answer = this.data();
    if (answer === 'take' || answer === 'drop') {
      const { mailFrom, rcptTo } = session.envelope;
      this.mails.push({
        from: mailFrom === false ? '' : mailFrom.address,
        to: rcptTo.map(({ address }) => address),
        raw: body.toString('utf8'),
        isEncrypted: session.secure,
      });
    }
    if (answer === 'drop') {
      for (const connection of this.#server.connections) connection._socket.destroy();
      return;
    }
    done(errorOf(answer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function errorOf(answer: SmtpAnswer): Error | null {
  if (answer === 'take') return null;
  return Object.assign(new Error(answer.text), { responseCode: answer.code });
}

/** A header of a raw mail, its folding undone; undefined when there is none. */
export function headerOf(raw: string, name: string): string | undefined {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
  const found = head.split('\r\n').find((line) => line.toLowerCase().startsWith(`${name}:`));
  return found?.slice(name.length + 1).trim();
}
