import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { checkPostgres } from '../../shared/stores/sql/check-postgres.ts';
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts';
import { freshSchema } from './support/postgres-schema.ts';
import { postgresqlSuites } from './support/postgresql-suites.ts';

let server: PostgresqlServer;

before(async () => {
  server = await startPostgresql({ version: '14' });
});
after(async () => server?.[Symbol.asyncDispose]());

test('the oldest version that is promised is accepted', async () => {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query('SHOW server_version');
  await client.end();
  assert.match(rows[0].server_version, /^14\./);
  await checkPostgres(await freshSchema(server));
});

postgresqlSuites('postgresql 14', () => server);
