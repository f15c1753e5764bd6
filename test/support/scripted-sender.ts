import type {
  Batch,
  Receiver,
  Sender,
  SendResult,
  Thread,
} from '../../services/alerter/notify/senders/sender.ts';

/** A destination that answers as a test says, and keeps what it was sent. */
export class ScriptedSender implements Sender {
  readonly kind = 'webhook';
  readonly pace;
  /** Ids of each message that came, in order, whatever was answered. */
  readonly sent: string[][] = [];
  /** Those that were taken. */
  readonly taken: string[][] = [];
  answer: (batch: Batch, count: number) => SendResult | Promise<SendResult> = () => DELIVERED;
  readonly destination: string;

  constructor(destination: string, pace = { perSecond: 1_000, burst: 1_000 }) {
    this.destination = destination;
    this.pace = pace;
  }

  async send(batch: Batch, _thread: Thread, signal: AbortSignal): Promise<SendResult> {
    const ids = batch.map(({ id }) => id);
    this.sent.push(ids);
    const stopped = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => stopped.reject(signal.reason), { once: true });
    const answer = this.answer(batch, this.sent.length);
    const result = await Promise.race([answer, stopped.promise]);
    if (result.outcome === 'delivered') this.taken.push(ids);
    return result;
  }
}

export const DELIVERED: SendResult = { outcome: 'delivered' };

export function later(why = 'answers 503', retryAfterMs?: number): SendResult {
  return { outcome: 'later', why, retryAfterMs };
}

export function aReceiver(senders: readonly Sender[], over: Partial<Receiver> = {}): Receiver {
  return {
    name: 'data-eng',
    senders,
    sendResolved: true,
    digestMs: 0,
    giveUpAfterMs: 24 * 3_600_000,
    ...over,
  };
}
