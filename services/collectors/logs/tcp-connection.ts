import type { Clock } from '../../../shared/runtime/clock.ts';
import type { LogsConfig, LogTcpSource } from './config.ts';
import { LocalTime } from './parse/local-time.ts';
import { RecordAssembler } from './parse/record-assembler.ts';
import { TimeReader } from './parse/time-reader.ts';
import type { Spool } from './spool.ts';
import { printFrame } from './spool-frame.ts';

const NEWLINE = 10;

/**
 * One sender: puts its bytes together to events, and spools those. What waits for its next line is
 * not spooled yet, so a kill can lose the last event of a connection.
 */
export class TcpLogConnection {
  readonly #source: LogTcpSource;
  readonly #spool: Spool;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #assembler: RecordAssembler;
  #events: Buffer[] = [];
  #touchedAt = 0;
  #sending: Promise<void> = Promise.resolve();

  constructor(
    source: LogTcpSource,
    deps: {
      readonly config: LogsConfig;
      readonly spool: Spool;
      readonly clock: Clock;
      readonly signal: AbortSignal;
    },
  ) {
    this.#source = source;
    this.#spool = deps.spool;
    this.#clock = deps.clock;
    this.#signal = deps.signal;
    this.#assembler = new RecordAssembler({
      time: new TimeReader(new LocalTime(source.zone)),
      maxRecordBytes: deps.config.maxRecordBytes,
      start: 0,
      encoding: 'utf-8',
      out: ({ text }) => {
        if (text !== '') this.#events.push(Buffer.from(text, 'latin1'));
      },
    });
  }

  /** Returns when the events that became whole are durable. */
  async push(bytes: Buffer): Promise<void> {
    // log4j2's nullEventDelimiter. A NUL means nothing else in a log line.
    if (bytes.includes(0)) {
      for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, at)) bytes[at] = NEWLINE;
    }
    this.#touchedAt = this.#clock.elapsed();
    this.#assembler.push(bytes);
    await this.#send();
  }

  /** Hands out an event whose next line hasn't come for `quietMs`. */
  async flushQuiet(quietMs: number): Promise<void> {
    const quiet = this.#clock.elapsed() - this.#touchedAt >= quietMs;
    if (quiet && this.#assembler.waits && !this.#assembler.hasHalfLine) await this.end();
  }

  async end(): Promise<void> {
    this.#assembler.flush();
    await this.#send();
  }

  /** One frame at a time, in the order of the events. */
  #send(): Promise<void> {
    const events = this.#events;
    if (events.length === 0) return this.#sending;
    this.#events = [];
    const { cluster, project, zone } = this.#source;
    const head = { cluster, project, zone, observedAt: this.#clock.now() };
    this.#sending = this.#sending.then(() =>
      this.#spool.append(printFrame(head, events), this.#signal),
    );
    return this.#sending;
  }
}
