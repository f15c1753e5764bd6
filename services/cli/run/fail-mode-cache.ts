import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { FAIL_MODES, type FailMode } from '../../../shared/contracts/rest-quote.ts';

const kept = z.object({
  url: z.string(),
  project: z.string(),
  failMode: z.enum(FAIL_MODES),
  at: z.string(),
});

/** What a project's Tollgate last said. */
export interface ToldFailMode {
  readonly failMode: FailMode;
  /** ISO 8601. */
  readonly at: string;
}

/** `$XDG_CACHE_HOME/tollgate`, else `~/.cache/tollgate`; undefined for a user without a home. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_CACHE_HOME: cache, HOME: home } = env;
  if (cache?.startsWith('/')) return join(cache, 'tollgate');
  return home?.startsWith('/') ? join(home, '.cache', 'tollgate') : undefined;
}

/**
 * A small file for each Tollgate and project, for the time when that Tollgate doesn't answer. Who
 * can't write it has none: that is no reason to stop a job.
 */
export class FailModeCache {
  readonly #file: string | undefined;
  readonly #who: { readonly url: string; readonly project: string };

  constructor(folder: string | undefined, who: { readonly url: string; readonly project: string }) {
    this.#who = { url: who.url, project: who.project };
    const digest = createHash('sha256').update(`${who.url}\n${who.project}`).digest('hex');
    this.#file = folder && join(folder, `fail-mode-${digest.slice(0, 24)}.json`);
  }

  /** Undefined where nothing was ever told, or the file is somebody else's idea. */
  async read(): Promise<ToldFailMode | undefined> {
    if (this.#file === undefined) return undefined;
    try {
      const { url, project, failMode, at } = kept.parse(
        JSON.parse(await readFile(this.#file, 'utf8')),
      );
      const own = url === this.#who.url && project === this.#who.project;
      return own ? { failMode, at } : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whole or not at all: several commands may write it at once. */
  async write(told: ToldFailMode): Promise<void> {
    if (this.#file === undefined) return;
    const draft = `${this.#file}.${process.pid}`;
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      await writeFile(draft, `${JSON.stringify({ ...this.#who, ...told })}\n`, { mode: 0o600 });
      await rename(draft, this.#file);
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }
}
