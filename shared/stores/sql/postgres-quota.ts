import { BASE_STEP } from '../../values/price-step.ts';
import type { LedgerReader } from '../ledger-reader.ts';
import type { Connections, NamedStatement } from './postgres-pool.ts';

type Row = Record<'granted' | 'charged' | 'accrued' | 'per_hour', string> & {
  readonly unlimited: number;
  readonly as_of: bigint | number;
  readonly step: bigint | number | null;
};

/**
 * The read that stands in the path of every job's start: one statement of three look-ups by primary
 * key. The sums are kept by whoever writes; nothing is remembered here, since others write too.
 */
export const QUOTA: NamedStatement = {
  name: 'tollgate_quota',
  text: `
    SELECT granted, charged, accrued, per_hour, unlimited,
      (SELECT value FROM meta WHERE name = 'as_of') AS as_of,
      (SELECT step FROM price_epoch WHERE pool = $2 AND start <= $3
        ORDER BY start DESC LIMIT 1) AS step
    FROM balance WHERE project = $1`,
};

export function postgresQuota(connections: Pick<Connections, 'read'>): LedgerReader['quota'] {
  return async (project, pool, now) => {
    const [row] = await connections.read<Row>(QUOTA, [project, pool, now]);
    if (row === undefined) return undefined;
    return {
      balance: {
        project,
        granted: BigInt(row.granted),
        charged: BigInt(row.charged),
        accrued: BigInt(row.accrued),
        perHour: BigInt(row.per_hour),
        asOf: Number(row.as_of),
        unlimited: row.unlimited === 1,
      },
      step: row.step === null ? BASE_STEP : Number(row.step),
    };
  };
}
