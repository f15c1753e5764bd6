import { open } from 'node:fs/promises';
import { type DecompressEnd, decompress } from '../../../shared/event-log/decompress.ts';
import {
  EventLogReader,
  type EventLogReaderOptions,
} from '../../../shared/event-log/event-log-reader.ts';
import { EventLogLines } from '../../../shared/event-log/read-event-log.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { ByteChannel } from './byte-channel.ts';
import type { EventLogPart, FoundEventLog } from './find-event-logs.ts';

/** One file of a log while it is unpacked. */
class PartStream implements AsyncDisposable {
  readonly part: EventLogPart;
  position = 0;
  readonly #lines: EventLogLines;
  readonly #channel = new ByteChannel();
  readonly #done: Promise<void>;
  #end: DecompressEnd | undefined;
  #failure: unknown;

  constructor(part: EventLogPart, lines: EventLogLines) {
    this.part = part;
    this.#lines = lines;
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    try {
      const stream = decompress(this.#channel, this.part.path, (end) => {
        this.#end = end;
      });
      for await (const bytes of stream) this.#lines.push(bytes);
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#channel.close();
    }
  }

  /** Resolves when all that the bytes hold has been given to the reader. */
  async push(bytes: Uint8Array): Promise<void> {
    await this.#channel.write(bytes);
    this.position += bytes.byteLength;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Set when the bytes so far can't be unpacked any further. */
  get broken(): DecompressEnd | undefined {
    return this.#end?.kind === 'complete' ? undefined : this.#end;
  }

  /** The file grows no more: what it holds of a last line counts. */
  async end(): Promise<DecompressEnd | undefined> {
    this.#channel.end();
    await this.#done;
    if (this.#failure !== undefined) throw this.#failure;
    this.#lines.end();
    return this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel.end();
    await this.#done;
  }
}

/**
 * `more`: there is more to read now. `caught-up`: all that is listed is read. `foreign`: it is no
 * event log. `replaced`: files shrank or are others now, so that it must be read from its beginning.
 */
export type FollowStep = 'more' | 'caught-up' | 'foreign' | 'replaced';

const CHUNK_BYTES = 256 * 1024;
/** Less than a report allows, since hundreds of logs are held at a time. No event that is read is near it. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** Reads one event log while it grows, part after part, each byte once. */
export class EventLogFollower implements AsyncDisposable {
  readonly reader: EventLogReader;
  /** When it last grew, by Tollgate's clock. */
  grewAt: Instant;
  readonly #lines: EventLogLines;
  #stream: PartStream | undefined;
  /** Number of the last part that is read to its end. */
  #passedPart = -1;
  #passedBytes = 0;

  constructor(options: EventLogReaderOptions, now: Instant) {
    this.reader = new EventLogReader(options);
    this.#lines = new EventLogLines(this.reader, MAX_LINE_BYTES);
    this.grewAt = now;
  }

  /** Stored bytes read so far, over all parts. */
  get position(): number {
    return this.#passedBytes + (this.#stream?.position ?? 0);
  }

  /**
   * Reads at most about `maxBytes` more.
   *
   * @throws the error of the file system
   */
  async advance(log: FoundEventLog, maxBytes: number): Promise<FollowStep> {
    let left = maxBytes;
    for (;;) {
      const [current, next] = this.#partsToRead(log.parts);
      if (current === undefined) return this.#stream === undefined ? 'caught-up' : 'replaced';
      if (!this.#fits(current)) return 'replaced';
      this.#stream ??= this.#openPart(current);
      left -= await this.#readPart(this.#stream, current, left);
      if (this.#lines.isForeign) return 'foreign';
      if (this.#stream.position < current.size && this.#stream.broken === undefined) return 'more';
      if (next === undefined) return 'caught-up';
      await this.#endPart();
      if (left <= 0) return 'more';
    }
  }

  #partsToRead(parts: readonly EventLogPart[]): readonly EventLogPart[] {
    const reading = this.#stream?.part.number;
    return parts.filter(({ number }) =>
      reading === undefined ? number > this.#passedPart : number >= reading,
    );
  }

  /** False when this isn't what follows on what was read. */
  #fits(part: EventLogPart): boolean {
    const stream = this.#stream;
    if (stream === undefined) {
      // A compacted file tells again what was read before.
      return this.#passedPart < 0 || !part.compacted;
    }
    const { identity, number } = stream.part;
    return number === part.number && identity === part.identity && part.size >= stream.position;
  }

  #openPart(part: EventLogPart): PartStream {
    if (part.compacted) this.reader.note('undercounted');
    else if (part.number > Math.max(0, this.#passedPart) + 1) this.reader.note('missing-part');
    return new PartStream(part, this.#lines);
  }

  async #endPart(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#stream = undefined;
    this.#passedPart = stream.part.number;
    this.#passedBytes += stream.position;
    const end = await stream.end();
    if (end?.kind === 'truncated') this.reader.note('truncated');
    if (end?.kind === 'corrupt' || end?.kind === 'unsupported') this.reader.note('corrupt-data');
  }

  async #readPart(stream: PartStream, part: EventLogPart, maxBytes: number): Promise<number> {
    if (stream.position >= part.size || stream.broken !== undefined || maxBytes <= 0) return 0;
    let read = 0;
    const file = await open(part.path, 'r');
    try {
      while (read < maxBytes && stream.position < part.size && stream.broken === undefined) {
        const want = Math.min(CHUNK_BYTES, part.size - stream.position);
        // A new one each time: unpacking may hold on to its input.
        const buffer = Buffer.allocUnsafeSlow(want);
        const { bytesRead } = await file.read(buffer, 0, want, stream.position);
        if (bytesRead === 0) break;
        await stream.push(buffer.subarray(0, bytesRead));
        read += bytesRead;
      }
    } finally {
      await file.close();
    }
    return read;
  }

  /** The log grows no more: reads its last line and lets the reader infer an end that is missing. */
  async finish(reason: string): Promise<void> {
    await this.#endPart();
    this.reader.finish(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream?.[Symbol.asyncDispose]();
  }
}
