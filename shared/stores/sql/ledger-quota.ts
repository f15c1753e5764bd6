import type { DatabaseSync } from 'node:sqlite';
import { grantedAt } from '../../grants/grant-turns.ts';
import type { Instant } from '../../values/instant.ts';
import { BASE_STEP, type PriceStep } from '../../values/price-step.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { Balance } from '../ledger-reader.ts';
import { parseExpired } from './expired-holds.ts';
import { ownWrites } from './own-writes.ts';
import { parseTurns } from './turns-column.ts';
import { parseReadings } from './use-readings.ts';

export type QuotaRead = (
  project: ProjectId,
  pool: string,
  now: Instant,
) => { balance: Balance; step: PriceStep } | undefined;

type Row = Record<
  'granted' | 'charged' | 'inferred' | 'accrued' | 'per_hour' | 'reserved' | 'turns',
  string
> &
  Record<'unlimited' | 'as_of' | 'millicores' | 'reserved_millicores', number> &
  Record<'step' | 'since' | 'next' | 'ended' | 'ends', number | null> &
  Record<'expired', string | null> &
  Record<'readings', string>;

type Read = NonNullable<ReturnType<QuotaRead>>;

/** Projects that are asked for between two commits; more than this start over. */
const KEPT_MAX = 10_000;

/**
 * Whether the file may have changed since the last question. Another connection's commit is looked
 * for once in a turn of the event loop, so that the many checks of a busy turn share the look; the
 * connection's own writes are seen at once.
 */
function changeDetector(database: DatabaseSync): () => boolean {
  const version = database.prepare('PRAGMA data_version');
  const own = ownWrites(database);
  let [seenVersion, seenWrites]: [unknown, number] = [undefined, -1];
  let looked = false;
  return () => {
    const wrote = own.writes !== seenWrites;
    if (looked && !wrote) return false;
    if (!looked) {
      looked = true;
      setImmediate(() => {
        looked = false;
      });
    }
    const now = version.get()?.['data_version'];
    const changed = wrote || now !== seenVersion;
    [seenVersion, seenWrites] = [now, own.writes];
    return changed;
  };
}

/**
 * Prepares the read that stands in the path of every job's start: a few look-ups by key in one
 * statement, without Kysely and without a promise. Reservations that have run out and that nobody
 * has swept yet are taken off the sum that is kept. What was read stands until the file changes,
 * the next price epoch begins, the next lease is over, or a grant begins or ends.
 */
export function prepareQuotaRead(database: DatabaseSync): QuotaRead {
  const statement = database.prepare(`
    SELECT granted, charged, inferred, accrued, per_hour, unlimited, reserved, millicores,
      reserved_millicores, readings, turns,
      (SELECT group_concat(pending || ' ' || pending_millicores, ',') FROM reservation
        WHERE project = :project AND state = 'held' AND expires_at <= :now) AS expired,
      (SELECT max(expires_at) FROM reservation
        WHERE project = :project AND state = 'held' AND expires_at <= :now) AS ended,
      (SELECT min(expires_at) FROM reservation
        WHERE project = :project AND state = 'held' AND expires_at > :now) AS ends,
      (SELECT min(as_of) FROM shard) AS as_of,
      (SELECT step FROM price_epoch WHERE pool = :pool AND start <= :now
        ORDER BY start DESC LIMIT 1) AS step,
      (SELECT max(start) FROM price_epoch WHERE pool = :pool AND start <= :now) AS since,
      (SELECT min(start) FROM price_epoch WHERE pool = :pool AND start > :now) AS next
    FROM balance WHERE project = :project`);
  const changed = changeDetector(database);
  let kept = new Map<string, Read & { readonly from: Instant; readonly until: Instant }>();

  const read = (project: ProjectId, pool: string, now: Instant) => {
    const row = statement.get({ project, pool, now }) as Row | undefined;
    if (row === undefined) return undefined;
    const expired = parseExpired(row.expired);
    const turns = parseTurns(row.turns);
    const balance: Balance = {
      project,
      granted: grantedAt(BigInt(row.granted), turns, now),
      charged: BigInt(row.charged),
      inferred: BigInt(row.inferred),
      accrued: BigInt(row.accrued),
      reserved: BigInt(row.reserved) - expired.pending,
      millicores: row.millicores,
      reservedMillicores: row.reserved_millicores - expired.millicores,
      readings: parseReadings(row.readings),
      perHour: BigInt(row.per_hour),
      asOf: row.as_of,
      unlimited: row.unlimited === 1,
    };
    const turned = turns.findLast(({ at }) => at <= now)?.at ?? -Infinity;
    const turning = turns.find(({ at }) => at > now)?.at ?? Infinity;
    const from = Math.max(row.since ?? -Infinity, row.ended ?? -Infinity, turned);
    const until = Math.min(row.next ?? Infinity, row.ends ?? Infinity, turning);
    return { balance, step: row.step ?? BASE_STEP, from, until };
  };

  return (project, pool, now) => {
    if (changed() || kept.size >= KEPT_MAX) kept = new Map();
    const key = `${project}\n${pool}`;
    const before = kept.get(key);
    if (before !== undefined && before.from <= now && now < before.until) return before;
    const answer = read(project, pool, now);
    if (answer !== undefined) kept.set(key, answer);
    return answer;
  };
}
