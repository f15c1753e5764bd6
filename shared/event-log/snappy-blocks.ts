import { uncompressSync } from 'snappy';
import type { ByteFeed } from './byte-feed.ts';
import { StreamFault } from './stream-fault.ts';

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const HEADER_BYTES = 16;
/** Spark writes blocks of 32 KiB by default; what claims more than this is no block. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

function corrupt(what: string): StreamFault {
  return new StreamFault('corrupt', `the snappy stream is corrupt: ${what}`);
}

/** The unpacked length that a raw snappy block begins with (a varint of up to 5 bytes). */
function claimedLength(packed: Buffer): number {
  let length = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = packed[index];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return length;
  }
  throw corrupt('a block has no length');
}

function unpack(packed: Buffer): Buffer {
  if (claimedLength(packed) > MAX_BLOCK_BYTES) throw corrupt('a block claims more than 64 MiB');
  try {
    const bytes = uncompressSync(packed, { asBuffer: true });
    return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  } catch (error) {
    throw corrupt(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Unpacks Spark's snappy streams: a 16-byte header (magic, version, compatible version), then blocks
 * of length (int32 big-endian) and raw snappy data. Joined streams repeat the header.
 * Source: xerial/snappy-java org/xerial/snappy/SnappyOutputStream.java and SnappyInputStream.java.
 *
 * @throws StreamFault
 */
export async function* snappyBlocks(feed: ByteFeed): AsyncGenerator<Uint8Array, void, undefined> {
  for (let first = true; ; first = false) {
    const head = await feed.peek(8);
    if (head.length === 0) return;
    if (MAGIC.equals(head)) {
      if ((await feed.take(HEADER_BYTES)) === undefined) {
        throw new StreamFault('truncated', 'ends in the header');
      }
      continue;
    }
    if (first) {
      if (MAGIC.subarray(0, head.length).equals(head)) {
        throw new StreamFault('truncated', 'ends in the header');
      }
      throw corrupt('it does not begin with the header');
    }
    if (head.length < 4) throw new StreamFault('truncated', "ends in a block's length");
    const length = head.readInt32BE(0);
    // A cut inside a joined stream's header looks like a block of negative length.
    if (length < 0 && MAGIC.subarray(0, head.length).equals(head)) {
      throw new StreamFault('truncated', 'ends in the header');
    }
    if (length <= 0 || length > MAX_BLOCK_BYTES) throw corrupt('impossible block length');
    await feed.take(4);
    const packed = await feed.take(length);
    if (packed === undefined) throw new StreamFault('truncated', 'ends inside a block');
    yield unpack(packed);
  }
}
