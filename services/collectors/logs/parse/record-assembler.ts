import { type Header, readHeader } from './header.ts';
import { continuesPlain, type PlainState, plainState } from './plain-lines.ts';
import type { TimeReader } from './time-reader.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** One log event as it came: its lines, and where they lay. */
export interface RawRecord {
  /** `pattern`: begins with a known layout's header · `json`: one line · `plain`: neither. */
  readonly kind: 'pattern' | 'json' | 'plain';
  readonly header: Header | undefined;
  /** Without the last line end. In UTF-8 sources one character per byte, see `encoding`. */
  readonly text: string;
  readonly encoding: Encoding;
  /** Byte offsets `[start, end)` in the source. */
  readonly start: number;
  readonly end: number;
  /** The rest of a longer one was left out. */
  readonly cut: boolean;
}

export interface AssemblerOptions {
  readonly time: TimeReader;
  readonly maxRecordBytes: number;
  /** Offset of the first byte that will come. */
  readonly start: number;
  /** Known when reading resumes; otherwise a byte order mark tells. */
  readonly encoding?: Encoding;
  readonly out: (record: RawRecord) => void;
}

interface Pending {
  readonly kind: RawRecord['kind'];
  readonly header: Header | undefined;
  plain: PlainState;
}

/** Of a line that isn't whole, enough to see whether a record begins with it. */
const LOOK_BYTES = 8_192;
const NOTHING = Buffer.alloc(0);

/**
 * Puts the lines of one source together to log events: a line that begins with no known header goes
 * on with the event before it. Bytes may come in pieces cut anywhere; the same bytes give the same
 * records. The last record waits until the next begins, or `flush`. Holds at most one record.
 *
 * Text is scanned as Latin-1, one character a byte, so that offsets need no counting; what isn't
 * ASCII is decoded when the record is parsed.
 */
export class RecordAssembler {
  readonly #options: AssemblerOptions;
  #encoding: Encoding | undefined;
  /** The pending record, and after it the line that isn't whole. */
  #held: Buffer = NOTHING;
  #heldStart: number;
  /** `held`, decoded; offsets below are in its characters. */
  #text = '';
  /** Where the pending record begins. */
  #recordStart = 0;
  /** Where the line begins that isn't whole. */
  #tail = 0;
  /** That line is long enough to have been looked at already. */
  #tailKnown = false;
  #pending: Pending | undefined;
  /** A record over the limit, waiting for its end while the rest of it is skipped. */
  #big: (RawRecord & { plain: PlainState }) | undefined;

  constructor(options: AssemblerOptions) {
    this.#options = options;
    this.#heldStart = options.start;
    this.#encoding = options.encoding ?? (options.start > 0 ? 'utf-8' : undefined);
  }

  /** Everything before it is in records that were handed out. */
  get position(): number {
    return this.#big?.start ?? this.#heldStart;
  }

  /** Something waits for more bytes, or for `flush`. */
  get waits(): boolean {
    return this.#held.length > 0 || this.#big !== undefined;
  }

  /** What waits ends in the middle of a line. */
  get hasHalfLine(): boolean {
    return this.#tail * this.#unit < this.#held.length || this.#tailKnown;
  }

  get encoding(): Encoding {
    return this.#encoding ?? 'utf-8';
  }

  push(bytes: Buffer): void {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    if (this.#encoding === undefined && !this.#detect(false)) return;
    this.#scan();
  }

  /** Hands out what waits, half a line included. */
  flush(): void {
    if (this.#encoding === undefined) {
      this.#detect(true);
      this.#scan();
    }
    if (this.#tail < this.#text.length && !this.#tailKnown) {
      this.#line(this.#tail, this.#text.length);
    }
    this.#emitPending(this.#text.length);
    this.#emitBig(this.#text.length);
    this.#tailKnown = false;
    this.#drop(this.#text.length);
    // Half a character of UTF-16 at the very end.
    this.#heldStart += this.#held.length;
    this.#held = NOTHING;
  }

  get #unit(): number {
    return this.encoding === 'utf-8' ? 1 : 2;
  }

  #detect(atEnd: boolean): boolean {
    const held = this.#held;
    if (held.length < 3 && !atEnd) return false;
    const mark = held.toString('latin1', 0, 3);
    let skip = 0;
    if (mark.startsWith('\xff\xfe')) this.#encoding = 'utf-16le';
    else if (mark.startsWith('\xfe\xff')) this.#encoding = 'utf-16be';
    else this.#encoding = 'utf-8';
    if (this.#encoding !== 'utf-8') skip = 2;
    else if (mark === '\xef\xbb\xbf') skip = 3;
    this.#held = held.subarray(skip);
    this.#heldStart += skip;
    return true;
  }

  #decode(): string {
    const held = this.#held;
    if (this.#encoding === 'utf-8') return held.toString('latin1');
    const whole = held.subarray(0, held.length & ~1);
    const little = this.#encoding === 'utf-16le' ? whole : Buffer.from(whole).swap16();
    return little.toString('utf16le');
  }

