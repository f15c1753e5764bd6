import type { DatabaseSync } from 'node:sqlite';
import type { Instant } from '../../values/instant.ts';
import { BASE_STEP, type PriceStep } from '../../values/price-step.ts';
import type { ProjectId } from '../../values/project-id.ts';
import type { Balance } from '../ledger-reader.ts';

export type QuotaRead = (
  project: ProjectId,
  pool: string,
  now: Instant,
) => { balance: Balance; step: PriceStep } | undefined;

type Row = Record<'granted' | 'charged' | 'accrued' | 'per_hour', string> &
  Record<'unlimited' | 'as_of', number> & { step: number | null };

/**
 * Prepares the read that stands in the path of every job's start: three look-ups by primary key in
 * one statement, without Kysely and without a promise.
 */
export function prepareQuotaRead(database: DatabaseSync): QuotaRead {
  const statement = database.prepare(`
    SELECT granted, charged, accrued, per_hour, unlimited,
      (SELECT value FROM meta WHERE name = 'as_of') AS as_of,
      (SELECT step FROM price_epoch WHERE pool = ? AND start <= ?
        ORDER BY start DESC LIMIT 1) AS step
    FROM balance WHERE project = ?`);
  return (project, pool, now) => {
    const row = statement.get(pool, now, project) as Row | undefined;
    if (row === undefined) return undefined;
    const balance: Balance = {
      project,
      granted: BigInt(row.granted),
      charged: BigInt(row.charged),
      accrued: BigInt(row.accrued),
      perHour: BigInt(row.per_hour),
      asOf: row.as_of,
      unlimited: row.unlimited === 1,
    };
    return { balance, step: row.step ?? BASE_STEP };
  };
}
