import { Kysely, sql } from 'kysely';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { CheckpointStore } from '../../shared/stores/checkpoint.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import {
  type CheckpointTables,
  SqlCheckpointStore,
} from '../../shared/stores/sql/checkpoint-store.ts';
import { SqlLeaseStore } from '../../shared/stores/sql/lease-store.ts';
import { LEDGER_SCHEMA } from '../../shared/stores/sql/ledger-schema.ts';
import { openSqlite } from '../../shared/stores/sql/open-sqlite.ts';
import { sqliteDialect } from '../../shared/stores/sql/sqlite-dialect.ts';

/** Checkpoints beside the leases that fence them, as PostgreSQL has them, in one SQLite database. */
export function fencedCheckpoints(clock: Clock): {
  readonly checkpoints: CheckpointStore;
  readonly leases: LeaseStore;
} {
  const database = openSqlite({ file: ':memory:', schema: LEDGER_SCHEMA });
  database.exec(
    'CREATE TABLE source_checkpoint (source TEXT PRIMARY KEY, position TEXT, saved_at INTEGER)',
  );
  const db = new Kysely<CheckpointTables>({ dialect: sqliteDialect(database, ':memory:') });
  return {
    checkpoints: new SqlCheckpointStore({ db, clock, leases: { rowLocks: false } }),
    leases: new SqlLeaseStore({
      db: db as unknown as ConstructorParameters<typeof SqlLeaseStore>[0]['db'],
      now: () => sql.lit(clock.now()),
    }),
  };
}
