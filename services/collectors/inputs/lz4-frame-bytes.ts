import { BadBatch } from './bad-batch.ts';

const MAGIC = 0x184d2204;
const HAS_BLOCK_CHECKSUM = 0x10;
const HAS_CONTENT_SIZE = 0x08;
const HAS_CONTENT_CHECKSUM = 0x04;
const HAS_DICTIONARY = 0x01;
const RAW_BLOCK = 0x80000000;
const MIN_MATCH = 4;

function corrupt(what: string): BadBatch {
  return new BadBatch('batch-corrupt', `the lz4 frame ${what}`);
}

/** The length that a block's bytes stand for, by walking its sequences without copying any. */
function blockBytes(frame: Buffer, from: number, until: number): number {
  let at = from;
  let bytes = 0;
  const extended = (nibble: number): number => {
    if (nibble < 15) return nibble;
    let length = nibble;
    for (;;) {
      const byte = at < until ? frame[at] : undefined;
      if (byte === undefined) throw corrupt('ends inside a length');
      at += 1;
      length += byte;
      if (byte < 255) return length;
    }
  };
  while (at < until) {
    const token = frame[at] ?? 0;
    at += 1;
    const literals = extended(token >> 4);
    at += literals;
    bytes += literals;
    if (at > until) throw corrupt('ends inside its literals');
    // The last sequence has literals only.
    if (at === until) return bytes;
    at += 2;
    bytes += extended(token & 0x0f) + MIN_MATCH;
  }
  throw corrupt('ends with a match');
}

/**
 * How many bytes an lz4 frame unpacks to, before it is unpacked: its header need not say, and the
 * library that unpacks it knows no limit. Stops counting beyond `maxBytes`.
 * Source: lz4/lz4 doc/lz4_Frame_format.md and lz4_Block_format.md.
 *
 * @throws BadBatch when it is no whole frame
 */
export function lz4FrameBytes(frame: Buffer, maxBytes: number): number {
  if (frame.length < 7 || frame.readUInt32LE(0) !== MAGIC) throw corrupt('has no header');
  const flags = frame.readUInt8(4);
  let at =
    6 + ((flags & HAS_CONTENT_SIZE) > 0 ? 8 : 0) + ((flags & HAS_DICTIONARY) > 0 ? 4 : 0) + 1;
  let bytes = 0;
  for (;;) {
    if (at + 4 > frame.length) throw corrupt('ends before its end mark');
    const size = frame.readUInt32LE(at);
    at += 4;
    if (size === 0) break;
    const length = size & ~RAW_BLOCK;
    if (at + length > frame.length) throw corrupt('ends inside a block');
    bytes += (size & RAW_BLOCK) !== 0 ? length : blockBytes(frame, at, at + length);
    if (bytes > maxBytes) return bytes;
    at += length + ((flags & HAS_BLOCK_CHECKSUM) > 0 ? 4 : 0);
  }
  at += (flags & HAS_CONTENT_CHECKSUM) > 0 ? 4 : 0;
  if (at !== frame.length) throw corrupt('is not its only content');
  return bytes;
}
