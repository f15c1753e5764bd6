import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Clock } from '../../shared/runtime/clock.ts';

/** A store's folder of files, on a disk of its own and at a time that the test sets. */
export class FolderPlace<F extends Disposable, L extends object> {
  readonly path = mkdtempSync(join(tmpdir(), 'tollgate-folder-'));
  now: number;
  readonly #make: (path: string, clock: Clock, limits: Partial<L>) => F;
  readonly #clock: Clock;
  #folder: F | undefined;

  constructor(
    t: TestContext,
    start: number,
    make: (path: string, clock: Clock, limits: Partial<L>) => F,
  ) {
    this.now = start;
    this.#make = make;
    this.#clock = {
      now: () => this.now,
      elapsed: () => this.now - start,
      sleep: () => Promise.resolve(),
    };
    t.after(() => {
      this.close();
      rmSync(this.path, { recursive: true });
    });
  }

  /** As a start, or a restart, of the process. */
  open(limits: Partial<L> = {}): F {
    this.close();
    this.#folder = this.#make(this.path, this.#clock, limits);
    return this.#folder;
  }

  close(): void {
    this.#folder?.[Symbol.dispose]();
    this.#folder = undefined;
  }

  /** Of the databases, without `.db`, in order. */
  names(): string[] {
    return readdirSync(this.path)
      .filter((name) => name.endsWith('.db'))
      .map((name) => name.slice(0, -3))
      .sort();
  }
}
