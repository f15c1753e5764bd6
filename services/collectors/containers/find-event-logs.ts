import type { Dirent, Stats } from 'node:fs';
import { glob, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Instant } from '../../../shared/values/instant.ts';
import { type EventLogName, rollingLogName, singleLogName } from './parse/event-log-name.ts';

export interface EventLogPart {
  readonly path: string;
  readonly size: number;
  /** Tells a file from another that took its name: inode and birth, since inodes are used again. */
  readonly identity: string;
  /** From 1 in a rolling log, 0 for a single one. */
  readonly number: number;
  readonly compacted: boolean;
}

/** An event log as it lies on disk: one file, or the files of a rolling log in their order. */
export interface FoundEventLog {
  /** The path without codec and `.inprogress`. */
  readonly key: string;
  readonly parts: readonly EventLogPart[];
  /** Of all parts, in bytes. */
  readonly size: number;
  readonly inProgress: boolean;
  readonly modifiedAt: Instant;
  readonly fallback: EventLogName['fallback'];
}

export interface FoundEventLogs {
  readonly logs: readonly FoundEventLog[];
  /** Paths that couldn't be listed, with the reason; what lies below isn't known to be gone. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** Spark writes flat folders; sites add one for each team or user. */
const MAX_DEPTH = 3;

type Found = { logs: Map<string, FoundEventLog>; unreadable: Map<string, string> };

function reasonOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : '';
}

function isGone(error: unknown): boolean {
  return reasonOf(error) === 'ENOENT';
}

async function statIfThere(path: string, found: Found): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (!isGone(error)) found.unreadable.set(path, reasonOf(error));
    return undefined;
  }
}

function identityOf({ ino, birthtimeMs }: Stats): string {
  return `${ino}:${birthtimeMs}`;
}

/** While a log is renamed at its end, both names may be listed: the finished one stands. */
function add(found: Found, log: FoundEventLog): void {
  const other = found.logs.get(log.key);
  if (other === undefined || other.inProgress) found.logs.set(log.key, log);
}

async function addSingle(folder: string, name: string, found: Found): Promise<void> {
  const parsed = singleLogName(name);
  const path = join(folder, name);
  const stats = parsed === undefined ? undefined : await statIfThere(path, found);
  if (parsed === undefined || stats === undefined || !stats.isFile()) return;
  add(found, {
    key: join(folder, parsed.log),
    parts: [{ path, size: stats.size, identity: identityOf(stats), number: 0, compacted: false }],
    size: stats.size,
    inProgress: parsed.inProgress,
    modifiedAt: Math.floor(stats.mtimeMs),
    fallback: parsed.fallback,
  });
}

async function addRolling(folder: string, files: readonly string[], found: Found): Promise<void> {
  const parsed = rollingLogName(basename(folder), files);
  if (parsed === undefined) return;
  const parts: EventLogPart[] = [];
  let modifiedAt = 0;
  for (const { name, number, compacted } of parsed.parts) {
    const path = join(folder, name);
    const stats = await statIfThere(path, found);
    if (stats === undefined) continue;
    parts.push({ path, size: stats.size, identity: identityOf(stats), number, compacted });
    modifiedAt = Math.max(modifiedAt, Math.floor(stats.mtimeMs));
  }
  if (parts.length === 0) return;
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const { inProgress, fallback } = parsed;
  found.logs.set(folder, { key: folder, parts, size, inProgress, modifiedAt, fallback });
}

async function addFolder(folder: string, depth: number, found: Found): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (!isGone(error) || depth === 0) found.unreadable.set(folder, reasonOf(error));
    return;
  }
  if (basename(folder).startsWith('eventlog_v2_')) {
    await addRolling(
      folder,
      entries.filter((entry) => entry.isFile()).map(({ name }) => name),
      found,
    );
    return;
  }
  for (const entry of entries) {
    const isHidden = entry.name.startsWith('.');
    if (entry.isFile()) await addSingle(folder, entry.name, found);
    else if (entry.isDirectory() && !isHidden && depth < MAX_DEPTH) {
      await addFolder(join(folder, entry.name), depth + 1, found);
    }
  }
}

/**
 * The event logs at these paths: folders (searched three deep, symbolic links not followed), single
 * files, and globs of both. Never throws for what the disk holds.
 */
export async function findEventLogs(paths: readonly string[]): Promise<FoundEventLogs> {
  const found: Found = { logs: new Map(), unreadable: new Map() };
  for (const given of paths) {
    const matches = /[*?[{]/.test(given) ? await Array.fromAsync(glob(given)) : [given];
    for (const match of matches) {
      const path = resolve(match);
      const stats = await statIfThere(path, found);
      if (stats?.isFile()) await addSingle(resolve(path, '..'), basename(path), found);
      else if (stats?.isDirectory()) await addFolder(path, 0, found);
      else if (stats === undefined && !found.unreadable.has(path)) {
        found.unreadable.set(path, 'ENOENT');
      }
    }
  }
  return { logs: [...found.logs.values()], unreadable: found.unreadable };
}
