import { after, before } from 'node:test';
import { systemClock } from '../../shared/runtime/clock.ts';
import { initPostgres } from '../../shared/stores/sql/init-postgres.ts';
import { killScenario } from '../support/kill-scenario.ts';
import { RunningTollgate } from '../support/running-tollgate.ts';
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts';
import { unusedSchema } from './support/postgres-schema.ts';

let server: PostgresqlServer;
let ledger: Awaited<ReturnType<typeof unusedSchema>>;
before(async () => {
  server = await startPostgresql();
  ledger = unusedSchema(server);
  await initPostgres(ledger, { clock: systemClock });
});
after(async () => server?.[Symbol.asyncDispose]());

killScenario({
  name: 'one process, the ledger on PostgreSQL',
  async start(folder, config) {
    const { url, schema } = ledger;
    const stores = { ledger: { url, schema } };
    const tollgate = await RunningTollgate.start(folder, { ...config, stores });
    return {
      collect: tollgate,
      serve: tollgate,
      kill: () => tollgate.kill(),
      stop: async () => [await tollgate.stop()],
      [Symbol.asyncDispose]: () => tollgate[Symbol.asyncDispose](),
    };
  },
});
