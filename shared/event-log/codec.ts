/** How the bytes of an event log are packed. `lzf` is known by name only: Tollgate can't unpack it. */
export type Codec = 'plain' | 'gzip' | 'zstd' | 'lz4' | 'snappy' | 'lzf';

/** As many bytes as the longest magic has. */
export const MAGIC_BYTES = 8;

const MAGICS: readonly (readonly [Codec, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['lz4', Buffer.from('LZ4Block', 'latin1')],
  ['snappy', Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])],
  ['lzf', Buffer.from([0x5a, 0x56])],
];

const SUFFIXES: readonly (readonly [string, Codec])[] = [
  ['.gz', 'gzip'],
  ['.gzip', 'gzip'],
  ['.zstd', 'zstd'],
  ['.zst', 'zstd'],
  ['.lz4', 'lz4'],
  ['.snappy', 'snappy'],
  ['.lzf', 'lzf'],
];

/**
 * The codec that the first bytes show; where they show none, the one that the file's name says,
 * unless the bytes are text already. Files are renamed and unpacked in place more often than not.
 *
 * @param head the first MAGIC_BYTES bytes, or all of a shorter file
 */
export function detectCodec(head: Uint8Array, fileName: string): Codec {
  for (const [codec, magic] of MAGICS) {
    if (head.length >= magic.length && magic.equals(head.subarray(0, magic.length))) return codec;
  }
  if (head.length === 0 || head[0] === 0x7b) return 'plain';
  const name = fileName.replace(/\.inprogress$/, '').replace(/\.compact$/, '');
  return SUFFIXES.find(([suffix]) => name.endsWith(suffix))?.[1] ?? 'plain';
}
