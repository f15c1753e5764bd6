import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ByteFeed } from './byte-feed.ts';
import { type Codec, detectCodec, MAGIC_BYTES } from './codec.ts';
import { StreamFault } from './stream-fault.ts';
import { zlibStream } from './zlib-stream.ts';

/** How unpacking ended. `detail` says why it isn't `complete`, for people; '' otherwise. */
export interface DecompressEnd {
  readonly codec: Codec;
  readonly kind: 'complete' | 'truncated' | 'corrupt' | 'unsupported';
  readonly detail: string;
}

const OUTPUT_BYTES = 256 * 1024;

/** Native libraries are loaded with the first stream that needs them. */
async function unpack(codec: Codec, feed: ByteFeed): Promise<AsyncIterable<Uint8Array>> {
  switch (codec) {
    case 'gzip':
      return zlibStream(feed.rest(), createGunzip({ chunkSize: OUTPUT_BYTES }), 'gzip');
    case 'zstd':
      return zlibStream(feed.rest(), createZstdDecompress({ chunkSize: OUTPUT_BYTES }), 'zstd');
    case 'lz4':
      return (await import('./lz4-blocks.ts')).lz4Blocks(feed);
    case 'snappy':
      return (await import('./snappy-blocks.ts')).snappyBlocks(feed);
    case 'lzf':
      throw new StreamFault('corrupt', 'lzf');
    case 'plain':
      return feed.rest();
  }
}

/**
 * Unpacks a byte stream as it comes, in bounded memory. Never throws for what the bytes hold: it
 * gives all that can be decoded, and `onEnd` tells how it ended. Errors of `input` pass through.
 *
 * @param fileName decides the codec where the first bytes don't
 */
export async function* decompress(
  input: AsyncIterable<Uint8Array>,
  fileName: string,
  onEnd: (end: DecompressEnd) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feed = new ByteFeed(input);
  try {
    const codec = detectCodec(await feed.peek(MAGIC_BYTES), fileName);
    if (codec === 'lzf') {
      onEnd({ codec, kind: 'unsupported', detail: 'lzf compression is not supported' });
      return;
    }
    try {
      yield* await unpack(codec, feed);
      onEnd({ codec, kind: 'complete', detail: '' });
    } catch (error) {
      if (!(error instanceof StreamFault)) throw error;
      onEnd({ codec, kind: error.kind, detail: error.message });
    }
  } finally {
    await feed.close();
  }
}
