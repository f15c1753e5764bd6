import type { LoadFact } from '../../../shared/contracts/container-fact.ts';
import type { JournalReader } from '../../../shared/stores/journal.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '../../../shared/values/instant.ts';

const SPAN_MS = 2 * HOUR_MS;
/** Facts that are stored later than this after their time are missed by the chart, not by the price. */
const OVERLAP_MS = MINUTE_MS;
const PAGE = 5_000;

/**
 * The last hours of a cluster's load. Kept in memory and extended by what is new, since each open
 * page asks every few seconds and the journal is read on the thread that answers quota checks.
 */
export class LoadHistory {
  readonly #journal: Pick<JournalReader, 'loads'>;
  readonly #loads = new Map<string, LoadFact[]>();

  constructor(journal: Pick<JournalReader, 'loads'>) {
    this.#journal = journal;
  }

  /** Oldest first; empty for a cluster without load facts. */
  async read(cluster: string, now: Instant): Promise<readonly LoadFact[]> {
    const known = this.#loads.get(cluster) ?? [];
    const start = now - SPAN_MS;
    let from = Math.max(start, (known.at(-1)?.at ?? start) - OVERLAP_MS);
    const kept = known.filter(({ at }) => at >= start && at < from);
    for (;;) {
      const page = await this.#journal.loads(cluster, from, now + 1, PAGE);
      const last = page.at(-1);
      kept.push(...page);
      // Two loads of one instant may stand on both sides of a page's end; the chart needs one.
      if (page.length < PAGE || last === undefined) break;
      from = last.at + 1;
    }
    this.#loads.set(cluster, kept);
    return kept;
  }
}
