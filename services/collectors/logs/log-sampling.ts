import type { LogRecord } from '../../../shared/contracts/log-record.ts';

/** What of a project's lines is kept, from 1 (all) down to `LEAST`. */
export interface KeptShares {
  /** Of DEBUG and TRACE. */
  readonly debug: number;
  readonly info: number;
}

/** Bytes or lines that came in, or were counted, by what may be sampled. */
export interface Volume {
  readonly debug: number;
  readonly info: number;
  /** WARN, ERROR, FATAL and what has no level: never sampled. */
  readonly other: number;
}

export const ALL_KEPT: KeptShares = { debug: 1, info: 1 };
/** Something of each kind is always kept, so that a flood can be seen for what it is. */
const LEAST = 1 / 128;

export type SampledKind = keyof Volume;

/** The kind of a record by its level. A line without one may be anything, so it is kept. */
export function kindOf({ level }: Pick<LogRecord, 'level'>): SampledKind {
  if (level === 'DEBUG' || level === 'TRACE') return 'debug';
  return level === 'INFO' ? 'info' : 'other';
}

/** A share as a power of a half, so that a choice changes rarely while the volume wavers. */
function step(share: number): number {
  return share >= 1 ? 1 : Math.max(LEAST, 2 ** Math.floor(Math.log2(Math.max(share, LEAST))));
}

/**
 * What to keep so that a volume like this one stays within its quota: DEBUG goes first, then INFO.
 * What may never be sampled comes off the quota, and may pass it.
 */
export function sharesFor(came: Volume, quota: number): KeptShares {
  const left = quota - came.other;
  const forDebug = left - came.info;
  if (forDebug >= came.debug) return ALL_KEPT;
  if (forDebug > 0) return { debug: step(forDebug / came.debug), info: 1 };
  return { debug: LEAST, info: came.info === 0 ? 1 : step(left / came.info) };
}

/** FNV-1a, finished as murmur3's, as a number from 0 to 1. Source: isthe.com/chongo/tech/comp/fnv. */
function unitHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * Whether a record is among the share that is kept. It depends on its identity alone: a line that
 * is read again meets the same choice, and what a small share keeps, every larger one does.
 */
export function isKept(
  record: Pick<LogRecord, 'level' | 'origin' | 'id' | 'fingerprint' | 'at' | 'message'>,
  shares: KeptShares,
): boolean {
  const kind = kindOf(record);
  if (kind === 'other' || shares[kind] >= 1) return true;
  const { origin, id, fingerprint, at, message } = record;
  return unitHash(origin ?? id ?? `${fingerprint} ${at} ${message}`) < shares[kind];
}
