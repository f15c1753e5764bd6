import type { Transaction } from 'kysely';
import type { JournalFact } from '../../contracts/container-fact.ts';
import { applicationKey, containerKey } from '../journal.ts';
import { shardOf } from '../shard-of.ts';
import type { LedgerTables } from './ledger-schema.ts';

type ContainerRef = { readonly cluster: string; readonly container: string };

/**
 * The shard of each fact. An application has its own; a container that of the application which its
 * first stored fact names, for ever, since facts of one container may name two applications and one
 * meter must settle them all. The caller holds the journal's lock: nobody else stores a first one.
 *
 * @param facts in the order of storing, none of which is stored yet
 */
export async function shardsOfFacts(
  trx: Transaction<LedgerTables>,
  facts: readonly JournalFact[],
  shards: number,
): Promise<number[]> {
  if (shards === 1) return facts.map(() => 0);
  const known = await knownShards(
    trx,
    facts.flatMap((fact) => ('container' in fact ? [fact] : [])),
  );
  return facts.map((fact) => {
    if (!('container' in fact)) {
      const application = 'application' in fact ? fact.application : '';
      return shardOf({ cluster: fact.cluster, application }, shards);
    }
    const key = containerKey(fact).toWellFormed();
    const shard = known.get(key) ?? shardOf(fact, shards);
    known.set(key, shard);
    return shard;
  });
}

/** Keyed as stored: a lone surrogate is mended on its way in. */
async function knownShards(
  trx: Transaction<LedgerTables>,
  refs: readonly ContainerRef[],
): Promise<Map<string, number>> {
  const known = new Map<string, number>();
  for (const [cluster, members] of Map.groupBy(refs, (ref) => ref.cluster)) {
    const rows = await trx
      .selectFrom('fact')
      .select(['subject', (eb) => eb.fn.min('shard').as('shard')])
      .where('cluster', '=', cluster)
      .where('topic', '=', 'container')
      .where('subject', 'in', [...new Set(members.map(({ container }) => container))])
      .groupBy('subject')
      .execute();
    for (const { subject, shard } of rows) {
      known.set(
        containerKey({ cluster: cluster.toWellFormed(), container: subject }),
        Number(shard),
      );
    }
  }
  return known;
}

/** All shards whose cursor or applications a transaction changes, in the order of locking. */
export function touchedShards(
  own: number,
  applications: Iterable<{ readonly cluster: string; readonly application: string }>,
  shards: number,
): number[] {
  const touched = new Set([own]);
  if (shards === 1) return [own];
  const distinct = new Map([...applications].map((ref) => [applicationKey(ref), ref]));
  for (const ref of distinct.values()) touched.add(shardOf(ref, shards));
  return [...touched].sort((a, b) => a - b);
}
