import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kysely } from 'kysely';
import type { ProjectId } from '../../values/project-id.ts';
import { LEDGER_SCHEMA, type LedgerTables } from './ledger-schema.ts';
import { openSqlite } from './open-sqlite.ts';
import { SqlSpendingReader } from './spending-reader.ts';
import { sqliteDialect } from './sqlite-dialect.ts';

/** How SQLite finds the charges of a question, whatever the ledger holds. */
async function plansOf(ask: (reader: SqlSpendingReader) => Promise<unknown>): Promise<string[]> {
  const file = ':memory:';
  const database = openSqlite({ file, schema: LEDGER_SCHEMA, readOnly: false });
  const asked: { sql: string; parameters: readonly unknown[] }[] = [];
  const db = new Kysely<LedgerTables>({
    dialect: sqliteDialect(database, file),
    log: ({ query }) => {
      asked.push(query);
    },
  });
  await ask(new SqlSpendingReader(db));
  const plans = asked.flatMap(({ sql, parameters }) =>
    database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(parameters as string[])),
  );
  database.close();
  return plans.map(({ detail }) => String(detail)).filter((detail) => / charge /.test(detail));
}

const PROJECT = 'etl' as ProjectId;
const WINDOW = { from: 0, until: 9_000_000_000_000 };

test('an application is found by its containers, however much its project was charged', async () => {
  const filter = { cluster: 'c', application: 'a' };
  for (const plans of [
    await plansOf((reader) => reader.spending(PROJECT, WINDOW, filter)),
    await plansOf((reader) => reader.hourlySpending(PROJECT, WINDOW, filter)),
  ]) {
    assert.match(
      plans.join('\n'),
      /^SEARCH charge USING INDEX charge_container \(cluster=\? AND container=\?/,
    );
  }
});

test('a project is found by its hours', async () => {
  const plans = await plansOf((reader) => reader.hourlySpending(PROJECT, WINDOW));
  assert.match(plans.join('\n'), /^SEARCH charge USING INDEX charge_project \(project=\? AND hour/);
});
