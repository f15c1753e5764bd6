import { type FilePosition, startsWithMark } from './file-position.ts';
import type { FoundFile } from './find-files.ts';

/** Whether a file can be the one that was read up to a position. */
export function fits(position: FilePosition, file: FoundFile, head: Buffer): boolean {
  const longEnough = file.compression !== undefined || file.size >= position.offset;
  return longEnough && startsWithMark(head, position.head);
}

/** Order of reading: by time of last change; what is still written to comes last. */
export function olderFirst(a: FoundFile, b: FoundFile): number {
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1;
  if (a.active !== b.active) return a.active ? 1 : -1;
  if (a.mtimeNs !== b.mtimeNs) return a.mtimeNs < b.mtimeNs ? -1 : 1;
  // Rotations within one time stamp: logrotate's higher number is the older one.
  return b.path.localeCompare(a.path, 'en', { numeric: true });
}