  #scan(): void {
    this.#text = this.#decode();
    let from = this.#tail;
    for (;;) {
      const newline = this.#text.indexOf('\n', from);
      if (newline === -1) break;
      if (!this.#tailKnown) this.#line(from, newline);
      this.#tailKnown = false;
      from = newline + 1;
      // Nothing can go on with a JSON record, so it needn't wait for the next one.
      if (this.#pending?.kind === 'json') this.#emitPending(from);
      if (this.#big?.kind === 'json') this.#emitBig(from);
    }
    this.#tail = from;
    if (this.#pending === undefined) this.#skip(0, from);
    else this.#drop(this.#recordStart);
    this.#limit();
  }

  #drop(chars: number): void {
    const bytes = chars * this.#unit;
    // An empty part would hold on to the whole piece of the file, for each of thousands of files.
    this.#held = bytes < this.#held.length ? this.#held.subarray(bytes) : NOTHING;
    this.#heldStart += bytes;
    this.#text = this.#text.slice(chars);
    this.#tail = Math.max(0, this.#tail - chars);
    this.#recordStart = Math.max(0, this.#recordStart - chars);
  }

  /** Looks at a line, or at the beginning of a long one: a new record, or more of the last. */
  #line(from: number, end: number): void {
    const text = this.#text;
    const json = text.charCodeAt(from) === 123 && text.charCodeAt(from + 1) === 34;
    const header = json ? undefined : readHeader(text, from, end, this.#options.time);
    if (!json && header === undefined && this.#continues(from, end)) return;
    this.#emitPending(from);
    this.#emitBig(from);
    this.#recordStart = from;
    this.#pending = {
      kind: json ? 'json' : header === undefined ? 'plain' : 'pattern',
      header: header === undefined ? undefined : { ...header, messageAt: header.messageAt - from },
      plain: plainState(text, from, end),
    };
  }

  #continues(from: number, end: number): boolean {
    const last = this.#pending ?? this.#big;
    if (last?.kind !== 'plain') return last?.kind === 'pattern';
    const next = continuesPlain(last.plain, this.#text, { from, end });
    if (next !== undefined) last.plain = next;
    return next !== undefined;
  }

  #emitPending(end: number): void {
    if (this.#pending === undefined) return;
    this.#options.out(this.#raw(this.#pending, end));
    this.#pending = undefined;
  }

  #raw({ kind, header }: Pending, end: number): RawRecord {
    const from = this.#recordStart;
    const last = trimmedEnd(this.#text, from, end);
    const cut = last - from > this.#maxChars;
    return {
      kind,
      header,
      text: this.#text.slice(from, cut ? from + this.#maxChars : last),
      encoding: this.encoding,
      start: this.#heldStart + from * this.#unit,
      end: this.#heldStart + end * this.#unit,
      cut,
    };
  }

  get #maxChars(): number {
    return Math.floor(this.#options.maxRecordBytes / this.#unit);
  }

  #emitBig(end: number): void {
    if (this.#big === undefined) return;
    const { plain: _, ...big } = this.#big;
    const { text } = big;
    const cut = big.cut || hasText(this.#text, 0, end);
    this.#options.out({
      ...big,
      cut,
      // Only line ends came after it: they are no loss.
      text: cut ? text : text.slice(0, trimmedEnd(text, 0, text.length)),
      end: this.#heldStart + end * this.#unit,
    });
    this.#big = undefined;
  }

  /** Cuts what is longer than a record may be, so that memory stays bounded whatever comes. */
  #limit(): void {
    if (!this.#tailKnown && (this.#text.length - this.#tail) * this.#unit > LOOK_BYTES) {
      this.#line(this.#tail, this.#text.length);
      this.#tailKnown = true;
      if (this.#pending !== undefined) this.#drop(this.#recordStart);
    }
    // What is known to be the pending record's; a short line after it may begin the next.
    const known = this.#tailKnown ? this.#text.length : this.#tail;
    if (this.#pending !== undefined && known > this.#maxChars) {
      const text = this.#text.slice(0, this.#maxChars);
      const { plain } = this.#pending;
      this.#big = { ...this.#raw(this.#pending, known), text, cut: false, plain };
      this.#pending = undefined;
      this.#skip(this.#maxChars, known);
    } else if (this.#big !== undefined) this.#skip(0, known);
  }

  #skip(from: number, end: number): void {
    if (this.#big !== undefined && !this.#big.cut && hasText(this.#text, from, end)) {
      this.#big = { ...this.#big, cut: true };
    }
    this.#drop(end);
  }
}

const isLineEnd = (code: number): boolean => code === 10 || code === 13;

function hasText(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) if (!isLineEnd(text.charCodeAt(at))) return true;
  return false;
}

function trimmedEnd(text: string, from: number, end: number): number {
  let last = end;
  while (last > from && isLineEnd(text.charCodeAt(last - 1))) last -= 1;
  return last;
}

/** A raw record of text that is known to be one event, one character a byte. */
export function wholeRecord(text: string, time: TimeReader, maxBytes: number): RawRecord {
  const newline = text.indexOf('\n');
  const json = text.startsWith('{"');
  const header = json
    ? undefined
    : readHeader(text, 0, newline === -1 ? text.length : newline, time);
  return {
    kind: json ? 'json' : header === undefined ? 'plain' : 'pattern',
    header,
    text,
    encoding: 'utf-8',
    start: 0,
    end: text.length,
    // The assembler cuts at the limit, and drops the line end of what is shorter.
    cut: text.length >= maxBytes,
  };
}
