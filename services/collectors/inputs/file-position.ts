import { hash } from 'node:crypto';
import { z } from 'zod';

/** Length and hash of a run of bytes, to recognise a file by. */
const mark = z.tuple([z.number().int().nonnegative(), z.string()]);
export type ByteMark = z.infer<typeof mark>;

const position = z.object({
  offset: z.number().int().nonnegative(),
  stream: z.string(),
  /** The file's first bytes. */
  head: mark,
  /** The bytes that end at `offset`. */
  tail: mark.optional(),
  state: z.string().optional(),
  /** Size of the compressed file that was read to its end. */
  done: z.number().optional(),
});

/** What a checkpoint of a file holds. */
export type FilePosition = z.infer<typeof position>;

export const HEAD_BYTES = 1_024;
export const TAIL_BYTES = 64;

export function markBytes(bytes: Uint8Array): ByteMark {
  return [bytes.length, hash('sha1', bytes, 'hex').slice(0, 16)];
}

/** True when `bytes` begin with what was marked. */
export function startsWithMark(bytes: Uint8Array, [length, expected]: ByteMark): boolean {
  return bytes.length >= length && markBytes(bytes.subarray(0, length))[1] === expected;
}

/** Undefined when the text is no position; reading then starts at the file's beginning. */
export function parseFilePosition(text: string): FilePosition | undefined {
  try {
    return position.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
