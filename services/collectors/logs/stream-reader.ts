import type { LogRecord } from '../../../shared/contracts/log-record.ts';
import type { Checkpoint } from '../../../shared/stores/checkpoint.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import type { TailedFile } from '../inputs/file-event.ts';
import { CriUnwrapper } from './parse/cri-unwrapper.ts';
import type { LocalTime } from './parse/local-time.ts';
import { type Encoding, type RawRecord, RecordAssembler } from './parse/record-assembler.ts';
import { TimeReader } from './parse/time-reader.ts';
import { type Origin, toLogRecord } from './parse/to-log-record.ts';

export interface StreamReaderOptions {
  readonly zone: LocalTime;
  readonly maxRecordBytes: number;
  /** Each line carries a container runtime's prefix. */
  readonly cri: boolean;
  readonly out: (record: LogRecord | undefined, raw: RawRecord) => void;
}

/** A file's part of what the assembler has seen, in the assembler's own running offsets. */
interface Part {
  readonly file: TailedFile;
  readonly fileStart: number;
  readonly start: number;
  end: number;
}

/** State of a file whose lines a container runtime wraps. */
export const CRI = 'cri';
const ENCODINGS: readonly string[] = ['utf-8', 'utf-16le', 'utf-16be'];

/**
 * Reads the files of one stream as one text, so that an event or half a line goes on in the file
 * after a rotation, and knows which position each of its files is safely read to.
 */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #assembler: RecordAssembler;
  readonly #time: TimeReader;
  readonly #cri: CriUnwrapper | undefined;
  #parts: Part[];
  #origin: Origin;
  #observedAt: Instant = 0;
  #lastAt: Instant | undefined;
  /** Elapsed ms when bytes came last. */
  touchedAt = 0;
  /** Its file has ended; the stream's next one goes on with it. */
  open = true;

  constructor(file: TailedFile, start: number, origin: Origin, options: StreamReaderOptions) {
    this.#options = options;
    this.#origin = origin;
    this.#time = new TimeReader(options.zone);
    const known = ENCODINGS.includes(file.state) ? { encoding: file.state as Encoding } : {};
    const plain = options.cri ? { encoding: 'utf-8' as const } : known;
    this.#assembler = new RecordAssembler({
      time: this.#time,
      maxRecordBytes: options.maxRecordBytes,
      start,
      out: (raw) => this.#take(raw),
      ...plain,
    });
    this.#cri = options.cri ? new CriUnwrapper(start) : undefined;
    this.#parts = [{ file, fileStart: start, start, end: start }];
  }

  get file(): TailedFile | undefined {
    return this.#parts.at(-1)?.file;
  }

  get waits(): boolean {
    return this.#assembler.waits;
  }

  get hasHalfLine(): boolean {
    return this.#assembler.hasHalfLine;
  }

  /** Some of what waits, or of what came last, lies in this file. */
  holds(source: string): boolean {
    return this.#parts.some(({ file }) => file.source === source);
  }

  /** The next file of the stream goes on, from its beginning, where the last one ended. */
  append(file: TailedFile): void {
    const start = this.#parts.at(-1)?.end ?? 0;
    this.#parts.push({ file, fileStart: 0, start, end: start });
    this.open = true;
  }

  push(bytes: Buffer, context: { readonly origin: Origin; readonly observedAt: Instant }): void {
    this.#origin = context.origin;
    this.#observedAt = context.observedAt;
    const part = this.#parts.at(-1);
    if (part !== undefined) part.end += bytes.length;
    this.#assembler.push(this.#cri === undefined ? bytes : this.#cri.push(bytes));
  }

  flush(observedAt: Instant): void {
    this.#observedAt = observedAt;
    this.#assembler.flush();
  }

  /** Positions behind all records that were handed out, of each file that is concerned. */
  checkpoints(): Checkpoint[] {
    const { position: unwrapped, encoding } = this.#assembler;
    const position = this.#cri?.rawOffset(unwrapped) ?? unwrapped;
    const other = encoding === 'utf-8' ? '' : encoding;
    const state = this.#cri === undefined ? other : CRI;
    const found: Checkpoint[] = [];
    for (const { file, fileStart, start, end } of this.#parts) {
      if (position < start) break;
      const offset = fileStart + Math.min(position, end) - start;
      found.push(file.checkpoint(offset, state));
    }
    const last = this.#parts.length - 1;
    this.#parts = this.#parts.filter(({ end }, i) => i === last || end > position);
    return found;
  }

  /** Where its first byte lies, and its length: an event that was cut by a pause is another one. */
  #positionOf({ start, end }: RawRecord): string {
    const at = this.#cri?.rawOffset(start) ?? start;
    const part = this.#parts.findLast((one) => one.start <= at) ?? this.#parts[0];
    if (part === undefined) return '';
    return `${part.file.source}#${part.fileStart + at - part.start}+${end - start}`;
  }

  #take(raw: RawRecord): void {
    const record = toLogRecord(raw, {
      position: this.#positionOf(raw),
      origin: this.#origin,
      time: this.#time,
      observedAt: this.#observedAt,
      lastAt: this.#lastAt,
      trusted: false,
    });
    if (record !== undefined && raw.kind !== 'plain') this.#lastAt = record.at;
    this.#options.out(record, raw);
  }
}
