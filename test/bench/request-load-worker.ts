import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { must } from '../../shared/errors/assert.ts';

/** What a load generator sends, and for how long. Plain data, since it is copied. */
export interface LoadOrder {
  readonly port: number;
  /** Whole requests, sent in turn; each asks to keep the connection. */
  readonly requests: readonly string[];
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Requests a second over all connections; as fast as answers come without it. */
  readonly perSecond?: number;
}

export interface LoadResult {
  readonly answers: number;
  readonly errors: number;
  readonly seconds: number;
  /** From when a request was due, so that a stall counts for all that wait behind it. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = /content-length: (\d+)/i;

/** Length of the first answer in the bytes, or undefined while it isn't whole. */
function answerLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const length = LENGTH.exec(bytes.toString('latin1', 0, end))?.[1];
  const whole = end + HEAD_END.length + Number(length ?? 0);
  return bytes.length < whole ? undefined : whole;
}

class Load {
  readonly #order: LoadOrder;
  readonly #times: number[] = [];
  readonly #begin = performance.now();
  #errors = 0;
  #sent = 0;
  #stopped = false;

  constructor(order: LoadOrder) {
    this.#order = order;
  }

  /** When the n-th request is due, for a paced load. */
  #due(): number {
    const { perSecond } = this.#order;
    const now = performance.now();
    return perSecond === undefined ? now : this.#begin + (this.#sent * 1_000) / perSecond;
  }

  #send(socket: Socket, onSent: (due: number) => void): void {
    if (this.#stopped) return;
    const due = this.#due();
    const request = this.#order.requests[this.#sent % this.#order.requests.length];
    this.#sent += 1;
    const wait = due - performance.now();
    const write = (): void => {
      onSent(due);
      socket.write(must(request, 'a load has requests'), 'latin1');
    };
    if (wait <= 1) write();
    else setTimeout(write, wait);
  }

  #record(due: number, bytes: Buffer): void {
    const now = performance.now();
    const measuredAt = now - this.#begin - this.#order.warmUpMs;
    if (measuredAt < 0 || measuredAt > this.#order.measureMs) return;
    this.#times.push(now - due);
    if (!bytes.toString('latin1', 0, 12).endsWith('200')) this.#errors += 1;
  }

  #open(): Promise<Socket> {
    const socket = connect({ port: this.#order.port, host: '127.0.0.1', noDelay: true });
    let waiting: Buffer = Buffer.alloc(0);
    let due = 0;
    const next = (): void => {
      this.#send(socket, (at) => {
        due = at;
      });
    };
    socket.on('data', (chunk: Buffer) => {
      waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
      const length = answerLength(waiting);
      if (length === undefined) return;
      this.#record(due, waiting);
      waiting = waiting.subarray(length);
      next();
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        next();
        resolve(socket);
      });
    });
  }

  async run(): Promise<LoadResult> {
    const { connections, warmUpMs, measureMs } = this.#order;
    const sockets = await Promise.all(Array.from({ length: connections }, () => this.#open()));
    await new Promise((resolve) => setTimeout(resolve, warmUpMs + measureMs));
    this.#stopped = true;
    for (const socket of sockets) socket.destroy();
    const times = Float64Array.from(this.#times).sort();
    const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? 0;
    return {
      answers: times.length,
      errors: this.#errors,
      seconds: measureMs / 1_000,
      ...{ p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
    };
  }
}

const port = must(parentPort, 'the load runs in a worker');
port.postMessage(await new Load(workerData as LoadOrder).run());
