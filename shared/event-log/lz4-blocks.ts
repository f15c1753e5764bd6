import { uncompressSync } from 'lz4-napi';
import type { ByteFeed } from './byte-feed.ts';
import { StreamFault } from './stream-fault.ts';
import { xxhash32 } from './xxhash32.ts';

const MAGIC = Buffer.from('LZ4Block', 'latin1');
const HEADER_BYTES = 21;
const METHOD_RAW = 0x10;
const METHOD_LZ4 = 0x20;
/** Block sizes are 2^(10 + level) with a level of 0 to 15, so 32 MiB is the most. */
const LEVEL_BASE = 10;
const SEED = 0x9747b28c;
/** The Java writer keeps the checksum's lower 28 bits. */
const CHECKSUM_MASK = 0x0fffffff;

function corrupt(what: string): StreamFault {
  return new StreamFault('corrupt', `the lz4 stream is corrupt: ${what}`);
}

function unpack(method: number, packed: Buffer, length: number): Buffer {
  if (method === METHOD_RAW) return packed;
  const sized = Buffer.allocUnsafe(packed.length + 4);
  sized.writeUInt32LE(length, 0);
  packed.copy(sized, 4);
  try {
    return uncompressSync(sized);
  } catch (error) {
    throw corrupt(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Unpacks Spark's lz4 streams: blocks of `LZ4Block`, token (method, level), packed length, length
 * and checksum (int32 little-endian each), data. This isn't the lz4 program's frame format.
 * Source: lz4/lz4-java net/jpountz/lz4/LZ4BlockOutputStream.java and LZ4BlockInputStream.java;
 * Spark reads on after an end mark (stopOnEmptyBlock = false), so streams may be joined.
 *
 * @throws StreamFault
 */
export async function* lz4Blocks(feed: ByteFeed): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const header = await feed.peek(HEADER_BYTES);
    if (header.length === 0) return;
    if (header.length < HEADER_BYTES) throw new StreamFault('truncated', 'ends in a block header');
    await feed.take(HEADER_BYTES);
    if (!MAGIC.equals(header.subarray(0, 8))) throw corrupt('a block does not begin with LZ4Block');
    const token = header.readUInt8(8);
    const method = token & 0xf0;
    const packedLength = header.readInt32LE(9);
    const length = header.readInt32LE(13);
    const checksum = header.readInt32LE(17);
    const limit = 1 << (LEVEL_BASE + (token & 0x0f));
    if (method !== METHOD_RAW && method !== METHOD_LZ4) throw corrupt('unknown method');
    if (length < 0 || length > limit) throw corrupt('a block is larger than its level allows');
    if (packedLength < 0 || packedLength > limit + 1024) throw corrupt('impossible packed length');
    if ((length === 0) !== (packedLength === 0)) throw corrupt('lengths disagree');
    if (method === METHOD_RAW && length !== packedLength) throw corrupt('lengths disagree');
    if (length === 0) continue;
    const packed = await feed.take(packedLength);
    if (packed === undefined) throw new StreamFault('truncated', 'ends inside a block');
    const bytes = unpack(method, packed, length);
    if (bytes.length !== length) throw corrupt('a block has another length than it says');
    if ((xxhash32(bytes, SEED) & CHECKSUM_MASK) !== checksum) throw corrupt('wrong checksum');
    yield bytes;
  }
}
