import { rateIntervals } from '../../../shared/rating/rate-interval.ts';
import { systemClock } from '../../../shared/runtime/clock.ts';
import { LEDGER_SCHEMA } from '../../../shared/stores/sql/ledger-schema.ts';
import { openSqlite } from '../../../shared/stores/sql/open-sqlite.ts';
import { DEFAULT_RATE_CARD } from '../../../shared/values/rate-card.ts';
import { SMALL, T0 } from '../../support/fact-builders.ts';

/** Between two settlements of a running container, as the meters do that this is measured against. */
export const TICK_MS = 10_000;

/**
 * One transaction for each container and tick, on the same kind of file with the same durability: the
 * amount of the tick, from the project's balance and onto the cost of its user and day.
 *
 * @param file of a ledger that nobody else writes meanwhile
 * @returns ticks a second
 */
export function chargeByTicks(file: string, ticks: number): number {
  const database = openSqlite({ file, schema: LEDGER_SCHEMA });
  try {
    database.exec(`CREATE TABLE daily_cost (
      project TEXT NOT NULL, user TEXT NOT NULL, day INTEGER NOT NULL, credits TEXT NOT NULL,
      PRIMARY KEY (project, user, day)
    ) STRICT, WITHOUT ROWID`);
    database.exec(`INSERT INTO balance VALUES ('ticks', '0', '0', '0', '0', 1)`);
    const read = database.prepare(`SELECT charged FROM balance WHERE project = 'ticks'`);
    const write = database.prepare(`UPDATE balance SET charged = ? WHERE project = 'ticks'`);
    const daily = database.prepare('SELECT credits FROM daily_cost WHERE user = ? AND day = 0');
    const spend = database.prepare(`INSERT OR REPLACE INTO daily_cost VALUES ('ticks', ?, 0, ?)`);
    const began = systemClock.elapsed();
    for (let tick = 0; tick < ticks; tick += 1) {
      const interval = { start: T0, end: T0 + TICK_MS, resources: SMALL };
      const [line] = rateIntervals([interval], [], DEFAULT_RATE_CARD);
      const amount = line?.amount ?? 0n;
      const user = `user-${tick % 50}`;
      database.exec('BEGIN IMMEDIATE');
      const { charged } = read.get() as { charged: string };
      const { credits = '0' } = (daily.get(user) ?? {}) as { credits?: string };
      write.run(`${BigInt(charged) + amount}`);
      spend.run(user, `${BigInt(credits) + amount}`);
      database.exec('COMMIT');
    }
    return ticks / ((systemClock.elapsed() - began) / 1_000);
  } finally {
    database.close();
  }
}
