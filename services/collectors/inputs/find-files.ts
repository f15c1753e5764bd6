import { type BigIntStats, lstatSync, readdirSync, realpathSync, type Stats } from 'node:fs';
import type { PathPattern, PathSegment } from './path-pattern.ts';
import { type Compression, compressionOf, rotatedName } from './rotated-name.ts';

/** A file that a pattern names, as one scan saw it. */
export interface FoundFile {
  readonly path: string;
  /** Path under which it is or was written to. */
  readonly stream: string;
  readonly captures: Readonly<Record<string, string>>;
  /** It still has the name under which it is written to. */
  readonly active: boolean;
  readonly compression: Compression | undefined;
  /** What tells it from all other files that are there now: device, inode and birth. */
  readonly inode: string;
  /** What tells it from others after a restart, or on another machine; not always alone. */
  readonly identity: string;
  readonly size: number;
  readonly mtimeNs: bigint;
}

/** What the name of a file says of it. */
type NamedFile = Omit<FoundFile, 'inode' | 'identity' | 'size' | 'mtimeNs'>;

interface Listing {
  /** Not a number while it may change again within the same time stamp. */
  readonly mtimeMs: number;
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Files that a pattern names in it, by the pattern and what it matched above. */
  readonly named: Map<string, readonly NamedFile[]>;
}

/** A file as the scan before saw it, with what shows cheaply that it is still the same. */
interface KnownFile {
  readonly found: FoundFile;
  readonly named: NamedFile;
  readonly root: string;
  /** Undefined for a link, which says nothing of its target. */
  readonly sight: Stats | undefined;
}

const MAX_DEPTH = 32;
/** A folder that changed this lately may change again within the same time stamp. */
const SETTLED_MS = 2_000;

function inodeOf(stats: BigIntStats, isShared: boolean): string {
  // Network file systems may know no birth, and show another time as it.
  const birth = isShared ? '' : `:${(stats.birthtimeNs / 1_000_000n).toString(36)}`;
  return `${stats.dev}:${stats.ino}${birth}`;
}

/** Whether these are of the file that was found as `inode`. */
export function hasInode(stats: BigIntStats, inode: string): boolean {
  return inode === inodeOf(stats, false) || inode === inodeOf(stats, true);
}

/** Of two names of one file the one under which it is written to. */
export function byInode(found: readonly FoundFile[]): Map<string, FoundFile> {
  const seen = new Map<string, FoundFile>();
  for (const file of found) {
    if (seen.get(file.inode)?.active !== true) seen.set(file.inode, file);
  }
  return seen;
}

/** Undefined when it is gone or forbidden. */
function sightOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Times in doubles are exact to a quarter of a microsecond, and numbers of inodes nearly always. */
function isSame(a: Stats, b: Stats | undefined): boolean {
  return (
    a.mtimeMs === b?.mtimeMs &&
    a.size === b.size &&
    a.ino === b.ino &&
    a.dev === b.dev &&
    a.mode === b.mode &&
    a.birthtimeMs === b.birthtimeMs
  );
}

/**
 * Lists what patterns name. Folders whose time didn't change aren't read again, and while none did
 * no path is walked: thousands of idle files and folders cost one stat each, and nothing for the
 * garbage collector. Unreadable ones are skipped: they may be gone, or come later.
 */
export class FileFinder {
  readonly #patterns: readonly PathPattern[];
  readonly #decompress: boolean;
  readonly #isShared: boolean;
  #listings = new Map<string, Listing>();
  #seen = new Map<string, Listing>();
  #known = new Map<string, KnownFile>();
  #stated = new Map<string, KnownFile>();
  #found: readonly FoundFile[] = [];
  /** Something was listed that could not be looked at: only a walk may find it there later. */
  #unsure = true;
  /** Folders that patterns name and that aren't there. */
  #absent = new Set<string>();
  #visited = new Map<string, PathSegment[]>();

  /** @param options.isShared the same identities on all machines that see the files */
  constructor(
    patterns: readonly PathPattern[],
    options: { readonly decompress: boolean; readonly isShared?: boolean },
  ) {
    this.#patterns = patterns;
    this.#isShared = options.isShared === true;
    this.#decompress = options.decompress;
  }

