import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import {
  constants,
  gunzip as gunzipCallback,
  gzip as gzipCallback,
  zstdCompress as zstdCompressCallback,
  zstdDecompress as zstdDecompressCallback,
} from 'node:zlib';
import { BadBatch } from './bad-batch.ts';
import { lz4FrameBytes } from './lz4-frame-bytes.ts';

/** What the client library calls for a batch's records, by the codec number in its attributes. */
export interface KafkaCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(packed: Buffer): Promise<Buffer>;
}

export interface CodecLimits {
  /** One batch unpacked, with what its records take as objects. */
  readonly batchMaxBytes: number;
  /** All batches of one answer of a broker. */
  readonly answerMaxBytes: number;
}

/** What stands in the place of a batch that can't be read; see {@link unreadableBatch}. */
export interface UnreadableBatch {
  readonly reason: BadBatch['reason'];
  readonly firstOffset: string;
  readonly detail: string;
}

const gzip = promisify(gzipCallback);
const gunzip = promisify(gunzipCallback);
const zstdCompress = promisify(zstdCompressCallback);
const zstdDecompress = promisify(zstdDecompressCallback);

/** A frame may ask for a window of this much memory, 8 MiB. */
const ZSTD_WINDOW_LOG = 23;
/** What the client library's objects of a record take beside its bytes. */
const RECORD_BYTES = 512;
/** From a batch's first byte to its records. Source: Kafka's DefaultRecordBatch.java. */
const HEADER_BYTES = 61;
const MAGIC_AT = 16;
const MAGIC = 2;
/** Standing for a batch takes a record for each of its own, which must be few enough too. */
const MAX_STAND_INS = 250_000;
const MAX_HEADERS = 1_000;
/** Nobody outside this process can write a key that looks like a stand-in's. */
const STAND_IN_KEY = randomBytes(16);

// Native libraries are loaded with the first batch that needs them.
const lz4 = () => import('lz4-napi');
const snappy = () => import('./xerial-snappy.ts');

const CODECS: Readonly<
  Record<
    string,
    {
      readonly pack: (bytes: Buffer) => Promise<Buffer>;
      readonly unpack: (packed: Buffer, maxBytes: number) => Promise<Buffer>;
    }
  >
> = {
  none: { pack: async (bytes) => bytes, unpack: async (bytes) => bytes },
  gzip: {
    pack: (bytes) => gzip(bytes),
    unpack: (packed, maxOutputLength) => gunzip(packed, { maxOutputLength }),
  },
  snappy: {
    pack: async (bytes) => (await snappy()).packSnappy(bytes),
    unpack: async (packed, maxBytes) => (await snappy()).unpackSnappy(packed, maxBytes),
  },
  lz4: {
    pack: async (bytes) => (await lz4()).compressFrame(bytes),
    async unpack(packed, maxBytes) {
      const bytes = lz4FrameBytes(packed, maxBytes);
      if (bytes > maxBytes) throw new BadBatch('batch-too-large', `unpacks to ${bytes} bytes`);
      return await (await lz4()).decompressFrame(packed);
    },
  },
  zstd: {
    pack: (bytes) => zstdCompress(bytes),
    unpack: (packed, maxOutputLength) =>
      zstdDecompress(packed, {
        maxOutputLength,
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
      }),
  },
};
/** By Kafka's numbers; the last three stand for no codec. */
const NUMBERS = ['none', 'gzip', 'snappy', 'lz4', 'zstd', 'codec 5', 'codec 6', 'codec 7'];

interface BatchHeader {
  readonly firstOffset: bigint;
  readonly lastDelta: number;
  readonly records: number;
}

/** What lies before the records in the answer they came in; undefined in formats before 0.11. */
function headerBefore(packed: Buffer): BatchHeader | undefined {
  const start = packed.byteOffset - HEADER_BYTES;
  if (start < 0) return undefined;
  const header = Buffer.from(packed.buffer, start, HEADER_BYTES);
  const length = header.readInt32BE(8);
  if (header.readInt8(MAGIC_AT) !== MAGIC || length !== packed.length + HEADER_BYTES - 12) {
    return undefined;
  }
  return {
    firstOffset: header.readBigInt64BE(0),
    lastDelta: header.readInt32BE(23),
    records: header.readInt32BE(57),
  };
}

function badBatchOf(error: unknown): BadBatch {
  if (error instanceof BadBatch) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const tooLarge = code === 'ERR_BUFFER_TOO_LARGE' || message.includes('too much memory');
  return new BadBatch(tooLarge ? 'batch-too-large' : 'batch-corrupt', message);
}

/** Reads a zigzag varint at `at`: its value, and where it ends. */
function varint(bytes: Buffer, at: number): readonly [value: number, end: number] {
  let raw = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) break;
    raw += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return [raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2, at + index + 1];
  }
  throw new BadBatch('batch-corrupt', 'a record has no length');
}

function printVarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

