import type { JournalReader } from '../../../shared/stores/journal.ts';
import type { Instant } from '../../../shared/values/instant.ts';

/** The clusters that facts name, asked for once a time whatever the number of pools. */
export class KnownClusters {
  readonly #journal: Pick<JournalReader, 'clusters'>;
  readonly #poolOf: (cluster: string) => string | undefined;
  #asked: { readonly at: Instant; readonly byPool: Promise<Map<string, string[]>> } | undefined;

  constructor(
    journal: Pick<JournalReader, 'clusters'>,
    poolOf: (cluster: string) => string | undefined,
  ) {
    this.#journal = journal;
    this.#poolOf = poolOf;
  }

  async ofPool(pool: string, at: Instant): Promise<readonly string[]> {
    if (this.#asked?.at !== at) this.#asked = { at, byPool: this.#ask() };
    const { byPool } = this.#asked;
    try {
      return (await byPool).get(pool) ?? [];
    } catch (error) {
      this.#asked = undefined;
      throw error;
    }
  }

  async #ask(): Promise<Map<string, string[]>> {
    const byPool = new Map<string, string[]>();
    for (const cluster of await this.#journal.clusters()) {
      const pool = this.#poolOf(cluster);
      if (pool === undefined) continue;
      const names = byPool.get(pool) ?? [];
      names.push(cluster);
      byPool.set(pool, names);
    }
    return byPool;
  }
}
