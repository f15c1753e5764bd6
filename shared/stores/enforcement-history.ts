import { hash } from 'node:crypto';
import { canonicalJson } from '../values/canonical-json.ts';
import type { HistoryEntry } from './enforcement-store.ts';

/** What the first entry has in place of a hash before it. */
export const HISTORY_START = '0'.repeat(64);

/** SHA-256 over the entry and the hash of the one before it, hexadecimal. */
export function historyHash({ seq, at, kind, action, body, previous }: Omit<HistoryEntry, 'hash'>) {
  return hash('sha256', canonicalJson([previous, seq, at, kind, action, body]), 'hex');
}

export type ChainVerdict =
  | { readonly whole: true; readonly seq: number; readonly hash: string }
  | { readonly whole: false; readonly seq: number; readonly why: string };

/**
 * Whether a part of the chain is as it was written: nothing changed, left out or put between. What
 * was cut off at the end shows only beside a hash that was noted elsewhere, such as in the log.
 *
 * @param from what the part follows: seq and hash of the entry before it
 */
export function verifyHistory(
  entries: Iterable<HistoryEntry>,
  from: { readonly seq: number; readonly hash: string } = { seq: 0, hash: HISTORY_START },
): ChainVerdict {
  let { seq, hash: previous } = from;
  for (const entry of entries) {
    if (entry.seq !== seq + 1) return { whole: false, seq: seq + 1, why: 'is missing' };
    if (entry.previous !== previous) {
      return { whole: false, seq: entry.seq, why: 'does not follow from the entry before it' };
    }
    if (entry.hash !== historyHash(entry)) {
      return { whole: false, seq: entry.seq, why: 'was changed' };
    }
    ({ seq, hash: previous } = entry);
  }
  return { whole: true, seq, hash: previous };
}