  /**
   * Of a file that two patterns name, the first one decides. The same array as before when nothing
   * changed.
   */
  find(nowMs: number): readonly FoundFile[] {
    if (!this.#unsure && this.#foldersStand(nowMs)) this.#lookAgain();
    else this.#unsure = true;
    if (!this.#unsure) return this.#found;
    this.#unsure = false;
    this.#stated = new Map();
    this.#seen = new Map();
    this.#absent = new Set();
    this.#visited = new Map();
    for (const pattern of this.#patterns) {
      this.#walk(pattern, { folder: pattern.root, segment: 0, captures: {}, depth: 0, nowMs });
    }
    this.#listings = this.#seen;
    this.#known = this.#stated;
    this.#found = Array.from(this.#known.values(), ({ found }) => found);
    return this.#found;
  }

  #foldersStand(nowMs: number): boolean {
    for (const [folder, { mtimeMs }] of this.#listings) {
      const stats = sightOf(folder);
      const stands = stats?.mtimeMs === mtimeMs && nowMs - mtimeMs > SETTLED_MS;
      if (!stands || !stats.isDirectory()) return false;
    }
    return this.#absent.values().every((folder) => sightOf(folder) === undefined);
  }

  /** Each known file, where it was. One that isn't there makes a walk necessary. */
  #lookAgain(): void {
    let changed = false;
    for (const [path, known] of this.#known) {
      const sight = sightOf(path);
      if (sight !== undefined && isSame(sight, known.sight)) continue;
      const again = this.#state(known.named, known.root, sight);
      if (again === undefined) {
        this.#unsure = true;
        return;
      }
      if (again === known) continue;
      this.#known.set(path, again);
      changed = true;
    }
    if (changed) this.#found = Array.from(this.#known.values(), ({ found }) => found);
  }

  /** Folders that the last scan looked into. */
  get folders(): Iterable<string> {
    return this.#visited.keys();
  }

  /** Whether a name in such a folder is a file or folder that a pattern names. */
  isWanted(folder: string, name: string): boolean {
    const segments = this.#visited.get(folder) ?? [];
    return segments.some((segment) => !segment.deep && segment.match(name) !== undefined);
  }

