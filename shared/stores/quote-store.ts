import type { PricePromise } from '../price/price-promise.ts';
import type { Instant } from '../values/instant.ts';
import type { ProjectId } from '../values/project-id.ts';

/** A price promised to a project. A row of the ledger, since charges follow from it: never edited. */
export interface KeptQuote extends PricePromise {
  /** What it was asked for; any application of the project may name it. */
  readonly application: string;
  /** Label of the token that asked, for people. */
  readonly quotedBy: string;
}

/** What the meter reads. */
export interface PromiseReader {
  /** Those that are there, by id; a quote of another project isn't. */
  promises(
    refs: readonly { readonly project: ProjectId; readonly quote: string }[],
  ): Promise<ReadonlyMap<string, PricePromise>>;
}

/** Quotes with a locked price. The API writes them. */
export interface QuoteStore extends PromiseReader {
  /**
   * Repeating a quote is a no-op; the same id with another body is a CONFLICT.
   *
   * @param liveMax most that a project may have at once: OVERLOADED when it has them
   */
  keep(quote: KeptQuote, liveMax: number): Promise<void>;
  quote(project: ProjectId, id: string): Promise<KeptQuote | undefined>;
  /** Those whose end is still to come, soonest end first. */
  live(project: ProjectId, now: Instant): Promise<KeptQuote[]>;
}
