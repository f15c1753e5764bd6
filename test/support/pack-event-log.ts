import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressSync as lz4Compress } from 'lz4-napi';
import { compressSync as snappyCompress } from 'snappy';
import { xxhash32 } from '../../shared/event-log/xxhash32.ts';

const BLOCK_BYTES = 32 * 1024;

function blocksOf(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
    blocks.push(bytes.subarray(from, from + BLOCK_BYTES));
  }
  return blocks;
}

/** One block as LZ4BlockOutputStream of lz4-java writes it; raw where packing doesn't help. */
export function packLz4Block(bytes: Buffer): Buffer {
  const lz4 = lz4Compress(bytes).subarray(4);
  const isRaw = lz4.length >= bytes.length;
  const packed = isRaw ? bytes : lz4;
  const header = Buffer.alloc(21);
  header.write('LZ4Block', 'latin1');
  // Level 5 is the one of 32 KiB blocks.
  header.writeUInt8((isRaw ? 0x10 : 0x20) | 5, 8);
  header.writeInt32LE(bytes.length === 0 ? 0 : packed.length, 9);
  header.writeInt32LE(bytes.length, 13);
  header.writeInt32LE(bytes.length === 0 ? 0 : xxhash32(bytes, 0x9747b28c) & 0x0fffffff, 17);
  return bytes.length === 0 ? header : Buffer.concat([header, packed]);
}

export function packLz4(bytes: Buffer): Buffer {
  return Buffer.concat([...blocksOf(bytes), Buffer.alloc(0)].map(packLz4Block));
}

/** As SnappyOutputStream of snappy-java writes it. */
export function packSnappy(bytes: Buffer): Buffer {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const blocks = blocksOf(bytes).flatMap((block) => {
    const packed = snappyCompress(block);
    const length = Buffer.alloc(4);
    length.writeInt32BE(packed.length);
    return [length, packed];
  });
  return Buffer.concat([header, ...blocks]);
}

/** Every codec that Tollgate unpacks, by the suffix that Spark gives it. */
export const PACKERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  '': (bytes) => bytes,
  '.gz': (bytes) => gzipSync(bytes),
  '.zstd': (bytes) => zstdCompressSync(bytes),
  '.lz4': packLz4,
  '.snappy': packSnappy,
};
