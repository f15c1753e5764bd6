import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { LEDGER_SCHEMA } from './ledger-schema.ts';
import { openSqlite } from './open-sqlite.ts';

/** What is written meanwhile at full speed is some 2 MB. */
const INTERVAL_MS = 100;

/**
 * Moves the ledger's WAL into its file, in the thread of whoever calls, until the signal aborts. A
 * checkpoint of 4,000 pages holds its thread up for 50 to 300 ms; done by a commit it would do so
 * where jobs wait for the answer. PASSIVE: neither readers nor writers wait for it.
 */
export async function keepLedgerWal(
  file: string,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  using database = openSqlite({ file, schema: LEDGER_SCHEMA });
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  while (!signal.aborted) {
    try {
      checkpoint.all();
    } catch (error) {
      // A commit of any connection does it once the WAL is long enough.
      logger.warn({ err: error }, 'the WAL of the ledger could not be moved into its file');
    }
    await clock.sleep(INTERVAL_MS, signal);
  }
}
