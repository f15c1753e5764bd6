import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** A file of a log, in the order to read. */
interface LogPart {
  readonly path: string;
  readonly bytes: number;
}

/** An event log: one file, or the parts of a rolling log's folder. */
export interface LogSource {
  /** The file or folder as it was found, to name it by. */
  readonly path: string;
  readonly parts: readonly LogPart[];
  readonly isCompacted: boolean;
  readonly hasGap: boolean;
}

export interface FoundLogs {
  readonly sources: readonly LogSource[];
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
}

interface Search {
  readonly sources: LogSource[];
  readonly problems: { path: string; reason: string }[];
  /** Real paths of files and folders seen, so that links neither loop nor count twice. */
  readonly seen: Set<string>;
  /** Everything met but folders that hold nothing. */
  met: number;
}

const ROLLING_PART = /^events_(\d{1,9})_.*?(\.compact)?$/;
const MAX_FILES = 1_000_000;

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read it';
  return error instanceof Error ? error.message : String(error);
}

/**
 * The parts of a rolling log. A compacted file stands for all parts up to its number, which may not
 * be deleted yet. Source: apache/spark core/…/deploy/history/EventLogFileReaders.scala,
 * RollingEventLogFilesFileReader.
 */
async function rollingSource(
  folder: string,
  names: readonly string[],
): Promise<LogSource | undefined> {
  const parts = names.flatMap((name) => {
    const match = ROLLING_PART.exec(name);
    if (match === null) return [];
    const isCompact = name.includes('.compact');
    return [{ name, number: Number(match[1]), isCompact }];
  });
  parts.sort((a, b) => a.number - b.number || Number(a.isCompact) - Number(b.isCompact));
  const compact = parts.findLastIndex((part) => part.isCompact);
  const kept = compact < 0 ? parts : parts.slice(compact);
  const first = kept[0];
  if (first === undefined) return undefined;
  const hasGap =
    (compact < 0 && first.number !== 1) ||
    kept.some((part, index) => part.number !== first.number + index);
  const read: LogPart[] = [];
  for (const { name } of kept) {
    const path = join(folder, name);
    read.push({ path, bytes: (await stat(path)).size });
  }
  return { path: folder, parts: read, isCompacted: compact >= 0, hasGap };
}

async function searchFolder(path: string, search: Search): Promise<void> {
  const names = (await readdir(path)).sort();
  if (basename(path).startsWith('eventlog_v2_')) {
    const source = await rollingSource(path, names);
    if (source === undefined) {
      search.met += 1;
      search.problems.push({ path, reason: 'the rolling log has no events_<n> file (yet)' });
    } else {
      search.met += 1;
      search.sources.push(source);
    }
    return;
  }
  // Hidden files are checksums and leftovers of file systems, never logs of Spark.
  for (const name of names) if (!name.startsWith('.')) await searchPath(join(path, name), search);
}

async function searchPath(path: string, search: Search): Promise<void> {
  try {
    const real = await realpath(path);
    const found = await stat(path);
    if (search.seen.has(real) || !found.isDirectory()) search.met += 1;
    if (search.seen.has(real)) return;
    search.seen.add(real);
    if (found.isDirectory()) {
      await searchFolder(path, search);
    } else if (!found.isFile()) {
      search.problems.push({ path, reason: 'it is neither a file nor a folder' });
    } else if (search.sources.length >= MAX_FILES) {
      search.problems.push({ path, reason: `there are over ${MAX_FILES} files; it was left out` });
    } else {
      const isCompacted = path.includes('.compact');
      const parts = [{ path, bytes: found.size }];
      search.sources.push({ path, parts, isCompacted, hasGap: false });
    }
  } catch (error) {
    search.met += 1;
    search.problems.push({ path, reason: reasonOf(error) });
  }
}

/** Finds the event logs below paths, in order of the paths and then of names. */
export async function findEventLogs(paths: readonly string[]): Promise<FoundLogs> {
  const search: Search = { sources: [], problems: [], seen: new Set(), met: 0 };
  for (const path of paths) {
    const before = search.met;
    await searchPath(path, search);
    if (search.met === before) search.problems.push({ path, reason: 'the folder holds no files' });
  }
  return search;
}
