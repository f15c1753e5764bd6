import type { Kysely } from 'kysely';
import { grantedAt } from '../../grants/grant-turns.ts';
import type { Instant } from '../../values/instant.ts';
import type { Nanocredits } from '../../values/money.ts';
import { utcMonth } from '../../values/utc-month.ts';
import { inChunks } from './in-chunks.ts';
import type { LedgerTables } from './ledger-schema.ts';
import { parseTurns } from './turns-column.ts';

const CHUNK = 500;

/** What a project takes of the levels above it. */
export interface ProjectUse {
  /** Charged in the month, accrued, and held: nobody else may start on it. */
  readonly used: Nanocredits;
  /** 0 of one without a limit. */
  readonly left: Nanocredits;
}

/** Of the projects that are there. What a lease held that is over by now isn't held. */
export async function readProjectUses(
  db: Pick<Kysely<LedgerTables>, 'selectFrom'>,
  projects: readonly string[],
  now: Instant,
): Promise<Map<string, ProjectUse>> {
  const uses = new Map<string, ProjectUse>();
  for (const chunk of inChunks(projects, CHUNK)) {
    const rows = await db
      .selectFrom('balance')
      .leftJoin('charge_sum', (join) =>
        join
          .onRef('charge_sum.project', '=', 'balance.project')
          .on('charge_sum.span', '=', 'month')
          .on('charge_sum.start', '=', utcMonth(now)),
      )
      .select([
        'balance.project',
        'granted',
        'charged',
        'accrued',
        'reserved',
        'unlimited',
        'turns',
      ])
      .select('charge_sum.amount as in_month')
      .where('balance.project', 'in', chunk)
      .execute();
    // After the sums: what is swept in between then counts as held, and not as free twice.
    const over = await db
      .selectFrom('reservation')
      .select(['project', 'pending'])
      .where('project', 'in', chunk)
      .where('state', '=', 'held')
      .where('expires_at', '<=', Math.trunc(now))
      .execute();
    const expired = Map.groupBy(over, ({ project }) => project);
    for (const row of rows) {
      const gone = (expired.get(row.project) ?? []).reduce(
        (sum, { pending }) => sum + BigInt(pending),
        0n,
      );
      const taken = BigInt(row.accrued) + BigInt(row.reserved) - gone;
      const granted = grantedAt(BigInt(row.granted), parseTurns(row.turns), now);
      const limited = Number(row.unlimited) === 0;
      uses.set(row.project, {
        used: BigInt(row.in_month ?? 0) + taken,
        left: limited ? granted - BigInt(row.charged) - taken : 0n,
      });
    }
  }
  return uses;
}
