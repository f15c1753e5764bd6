import { existsSync, type FSWatcher, watch } from 'node:fs';

/** inotify has a limit per user; folders beyond this are scanned only. */
const MAX_WATCHES = 1_024;
const MAX_NAMES = 10_000;

/**
 * Hears of names that appear and vanish in folders between two scans. The scan reads the files; this
 * only tells which ones it never saw.
 */
export class FolderWatch implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>();
  /** Names by folder since the last `missed`. */
  readonly #heard = new Map<string, Set<string>>();
  #count = 0;

  /** Whether a name was heard of since the last `missed`. */
  get hasHeard(): boolean {
    return this.#count > 0;
  }

  /** Watches these folders and no others. */
  follow(folders: Iterable<string>): void {
    const wanted = new Set(folders);
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) {
      if (this.#watchers.size >= MAX_WATCHES) return;
      if (!this.#watchers.has(folder)) this.#begin(folder);
    }
  }

  /**
   * Names that were heard of, aren't there any more, and weren't `known` before. Forgets all names.
   *
   * @param isWanted whether a name in a folder is one that is followed
   */
  missed(
    isWanted: (folder: string, name: string) => boolean,
    known: (path: string) => boolean,
  ): string[] {
    const missed: string[] = [];
    for (const [folder, names] of this.#heard) {
      for (const name of names) {
        const path = `${folder === '/' ? '' : folder}/${name}`;
        if (isWanted(folder, name) && !known(path) && !existsSync(path)) missed.push(path);
      }
    }
    this.#heard.clear();
    this.#count = 0;
    return missed;
  }

  #begin(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        if (event === 'rename' && name !== null) this.#hear(folder, name);
      });
      watcher.on('error', () => watcher.close());
      this.#watchers.set(folder, watcher);
    } catch {
      // Gone, or no more watches are allowed: scans find what stays.
    }
  }

  #hear(folder: string, name: string): void {
    if (this.#count >= MAX_NAMES) return;
    const names = this.#heard.get(folder) ?? new Set();
    if (names.has(name)) return;
    this.#count += 1;
    this.#heard.set(folder, names.add(name));
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}