/** How many headers a record has whose body begins at `from`. Source: Kafka's DefaultRecord.java. */
function headersOf(bytes: Buffer, from: number): number {
  let at = from + 1;
  // The difference of times has up to ten bytes, of which only the end matters.
  while ((bytes[at] ?? 0) >= 0x80) at += 1;
  [, at] = varint(bytes, at + 1);
  for (const _part of ['key', 'value']) {
    const [length, end] = varint(bytes, at);
    at = end + Math.max(0, length);
  }
  return varint(bytes, at)[0];
}

/**
 * A client library that finds fewer records than the batch says it has asks for them for ever; and
 * one that finds a record of very many headers takes a time that grows with their square.
 */
function checkRecords(bytes: Buffer, records: number): void {
  let at = 0;
  for (let index = 0; index < records; index += 1) {
    const [length, end] = at < bytes.length ? varint(bytes, at) : [-1, at];
    at = end + length;
    if (length < 0 || at > bytes.length) {
      throw new BadBatch('batch-corrupt', `only ${index} of its ${records} records are there`);
    }
    const headers = headersOf(bytes, end);
    if (headers > MAX_HEADERS) {
      throw new BadBatch('batch-too-large', `a record has ${headers} headers`);
    }
  }
}

/** As many records as the batch has, at their offsets, each saying why the batch can't be read. */
function standIns(header: BatchHeader, { reason, message }: BadBatch, packed: Buffer): Buffer {
  const { firstOffset, lastDelta, records } = header;
  if (records > MAX_STAND_INS) {
    throw new BadBatch(reason, `the batch at offset ${firstOffset} has ${records} records`);
  }
  const until = firstOffset + BigInt(lastDelta);
  const unreadable: UnreadableBatch = {
    reason,
    firstOffset: String(firstOffset),
    detail: `${records} records at offsets ${firstOffset} to ${until}, packed in ${packed.length} bytes: ${message}`,
  };
  const value = Buffer.from(JSON.stringify(unreadable));
  const parts: Buffer[] = [];
  for (let index = 0; index < records; index += 1) {
    const delta = index === records - 1 ? lastDelta : index;
    const head = Buffer.from([0, 0, ...printVarint(delta), ...printVarint(STAND_IN_KEY.length)]);
    const length = Buffer.from(printVarint(value.length));
    const body = [head, STAND_IN_KEY, length, value, Buffer.from([0])];
    const bytes = body.reduce((sum, part) => sum + part.length, 0);
    parts.push(Buffer.from(printVarint(bytes)), ...body);
  }
  return Buffer.concat(parts);
}

/** What a record stands for, when it stands for a batch that can't be read. */
export function unreadableBatch(record: {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}): UnreadableBatch | undefined {
  if (record.key === null || !STAND_IN_KEY.equals(record.key)) return undefined;
  return JSON.parse(String(record.value));
}

function tooOld(): BadBatch {
  return new BadBatch('batch-corrupt', 'a topic has batches of a format before Kafka 0.11');
}

/** The client library takes it for the end of an answer that the broker cut, and asks again. */
class AnswerFull extends Error {
  override readonly name = 'KafkaJSPartialMessageError';
}

/**
 * Codecs by their number, each bounded: a batch that is damaged, in no codec, or would unpack to
 * more than allowed is replaced by records that say so, so that it can be quarantined with its
 * topic, partition and offset. Thrown from here, it would stop the consumer, and nobody could tell
 * where it lay.
 */
export function kafkaCodecs(limits: CodecLimits): ReadonlyMap<number, () => KafkaCodec> {
  /** Unpacked so far, by the answer that the batches lie in. */
  const unpacked = new WeakMap<ArrayBufferLike, number>();

  async function unpack(name: string, packed: Buffer, header?: BatchHeader): Promise<Buffer> {
    const codec = CODECS[name];
    if (codec === undefined) throw new BadBatch('codec-unknown', `${name} is none of Kafka's`);
    const overhead = (header?.records ?? 0) * RECORD_BYTES;
    const room = limits.batchMaxBytes - overhead;
    if (room <= 0) throw new BadBatch('batch-too-large', 'it has too many records');
    const bytes = await codec.unpack(packed, room);
    if (header !== undefined) checkRecords(bytes, header.records);
    const before = unpacked.get(packed.buffer) ?? 0;
    const sum = before + bytes.length + overhead;
    if (before > 0 && sum > limits.answerMaxBytes) throw new AnswerFull('enough for one answer');
    unpacked.set(packed.buffer, sum);
    return bytes;
  }

  async function decompress(name: string, packed: Buffer): Promise<Buffer> {
    const header = headerBefore(packed);
    if (header === undefined && name === 'none') throw tooOld();
    try {
      return await unpack(name, packed, header);
    } catch (error) {
      if (error instanceof AnswerFull) throw error;
      if (header === undefined) throw tooOld();
      return standIns(header, badBatchOf(error), packed);
    }
  }

  return new Map(
    NUMBERS.map((name, number) => {
      const pack = CODECS[name]?.pack;
      const codec: KafkaCodec = {
        async compress({ buffer }) {
          if (pack === undefined) throw new BadBatch('codec-unknown', `${name} packs nothing`);
          return await pack(buffer);
        },
        decompress: (packed) => decompress(name, packed),
      };
      return [number, () => codec] as const;
    }),
  );
}
