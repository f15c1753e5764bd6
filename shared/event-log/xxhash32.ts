const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function round(lane: number, word: number): number {
  return Math.imul(rotateLeft((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

/** The four lanes over all whole 16-byte stripes, merged. */
function stripes(view: DataView, seed: number): number {
  let a = (seed + PRIME_1 + PRIME_2) | 0;
  let b = (seed + PRIME_2) | 0;
  let c = seed | 0;
  let d = (seed - PRIME_1) | 0;
  const end = view.byteLength - 16;
  for (let at = 0; at <= end; at += 16) {
    a = round(a, view.getInt32(at, true));
    b = round(b, view.getInt32(at + 4, true));
    c = round(c, view.getInt32(at + 8, true));
    d = round(d, view.getInt32(at + 12, true));
  }
  return (rotateLeft(a, 1) + rotateLeft(b, 7) + rotateLeft(c, 12) + rotateLeft(d, 18)) | 0;
}

/** XXH32 of the bytes, unsigned. Source: the xxHash specification (Cyan4973/xxHash, doc/xxhash_spec.md). */
export function xxhash32(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.byteLength;
  let hash = length >= 16 ? stripes(view, seed) : (seed + PRIME_5) | 0;
  hash = (hash + length) | 0;
  let at = length - (length % 16);
  for (; at + 4 <= length; at += 4) {
    hash = (hash + Math.imul(view.getInt32(at, true), PRIME_3)) | 0;
    hash = Math.imul(rotateLeft(hash, 17), PRIME_4);
  }
  for (; at < length; at += 1) {
    hash = (hash + Math.imul(view.getUint8(at), PRIME_5)) | 0;
    hash = Math.imul(rotateLeft(hash, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
