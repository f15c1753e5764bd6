import { mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock } from '../../../shared/runtime/clock.ts';
import type { Logger } from '../../../shared/telemetry/logger.ts';

/** The end of a frame: everything before it was taken. */
export interface SpoolPosition {
  readonly segment: number;
  readonly offset: number;
}

export interface SpoolFrame {
  readonly payload: Buffer;
  readonly end: SpoolPosition;
}

export interface SpoolOptions {
  readonly folder: string;
  /** All segments together; `append` waits when they are full. */
  readonly maxBytes: number;
  readonly segmentBytes?: number;
  /** Where reading resumes. */
  readonly from: SpoolPosition | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

const HEADER_BYTES = 8;
const SEGMENT_BYTES = 16 * 1_048_576;
const RETRY_MS = 1_000;
/** Larger than any frame that is written; a length beyond is a torn write. */
const MAX_FRAME_BYTES = 64 * 1_048_576;

interface Segment {
  readonly number: number;
  /** Durable up to here. */
  bytes: number;
}

interface Waiting {
  readonly frame: Buffer;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * A queue on disk, bounded in bytes. A frame is `[length, CRC-32, payload]`; whoever reads keeps the
 * position with what came of the frames, so that after a kill each is taken exactly once. A torn
 * last frame was never acknowledged, and is skipped.
 */
export class Spool implements AsyncDisposable {
  readonly #options: SpoolOptions;
  readonly #segments: Segment[] = [];
  #writing: FileHandle | undefined;
  #reading: { segment: number; handle: FileHandle } | undefined;
  #position: SpoolPosition;
  #queue: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #wakeReader = (): void => {};
  #wakeWriters: (() => void)[] = [];
  #closed = new AbortController();

  constructor(options: SpoolOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(options.folder).sort()) {
      const match = /^(\d{12})\.spool$/.exec(name);
      if (match === null) continue;
      const number = Number(match[1]);
      if (number < (options.from?.segment ?? 0)) unlinkSync(join(options.folder, name));
      else this.#segments.push({ number, bytes: statSync(join(options.folder, name)).size });
    }
    const first = this.#segments[0]?.number ?? (options.from?.segment ?? 0) + 1;
    const same = options.from !== undefined && options.from.segment === first;
    this.#position = { segment: first, offset: same ? options.from.offset : 0 };
  }

  /** Bytes on disk that were not released. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0) - this.#position.offset;
  }

  /** Durable when it resolves. Waits while the spool is full. */
  async append(payload: Buffer, signal: AbortSignal): Promise<void> {
    const length = payload.length + HEADER_BYTES;
    while (this.bytes > 0 && this.bytes + length > this.#options.maxBytes) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wakeWriters.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    signal.throwIfAborted();
    const frame = Buffer.allocUnsafe(length);
    frame.writeUInt32LE(payload.length, 0);
    frame.writeUInt32LE(crc32(payload), 4);
    payload.copy(frame, HEADER_BYTES);
    await new Promise<void>((resolve, reject) => {
      this.#queue.push({ frame, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Frames behind the ones taken before, about `maxBytes` of them; waits for one. Empty once closed. */
  async take(maxBytes: number): Promise<SpoolFrame[]> {
    for (;;) {
      const frames = await this.#read(maxBytes);
      if (frames.length > 0 || this.#closed.signal.aborted) return frames;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  /** What lies before a frame's end is no longer needed. */
  release(position: SpoolPosition): void {
    this.#position = position;
    while ((this.#segments[0]?.number ?? position.segment) < position.segment) {
      const segment = this.#segments.shift();
      if (segment !== undefined) unlinkSync(this.#path(segment.number));
    }
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }

  /** No more comes; `take` still hands out what is there, then nothing. */
  async close(): Promise<void> {
    await this.#flushing;
    this.#closed.abort();
    this.#wakeReader();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.#writing?.close();
    await this.#reading?.handle.close();
  }

  #path(number: number): string {
    return join(this.#options.folder, `${String(number).padStart(12, '0')}.spool`);
  }

  async #flush(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#queue.splice(0);
      await this.#write(Buffer.concat(group.map(({ frame }) => frame)));
      for (const { resolve } of group) resolve();
      this.#wakeReader();
    }
    this.#flushing = undefined;
  }

  /** Tried again until it succeeds: the senders wait meanwhile. */
  async #write(bytes: Buffer): Promise<void> {
    for (;;) {
      try {
        const segment = await this.#segment();
        await this.#writing?.write(bytes, 0, bytes.length, segment.bytes);
        await this.#writing?.datasync();
        segment.bytes += bytes.length;
        return;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#options.logger.error({ error: message }, 'the log spool cannot be written');
        await this.#options.clock.sleep(RETRY_MS, this.#closed.signal);
      }
    }
  }

  /** Never a file from before the start, whose end may be torn. */
  async #segment(): Promise<Segment> {
    const last = this.#segments.at(-1);
    const full = last !== undefined && last.bytes >= (this.#options.segmentBytes ?? SEGMENT_BYTES);
    if (this.#writing !== undefined && last !== undefined && !full) return last;
    await this.#writing?.close();
    this.#writing = undefined;
    const number = Math.max(last?.number ?? 0, this.#position.segment) + 1;
    this.#writing = await open(this.#path(number), 'w', 0o600);
    const segment = { number, bytes: 0 };
    this.#segments.push(segment);
    return segment;
  }

  #next: SpoolPosition | undefined;

  async #read(maxBytes: number): Promise<SpoolFrame[]> {
    const frames: SpoolFrame[] = [];
    let left = maxBytes;
    let at = this.#next ?? this.#position;
    while (left > 0) {
      const segment = this.#segments.find(({ number }) => number >= at.segment);
      if (segment === undefined) break;
      if (segment.number > at.segment) at = { segment: segment.number, offset: 0 };
      const frame = await this.#frame(segment, at.offset);
      if (frame === undefined) {
        // Torn, or not written yet: only a later segment tells.
        if (segment === this.#segments.at(-1)) break;
        at = { segment: segment.number + 1, offset: 0 };
        continue;
      }
      at = { segment: segment.number, offset: at.offset + HEADER_BYTES + frame.length };
      left -= frame.length;
      frames.push({ payload: frame, end: at });
    }
    this.#next = at;
    return frames;
  }

  async #frame(segment: Segment, offset: number): Promise<Buffer | undefined> {
    if (segment.bytes - offset < HEADER_BYTES) return undefined;
    if (this.#reading?.segment !== segment.number) {
      await this.#reading?.handle.close();
      const handle = await open(this.#path(segment.number), 'r');
      this.#reading = { segment: segment.number, handle };
    }
    const { handle } = this.#reading;
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    await handle.read(header, 0, HEADER_BYTES, offset);
    const length = header.readUInt32LE(0);
    if (length > MAX_FRAME_BYTES || segment.bytes - offset - HEADER_BYTES < length)
      return undefined;
    const payload = Buffer.allocUnsafe(length);
    await handle.read(payload, 0, length, offset + HEADER_BYTES);
    return crc32(payload) === header.readUInt32LE(4) ? payload : undefined;
  }
}
