import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ID = /^[0-9a-f]{16}$/;

/**
 * The spool's own name, made with it and kept in its folder: collectors that share a checkpoint
 * store each have a spool, and a position says nothing without it.
 */
export function spoolId(folder: string, random: () => number): string {
  const path = join(folder, 'id');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const known = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  if (ID.test(known)) return known;
  const id = Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('');
  writeFileSync(`${path}.new`, id, { flush: true });
  renameSync(`${path}.new`, path);
  return id;
}
