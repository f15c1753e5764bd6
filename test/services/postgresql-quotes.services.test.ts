import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { must } from '../../shared/errors/assert.ts';
import type { Ledger } from '../../shared/stores/sql/open-ledger.ts';
import { openPostgresLedger } from '../../shared/stores/sql/open-postgres-ledger.ts';
import { MINUTE_MS } from '../../shared/values/instant.ts';
import { T0 } from '../support/fact-builders.ts';
import { ETL } from '../support/ledger-builders.ts';
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts';
import { freshSchema, RETRY } from './support/postgres-schema.ts';

const ASKED = 300;
const ROOM = 10;
const PROCESSES = 3;

let server: PostgresqlServer;

before(async () => {
  server = await startPostgresql();
});
after(async () => server?.[Symbol.asyncDispose]());

const quote = (id: string) => ({
  ...{ id, project: ETL, pool: 'cpu', step: 1_150, start: T0, end: T0 + 30 * MINUTE_MS },
  ...{ application: 'nightly', quotedBy: 'test' },
});

test('of 300 locks at once from three processes a project gets as many as it may have', async () => {
  const config = await freshSchema(server);
  await using resources = new AsyncDisposableStack();
  const ledgers: Ledger[] = [];
  for (let n = 0; n < PROCESSES; n += 1) {
    ledgers.push(resources.use(await openPostgresLedger(config, RETRY)));
  }
  const { grants, quotes } = must(ledgers[0], 'a ledger');
  await grants.register(ETL);
  const outcomes = await Promise.allSettled(
    Array.from({ length: ASKED }, (_, n) =>
      must(ledgers[n % PROCESSES], 'a ledger').quotes.keep(quote(`q${n}`), ROOM),
    ),
  );
  const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
  assert.deepEqual(refused, Array(ASKED - ROOM).fill('OVERLOADED'));
  assert.equal((await quotes.live(ETL, T0)).length, ROOM);
});
