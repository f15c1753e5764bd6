import { hash } from 'node:crypto';
import { applicationKey } from './journal.ts';

/**
 * The shard that settles an application, of `shards` in all. Stable: facts are stored with it, and
 * every version and process must come to the same.
 */
export function shardOf(
  ref: { readonly cluster: string; readonly application: string },
  shards: number,
): number {
  if (shards === 1) return 0;
  return hash('sha256', applicationKey(ref), 'buffer').readUInt32BE(0) % shards;
}
