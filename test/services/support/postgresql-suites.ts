import { systemClock } from '../../../shared/runtime/clock.ts';
import { openPostgresAlertStores } from '../../../shared/stores/sql/open-alert-stores.ts';
import {
  openPostgresCheckpointStore,
  openPostgresLeaseStore,
  openPostgresLedger,
} from '../../../shared/stores/sql/open-postgres-ledger.ts';
import { openPostgresQuarantine } from '../../../shared/stores/sql/postgres-quarantine.ts';
import { alertStoreSuite } from '../../contracts/alert-store-suite.ts';
import { applicationWatchSuite } from '../../contracts/application-watch-suite.ts';
import { checkpointFenceSuite, checkpointSuite } from '../../contracts/checkpoint-suite.ts';
import { enforcementSuite } from '../../contracts/enforcement-suite.ts';
import { fenceSuite } from '../../contracts/fence-suite.ts';
import { grantsSuite } from '../../contracts/grants-suite.ts';
import { journalSuite } from '../../contracts/journal-suite.ts';
import { leaseSuite } from '../../contracts/lease-suite.ts';
import { ledgerReaderSuite } from '../../contracts/ledger-reader-suite.ts';
import { ledgerWriterSuite } from '../../contracts/ledger-writer-suite.ts';
import { notificationLogSuite } from '../../contracts/notification-log-suite.ts';
import { outboxSuite } from '../../contracts/outbox-suite.ts';
import { periodSuite } from '../../contracts/period-suite.ts';
import { priceBookSuite } from '../../contracts/price-book-suite.ts';
import { priceFreezesSuite } from '../../contracts/price-freezes-suite.ts';
import { quarantineSuite } from '../../contracts/quarantine-suite.ts';
import { quotesSuite } from '../../contracts/quotes-suite.ts';
import { silenceStoreSuite } from '../../contracts/silence-store-suite.ts';
import { freshSchema, RETRY } from './postgres-schema.ts';

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms + 1));

/** The contract of every port that PostgreSQL is behind, each test in a schema of its own. */
export function postgresqlSuites(name: string, server: () => { readonly url: string }): void {
  const open = async () => openPostgresLedger(await freshSchema(server()), RETRY);
  journalSuite(name, open);
  priceBookSuite(name, open);
  priceFreezesSuite(name, open);
  grantsSuite(name, open);
  ledgerWriterSuite(name, open);
  ledgerReaderSuite(name, open);
  applicationWatchSuite(name, open);
  quotesSuite(name, open);
  periodSuite(name, open);
  const openAlerts = async () => openPostgresAlertStores(await freshSchema(server()), RETRY);
  alertStoreSuite(name, openAlerts);
  outboxSuite(name, openAlerts);
  silenceStoreSuite(name, openAlerts);
  notificationLogSuite(name, openAlerts);
  enforcementSuite(name, openAlerts);
  quarantineSuite(name, async () => openPostgresQuarantine(await freshSchema(server())));
  checkpointSuite(name, async (clock) =>
    openPostgresCheckpointStore(await freshSchema(server()), { clock }),
  );
  checkpointFenceSuite(name, async () => {
    const config = await freshSchema(server());
    const checkpoints = await openPostgresCheckpointStore(config, { clock: systemClock });
    return { checkpoints, leases: await openPostgresLeaseStore(config) };
  });
  leaseSuite(name, async () => ({
    store: await openPostgresLeaseStore(await freshSchema(server())),
    pass,
  }));
  fenceSuite(name, async () => {
    const config = await freshSchema(server());
    return {
      ledger: await openPostgresLedger(config, RETRY),
      leases: await openPostgresLeaseStore(config),
    };
  });
}
