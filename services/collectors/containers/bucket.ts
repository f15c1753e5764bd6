const BUCKETS = 64;

/** A number below 64 for a text, the same in every process and version (FNV-1a, folded). */
export function bucketOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return ((hash >>> 16) ^ hash) & (BUCKETS - 1);
}
