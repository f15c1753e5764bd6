import { createHash } from 'node:crypto';
import type { ApplicationFact } from '../../../shared/contracts/container-fact.ts';

/**
 * An application fact with an id that holds a digest of what it says: what changed is another fact,
 * and what is said again (another look, another reading, other attribution rules and back) is the
 * same one.
 *
 * @param fact its `id` is the part before the digest
 */
export function withDigest(fact: ApplicationFact): ApplicationFact {
  const tags = Object.entries(fact.tags).sort(([a], [b]) => (a < b ? -1 : 1));
  const { at, name, user, queue, project, rule, url, attempt, claimed, ending } = fact;
  const claim = claimed === undefined ? [] : [claimed];
  const end = ending === undefined ? [] : [ending.outcome, ending.reason];
  const what = [at, attempt, name, user, queue, project, rule, tags, url, ...claim, ...end];
  const said = JSON.stringify(what);
  const digest = createHash('sha256').update(said).digest('base64url').slice(0, 16);
  return { ...fact, id: `${fact.id}/${digest}` };
}
