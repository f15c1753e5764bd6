import { closeSync, openSync, readSync } from 'node:fs';
import { CompressedReader } from './compressed-reader.ts';
import { HEAD_BYTES } from './file-position.ts';
import type { FoundFile } from './find-files.ts';

/** The first bytes of a file, decompressed; undefined when it can't be read now. */
export async function readHead(
  file: Pick<FoundFile, 'path' | 'compression'>,
): Promise<Buffer | undefined> {
  try {
    if (file.compression !== undefined) {
      using reader = new CompressedReader(file.path, file.compression);
      return await reader.head(HEAD_BYTES);
    }
    const fd = openSync(file.path, 'r');
    try {
      const bytes = Buffer.allocUnsafe(HEAD_BYTES);
      return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined; // Gone, forbidden or half written: the next scan asks again.
  }
}
