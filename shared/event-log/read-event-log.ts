import { type EventLine, readEventLine } from './event-line.ts';
import type { EventLogReader } from './event-log-reader.ts';
import { LineSplitter } from './line-splitter.ts';

/** After so many lines without one event of Spark, a file is taken for something else. */
const MAX_FOREIGN_LINES = 100;
const MAX_FOREIGN_BYTES = 128 * 1024 * 1024;

/** Sees every line beside the reader; the buffer is only good until it returns. */
type WatchLine = (line: Buffer, event: EventLine) => void;

/** Cuts unpacked bytes into lines for a reader, in any number of pieces. */
export class EventLogLines {
  readonly #reader: EventLogReader;
  readonly #watch: WatchLine | undefined;
  readonly #splitter: LineSplitter;
  #lines = 0;
  #bytes = 0;
  #tooLong = 0;

  constructor(reader: EventLogReader, maxLineBytes?: number, watch?: WatchLine) {
    this.#reader = reader;
    this.#watch = watch;
    this.#splitter = new LineSplitter((line) => {
      this.#lines += 1;
      const event = readEventLine(line);
      reader.push(event);
      watch?.(line, event);
    }, maxLineBytes);
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    this.#splitter.push(chunk);
    const tooLong = this.#splitter.tooLong - this.#tooLong;
    this.#tooLong = this.#splitter.tooLong;
    this.#reader.note('line-too-long', tooLong);
  }

  /** Unpacked bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** So much was read without an event that nothing suggests an event log. */
  get isForeign(): boolean {
    const isMuch = this.#lines >= MAX_FOREIGN_LINES || this.#bytes >= MAX_FOREIGN_BYTES;
    return isMuch && this.#reader.events === 0;
  }

  /** The file ends here: a last line without a line end counts when it is whole. */
  end(): void {
    const rest = this.#splitter.takeRest();
    if (rest === undefined) return;
    const line = readEventLine(rest, true);
    if (line.kind === 'unreadable') this.#reader.note('truncated');
    else {
      this.#reader.push(line);
      this.#watch?.(rest, line);
    }
  }
}
