import type { Logger } from '../../../shared/telemetry/logger.ts';
import type { Metrics } from '../../../shared/telemetry/metrics.ts';
import type { FileFinder, FoundFile } from './find-files.ts';
import { FolderWatch } from './folder-watch.ts';

export interface MissedFilesDeps {
  readonly finder: FileFinder;
  /** Label of the counter. */
  readonly prefix: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What came and went between two scans can't be read any more, but it can be said. */
export class MissedFiles implements Disposable {
  readonly #deps: MissedFilesDeps;
  readonly #missed: (labels: Record<string, string>, by?: number) => void;
  readonly #watch = new FolderWatch();
  #found: readonly FoundFile[] | undefined;
  /** Files and folders of the last scan. */
  #paths: ReadonlySet<string> = new Set();
  #folders: ReadonlySet<string> = new Set();

  constructor(deps: MissedFilesDeps) {
    this.#deps = deps;
    const { metrics } = deps;
    this.#missed = metrics.counter('tollgate_files_missed_total', 'Came and went between scans.');
  }

  /** @param found what a scan has just seen */
  count(found: readonly FoundFile[]): void {
    if (found === this.#found && !this.#watch.hasHeard) return;
    this.#found = found;
    const { finder, prefix, logger } = this.#deps;
    const paths = new Set(found.map(({ path }) => path));
    const missed = this.#watch.missed(
      (folder, name) => finder.isWanted(folder, name),
      (path) => this.#paths.has(path) || this.#folders.has(path),
    );
    if (missed.length > 0) {
      this.#missed({ input: prefix }, missed.length);
      logger.warn({ paths: missed.slice(0, 5), count: missed.length }, 'came and went unread');
    }
    this.#paths = paths;
    this.#folders = new Set(finder.folders);
    this.#watch.follow(this.#folders);
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }
}
