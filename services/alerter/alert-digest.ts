import { createHash } from 'node:crypto';

/** Names alerts and versions of rules: 128 bits in hex. */
export function alertDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