  #list(folder: string, nowMs: number): Listing | undefined {
    const seen = this.#seen.get(folder);
    if (seen !== undefined) return seen;
    const stats = lstatSync(folder, { throwIfNoEntry: false });
    if (stats === undefined) this.#absent.add(folder);
    else if (!stats.isDirectory()) this.#unsure = true;
    if (stats?.isDirectory() !== true) return undefined;
    const known = this.#listings.get(folder);
    const settled = nowMs - stats.mtimeMs > SETTLED_MS;
    if (known !== undefined && settled && known.mtimeMs === stats.mtimeMs) {
      this.#seen.set(folder, known);
      return known;
    }
    const folders: string[] = [];
    const files: string[] = [];
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) folders.push(entry.name);
      else if (entry.isFile() || entry.isSymbolicLink()) files.push(entry.name);
    }
    const named = new Map<string, readonly NamedFile[]>();
    const listing = { mtimeMs: settled ? stats.mtimeMs : Number.NaN, folders, files, named };
    this.#seen.set(folder, listing);
    return listing;
  }

  #walk(
    pattern: PathPattern,
    at: {
      readonly folder: string;
      readonly segment: number;
      readonly captures: Readonly<Record<string, string>>;
      readonly depth: number;
      readonly nowMs: number;
    },
  ): void {
    const segment = pattern.segments[at.segment];
    if (segment === undefined || at.depth > MAX_DEPTH) return;
    let listing: Listing | undefined;
    try {
      listing = this.#list(at.folder, at.nowMs);
    } catch {
      this.#unsure = true; // Gone or forbidden since it was listed; the next scan looks again.
      return;
    }
    if (listing === undefined) return;
    const visited = this.#visited.get(at.folder);
    if (visited === undefined) this.#visited.set(at.folder, [segment]);
    else visited.push(segment);
    const last = at.segment === pattern.segments.length - 1;
    if (last) {
      for (const file of this.#namedIn(listing, pattern, at)) this.#take(file, pattern.root);
      return;
    }
    if (segment.deep) this.#walk(pattern, { ...at, segment: at.segment + 1 });
    for (const name of listing.folders) {
      const captured = segment.match(name);
      if (captured === undefined) continue;
      this.#walk(pattern, {
        folder: `${at.folder === '/' ? '' : at.folder}/${name}`,
        segment: segment.deep ? at.segment : at.segment + 1,
        captures: { ...at.captures, ...captured },
        depth: at.depth + 1,
        nowMs: at.nowMs,
      });
    }
  }

  /** Names are matched once for a folder that doesn't change. */
  #namedIn(
    listing: Listing,
    pattern: PathPattern,
    at: { readonly folder: string; readonly captures: Readonly<Record<string, string>> },
  ): readonly NamedFile[] {
    const key = [pattern.pattern, ...Object.values(at.captures)].join('\0');
    const known = listing.named.get(key);
    if (known !== undefined) return known;
    const found = listing.files.flatMap((name) => {
      const file = this.#nameOf(pattern, at, name, listing.files);
      return file === undefined ? [] : [file];
    });
    listing.named.set(key, found);
    return found;
  }

  #nameOf(
    pattern: PathPattern,
    at: { readonly folder: string; readonly captures: Readonly<Record<string, string>> },
    name: string,
    siblings: readonly string[],
  ): NamedFile | undefined {
    const leaf = pattern.segments.at(-1);
    if (leaf === undefined) return undefined;
    const folder = at.folder === '/' ? '' : at.folder;
    const direct = leaf.match(name);
    const rotated =
      this.#decompress || compressionOf(name) === undefined ? rotatedName(name) : undefined;
    const base = rotated?.bases.find((candidate) =>
      // A name that matches itself is a rotated one only beside the file that it comes from.
      direct === undefined
        ? leaf.match(candidate) !== undefined
        : candidate === rotated.bases[0] &&
          siblings.includes(candidate) &&
          leaf.match(candidate) !== undefined,
    );
    const captured = base === undefined ? direct : leaf.match(base);
    if (captured === undefined) return undefined;
    return {
      path: `${folder}/${name}`,
      stream: `${folder}/${base ?? name}`,
      captures: { ...at.captures, ...captured },
      active: base === undefined && (!this.#decompress || compressionOf(name) === undefined),
      compression: this.#decompress ? compressionOf(name) : undefined,
    };
  }

  #take(file: NamedFile, root: string): void {
    if (this.#stated.has(file.path)) return;
    const stated = this.#state(file, root, sightOf(file.path));
    if (stated === undefined) this.#unsure = true;
    else this.#stated.set(file.path, stated);
  }

  /** What is known of the file now; the same object when it did nothing. */
  #state(file: NamedFile, root: string, sight: Stats | undefined): KnownFile | undefined {
    if (sight === undefined) return undefined;
    const known = this.#known.get(file.path);
    const idle = known !== undefined && isSame(sight, known.sight);
    const sameName = known?.named.active === file.active && known.named.stream === file.stream;
    if (idle && sameName) return known;
    const stats = this.#stat(file.path, root);
    if (stats === undefined) return undefined;
    const { mtimeNs } = stats;
    const size = Number(stats.size);
    const inode = inodeOf(stats, this.#isShared);
    if (sameName && known.found.inode === inode && known.found.size === size) {
      if (known.found.mtimeNs === mtimeNs && known.sight === undefined) return known;
    }
    // Each machine numbers its devices itself.
    const identity = this.#isShared ? `${stats.ino}` : inode;
    const found = { ...file, inode, identity, size, mtimeNs };
    return { found, named: file, root, sight: sight.isSymbolicLink() ? undefined : sight };
  }

  /** Plain files only. A link counts as its target when that lies below the root. */
  #stat(path: string, root: string): BigIntStats | undefined {
    try {
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (stats?.isSymbolicLink() !== true) return stats?.isFile() === true ? stats : undefined;
      const target = realpathSync(path);
      const base = realpathSync(root);
      if (!target.startsWith(base === '/' ? '/' : `${base}/`)) return undefined;
      const there = lstatSync(target, { bigint: true, throwIfNoEntry: false });
      return there?.isFile() === true ? there : undefined;
    } catch {
      return undefined; // Gone since it was listed.
    }
  }
}
