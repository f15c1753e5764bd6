import { type BigIntStats, lstatSync, readdirSync, realpathSync } from 'node:fs';
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
  readonly mtimeNs: bigint;
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Files that a pattern names in it, by the pattern and what it matched above. */
  readonly named: Map<string, readonly NamedFile[]>;
}

/** A file as the scan before saw it. */
interface KnownFile {
  readonly found: FoundFile;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
}

const MAX_DEPTH = 32;
/** A folder that changed this lately may change again within the same time stamp. */
const SETTLED_NS = 2_000_000_000n;

function inodeOf(stats: BigIntStats, isShared: boolean): string {
  // Network file systems may know no birth, and show another time as it.
  const birth = isShared ? '' : `:${(stats.birthtimeNs / 1_000_000n).toString(36)}`;
  return `${stats.dev}:${stats.ino}${birth}`;
}

/** Whether these are of the file that was found as `inode`. */
export function hasInode(stats: BigIntStats, inode: string): boolean {
  return inode === inodeOf(stats, false) || inode === inodeOf(stats, true);
}

/**
 * Lists what patterns name. Folders whose time didn't change aren't read again, so that thousands
 * of idle ones cost one stat each. Unreadable ones are skipped: they may be gone, or come later.
 */
export class FileFinder {
  readonly #patterns: readonly PathPattern[];
  readonly #decompress: boolean;
  readonly #isShared: boolean;
  #listings = new Map<string, Listing>();
  #seen = new Map<string, Listing>();
  #found = new Map<string, FoundFile>();
  #known = new Map<string, KnownFile>();
  #stated = new Map<string, KnownFile>();
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

  /** Of a file that two patterns name, the first one decides. */
  find(nowMs: number): FoundFile[] {
    this.#found = new Map();
    this.#stated = new Map();
    this.#seen = new Map();
    this.#visited = new Map();
    for (const pattern of this.#patterns) {
      this.#walk(pattern, { folder: pattern.root, segment: 0, captures: {}, depth: 0, nowMs });
    }
    this.#listings = this.#seen;
    this.#known = this.#stated;
    return [...this.#found.values()];
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
    const stats = lstatSync(folder, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined || !stats.isDirectory()) return undefined;
    const known = this.#listings.get(folder);
    const settled = BigInt(Math.trunc(nowMs)) * 1_000_000n - stats.mtimeNs > SETTLED_NS;
    if (known !== undefined && settled && known.mtimeNs === stats.mtimeNs) {
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
    const listing = { mtimeNs: settled ? stats.mtimeNs : -1n, folders, files, named };
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
      return; // Gone or forbidden since it was listed; the next scan looks again.
    }
    if (listing === undefined) return;
    const visited = this.#visited.get(at.folder);
    if (visited === undefined) this.#visited.set(at.folder, [segment]);
    else visited.push(segment);
    const last = at.segment === pattern.segments.length - 1;
    if (last) {
      for (const file of this.#namedIn(listing, pattern, at)) this.#look(file, pattern.root);
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

  #look(file: NamedFile, root: string): void {
    const { path } = file;
    if (this.#found.has(path)) return;
    const stats = this.#stat(path, root);
    if (stats === undefined) return;
    const { dev, ino, birthtimeNs, mtimeNs } = stats;
    const size = Number(stats.size);
    const known = this.#known.get(path);
    const same = known?.ino === ino && known.dev === dev && known.birthtimeNs === birthtimeNs;
    const idle = same && known.found.size === size && known.found.mtimeNs === mtimeNs;
    if (idle && known.found.active === file.active && known.found.stream === file.stream) {
      this.#found.set(path, known.found);
      this.#stated.set(path, known);
      return;
    }
    const inode = same ? known.found.inode : inodeOf(stats, this.#isShared);
    // Each machine numbers its devices itself.
    const identity = this.#isShared ? `${ino}` : inode;
    const found = { ...file, inode, identity, size, mtimeNs };
    this.#found.set(path, found);
    this.#stated.set(path, { found, dev, ino, birthtimeNs });
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
