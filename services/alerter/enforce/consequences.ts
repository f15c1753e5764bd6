import type { Consequence } from '../../../shared/contracts/notification.ts';
import type { EnforcementReader } from '../../../shared/stores/enforcement-store.ts';
import type { Instant } from '../../../shared/values/instant.ts';
import { type ConsequenceDeps, consequenceOf } from './announcement.ts';

/**
 * What will be done because of an occurrence (`occurrenceOf`) of an alert, soonest first: what
 * messages about it say. The links in it are secrets.
 */
export async function consequencesOf(
  deps: ConsequenceDeps & { readonly store: Pick<EnforcementReader, 'ofOccurrence'> },
  occurrence: string,
  now: Instant,
): Promise<Consequence[]> {
  const hash = occurrence.lastIndexOf('#');
  const episode = Number(occurrence.slice(hash + 1));
  const actions = await deps.store.ofOccurrence(occurrence.slice(0, hash), episode);
  return actions
    .filter(({ state }) => state === 'proposed' || state === 'announced')
    .map((action) => consequenceOf(action, now, deps))
    .sort((a, b) => a.at - b.at);
}
