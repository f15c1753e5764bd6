import { compressSync, uncompress } from 'snappy';
import { BadBatch } from './bad-batch.ts';

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** Magic, version and compatible version: what Java's writer begins with. */
const HEADER = Buffer.concat([MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
const BLOCK_BYTES = 32 * 1_024;

/** The unpacked length that a raw snappy block begins with, a varint of up to 5 bytes. */
function claimedBytes(block: Buffer): number {
  let length = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = block[index];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return length;
  }
  throw new BadBatch('batch-corrupt', 'a snappy block has no length');
}

/** The raw blocks of a stream; a writer without the framing (librdkafka) sends one block. */
function blocksOf(packed: Buffer): Buffer[] {
  if (!MAGIC.equals(packed.subarray(0, MAGIC.length))) return [packed];
  const blocks: Buffer[] = [];
  for (let at = HEADER.length; at < packed.length; ) {
    const length = at + 4 <= packed.length ? packed.readInt32BE(at) : -1;
    at += 4;
    if (length <= 0 || at + length > packed.length) {
      throw new BadBatch('batch-corrupt', 'a snappy block is cut');
    }
    blocks.push(packed.subarray(at, at + length));
    at += length;
  }
  return blocks;
}

/**
 * Unpacks what Kafka calls snappy: xerial's header and blocks of length (int32 big-endian) and raw
 * snappy, or one raw block. Source: xerial/snappy-java SnappyOutputStream.java.
 *
 * @throws BadBatch when it is damaged, or would become more than `maxBytes`
 */
export async function unpackSnappy(packed: Buffer, maxBytes: number): Promise<Buffer> {
  const blocks = blocksOf(packed);
  const bytes = blocks.reduce((sum, block) => sum + claimedBytes(block), 0);
  if (bytes > maxBytes) throw new BadBatch('batch-too-large', `it unpacks to ${bytes} bytes`);
  const parts: Buffer[] = [];
  for (const block of blocks) {
    const part = await uncompress(block, { asBuffer: true });
    parts.push(Buffer.isBuffer(part) ? part : Buffer.from(part));
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

/** Packs bytes as Java's clients do. */
export function packSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [HEADER];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = compressSync(bytes.subarray(at, at + BLOCK_BYTES));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}
