import type { Selectable, Transaction } from 'kysely';
import { type EnforcementAction, isOpen } from '../../contracts/action.ts';
import { canonicalJson } from '../../values/canonical-json.ts';
import type { Instant } from '../../values/instant.ts';
import { historyHash } from '../enforcement-history.ts';
import type { Fence } from '../lease.ts';
import { type AlertEngine, transactFenced } from './alert-engine.ts';
import type { AlertTables } from './alert-schema.ts';

/** What happened, before it is a link of the chain. */
export interface Happening {
  readonly at: Instant;
  readonly kind: string;
  readonly action: string;
  readonly body: unknown;
}

/** A transaction that holds the head of the chain: there is one at a time. */
export interface ChainWriter {
  readonly trx: Transaction<AlertTables>;
  readonly head: Selectable<AlertTables['enforcement_state']>;
  /** @returns the entry's number */
  append(happening: Happening): Promise<number>;
}

/**
 * One transaction alone among writers; what it appends follows what is there.
 *
 * @throws AppError FENCED when another holder has taken the lease
 */
export function writeChain<T>(
  engine: AlertEngine,
  fence: Fence | undefined,
  work: (writer: ChainWriter) => Promise<T>,
): Promise<T> {
  return transactFenced(engine, fence, async (trx) => {
    const head = await trx
      .selectFrom('enforcement_state')
      .selectAll()
      .$if(engine.rowLocks, (query) => query.forUpdate())
      .executeTakeFirstOrThrow();
    let seq = Number(head.seq);
    let previous = head.hash;
    const append = async ({ at, kind, action, body }: Happening): Promise<number> => {
      seq += 1;
      const entry = { seq, at, kind, action, body: canonicalJson(body), previous };
      previous = historyHash(entry);
      await trx
        .insertInto('enforcement_history')
        .values({ ...entry, hash: previous })
        .execute();
      await trx.updateTable('enforcement_state').set({ seq, hash: previous }).execute();
      return seq;
    };
    return work({ trx, head, append });
  });
}

/** The row of an action, but for the number that it keeps. */
export function actionColumns(action: EnforcementAction) {
  return {
    id: action.id,
    open: isOpen(action) ? 1 : 0,
    state: action.state,
    alert: action.alert,
    episode: action.episode,
    project: action.project ?? '',
    version: action.version,
    body: canonicalJson(action),
  };
}

/** JSON leaves out what is undefined. */
export function actionFromJson(body: string): EnforcementAction {
  const stored = JSON.parse(body) as EnforcementAction;
  return {
    ...stored,
    project: stored.project ?? undefined,
    announcedAt: stored.announcedAt ?? undefined,
    announcedSteadyMs: stored.announcedSteadyMs ?? undefined,
    intendedAt: stored.intendedAt ?? undefined,
    intendedSteadyMs: stored.intendedSteadyMs ?? undefined,
    restore: stored.restore ?? undefined,
  };
}
