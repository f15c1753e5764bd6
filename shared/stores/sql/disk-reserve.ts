import { statfsSync } from 'node:fs';
import { AppError } from '../../errors/app-error.ts';
import type { Clock } from '../../runtime/clock.ts';
import { SECOND_MS } from '../../values/instant.ts';

export interface DiskReserveOptions {
  readonly folder: string;
  /** Bytes of the folder's disk that stay free, for the ledger. */
  readonly reserveBytes: number;
  /** What waits when there is no more, as an error calls it. */
  readonly waits: string;
  readonly clock: Clock;
}

/** Keeps some of the disk free for what matters more. */
export class DiskReserve {
  readonly #options: DiskReserveOptions;
  #checked = Number.NEGATIVE_INFINITY;

  constructor(options: DiskReserveOptions) {
    this.#options = options;
  }

  /**
   * Looks at most once a second while there is enough.
   *
   * @throws AppError DISK_FULL
   */
  check(): void {
    const { folder, reserveBytes, waits, clock } = this.#options;
    const now = clock.elapsed();
    if (now - this.#checked < SECOND_MS) return;
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    if (free < reserveBytes) {
      throw new AppError(
        'DISK_FULL',
        `${waits} wait: ${free} bytes are free on the disk of the data folder, ` +
          `${reserveBytes} are kept in reserve; free some, or lower the limits`,
      );
    }
    this.#checked = now;
  }
}
