import { systemClock } from '../../shared/runtime/clock.ts';
import { initSchema } from '../../shared/stores/sql/init-postgres.ts';
import { alertStoresOnPool } from '../../shared/stores/sql/open-alert-stores.ts';
import { freshSchema, pglitePool } from '../support/pglite-pool.ts';
import { alertStoreSuite } from './alert-store-suite.ts';
import { enforcementSuite } from './enforcement-suite.ts';
import { notificationLogSuite } from './notification-log-suite.ts';
import { outboxSuite } from './outbox-suite.ts';
import { silenceStoreSuite } from './silence-store-suite.ts';

const deps = { clock: systemClock, random: Math.random };

async function open() {
  const schema = freshSchema();
  const pool = pglitePool(schema);
  await initSchema(pool, { schema, clock: systemClock });
  return alertStoresOnPool(pool, deps);
}

alertStoreSuite('pglite', open);
outboxSuite('pglite', open);
silenceStoreSuite('pglite', open);
notificationLogSuite('pglite', open);
enforcementSuite('pglite', open);
