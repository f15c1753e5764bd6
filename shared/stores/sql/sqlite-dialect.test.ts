import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Kysely, sql } from 'kysely';
import { sqliteDialect } from './sqlite-dialect.ts';

interface Tables {
  fruit: { id: number; size: bigint | number };
}

function openFruit(): { database: DatabaseSync; db: Kysely<Tables> } {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE fruit (id INTEGER PRIMARY KEY, size INTEGER NOT NULL) STRICT');
  return { database, db: new Kysely<Tables>({ dialect: sqliteDialect(database, 'fruit.db') }) };
}

test('integers above 2^53 go in and come out whole', async () => {
  const { db } = openFruit();
  await db.insertInto('fruit').values({ id: 1, size: 9_007_199_254_740_993n }).execute();
  const row = await db.selectFrom('fruit').selectAll().executeTakeFirst();
  assert.equal(row?.size, 9_007_199_254_740_993n);
  await db.destroy();
});

test('transactions that are started together run one after the other', async () => {
  const { db } = openFruit();
  await db.insertInto('fruit').values({ id: 1, size: 0 }).execute();
  const add = () =>
    db.transaction().execute(async (trx) => {
      const { size } = await trx.selectFrom('fruit').select('size').executeTakeFirstOrThrow();
      await Promise.resolve();
      await trx
        .updateTable('fruit')
        .set({ size: BigInt(size) + 1n })
        .execute();
    });
  await Promise.all(Array.from({ length: 20 }, add));
  assert.equal((await db.selectFrom('fruit').select('size').executeTakeFirst())?.size, 20n);
  await db.destroy();
});

test('a transaction that fails is undone alone, and the next one runs', async () => {
  const { db } = openFruit();
  const failing = db.transaction().execute(async (trx) => {
    await trx.insertInto('fruit').values({ id: 1, size: 1 }).execute();
    throw new Error('stop');
  });
  const working = db.transaction().execute(async (trx) => {
    await trx.insertInto('fruit').values({ id: 2, size: 2 }).execute();
  });
  await assert.rejects(failing, /stop/);
  await working;
  const rows = await db.selectFrom('fruit').select('id').execute();
  assert.deepEqual(
    rows.map(({ id }) => Number(id)),
    [2],
  );
  await db.destroy();
});

test('a transaction that waits for another connection leaves the thread to others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-dialect-'));
  const file = join(folder, 'fruit.db');
  const other = new DatabaseSync(file);
  other.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE fruit (id INTEGER PRIMARY KEY, size INTEGER)',
  );
  const database = new DatabaseSync(file, { timeout: 5_000 });
  const db = new Kysely<Tables>({ dialect: sqliteDialect(database, file) });
  other.exec('BEGIN IMMEDIATE; INSERT INTO fruit VALUES (1, 7)');
  let done = false;
  const waiting = db
    .transaction()
    .execute(async (trx) => (await trx.selectFrom('fruit').select('size').execute())[0]?.size)
    .finally(() => {
      done = true;
    });
  // Had it waited inside SQLite, nobody could commit before it gave up.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setTimeout(next, 1));
  assert.equal(done, false);
  other.exec('COMMIT');
  assert.equal(await waiting, 7n);
  assert.equal(database.prepare('PRAGMA busy_timeout').get()?.['timeout'], 5_000);
  await db.destroy();
  other.close();
  rmSync(folder, { recursive: true });
});

test('a disk without room is named as such, and the connection lives on', async () => {
  const { database, db } = openFruit();
  database.exec('PRAGMA max_page_count = 3');
  const rows = Array.from({ length: 2_000 }, (_, id) => ({ id, size: id }));
  const filling = db.transaction().execute((trx) => trx.insertInto('fruit').values(rows).execute());
  await assert.rejects(filling, { code: 'DISK_FULL' });
  await db.insertInto('fruit').values({ id: 1, size: 1 }).execute();
  await db.destroy();
});

test('more different statements than are kept prepared all run', async () => {
  const { db } = openFruit();
  for (let i = 0; i < 450; i += 1) {
    const { rows } = await sql<{ value: bigint }>`SELECT ${sql.raw(`${i}`)} AS value`.execute(db);
    assert.equal(rows[0]?.value, BigInt(i));
  }
  await db.destroy();
});
