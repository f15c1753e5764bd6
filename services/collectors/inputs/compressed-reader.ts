import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { TAIL_BYTES } from './file-position.ts';
import type { Compression } from './rotated-name.ts';

const CHUNK_BYTES = 1 << 16;

/** Reads a compressed file piece by piece in decompressed offsets; memory doesn't grow with it. */
export class CompressedReader implements Disposable {
  readonly #output: AsyncIterator<Buffer>;
  readonly #close: () => void;
  #held: Buffer = Buffer.alloc(0);
  #recent: Buffer = Buffer.alloc(0);

  constructor(path: string, compression: Compression) {
    const input = createReadStream(path, { highWaterMark: CHUNK_BYTES });
    const decompress =
      compression === 'gzip'
        ? createGunzip({ chunkSize: CHUNK_BYTES })
        : createZstdDecompress({ chunkSize: CHUNK_BYTES });
    // Errors reach the reader through the iterator.
    pipeline(input, decompress, () => {});
    this.#output = decompress[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#close = () => {
      input.destroy();
      decompress.destroy();
    };
  }

  /** The bytes before the current offset, at most 64. */
  get recent(): Buffer {
    return this.#recent;
  }

  /** Up to `max` bytes; empty at the end. Rejects when the file is damaged or incomplete. */
  async read(max: number): Promise<Buffer> {
    if (this.#held.length === 0) {
      const next = await this.#output.next();
      if (next.done === true) return Buffer.alloc(0);
      this.#held = next.value;
    }
    const piece = this.#held.subarray(0, max);
    this.#held = this.#held.subarray(piece.length);
    const last = piece.subarray(-TAIL_BYTES);
    this.#recent = Buffer.from(Buffer.concat([this.#recent, last]).subarray(-TAIL_BYTES));
    return piece;
  }

  /** Reads on to `offset`; false when the file is shorter. */
  async skip(offset: number): Promise<boolean> {
    let left = offset;
    while (left > 0) {
      const piece = await this.read(left);
      if (piece.length === 0) return false;
      left -= piece.length;
    }
    return true;
  }

  /** The first bytes, at most `max`. */
  async head(max: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let length = 0;
    while (length < max) {
      const piece = await this.read(max - length);
      if (piece.length === 0) break;
      parts.push(piece);
      length += piece.length;
    }
    return Buffer.concat(parts);
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
