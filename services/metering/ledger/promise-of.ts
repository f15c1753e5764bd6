import { type PricePromise, QUOTE_TAG } from '../../../shared/price/price-promise.ts';
import type { ApplicationState } from '../../../shared/stores/ledger-writer.ts';
import type { PromiseReader } from '../../../shared/stores/quote-store.ts';

type Payer = Pick<ApplicationState, 'project' | 'tags'>;

/**
 * The promise that each application's tag names, of those that its project was given. Nothing is
 * read where no application names one.
 */
export async function promiseOf(
  reader: PromiseReader,
  applications: readonly Payer[],
): Promise<(application: Payer) => PricePromise | undefined> {
  const refs = applications.flatMap(({ project, tags }) => {
    const quote = tags[QUOTE_TAG];
    return quote === undefined ? [] : [{ project, quote }];
  });
  if (refs.length === 0) return () => undefined;
  const promises = await reader.promises(refs);
  return ({ tags }) => promises.get(tags[QUOTE_TAG] ?? '');
}
