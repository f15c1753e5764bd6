import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openSqlite, type SqliteSchema } from './open-sqlite.ts';

const FIRST: SqliteSchema = {
  name: 'fruit',
  applicationId: 77,
  migrations: ['CREATE TABLE apple (id INTEGER PRIMARY KEY) STRICT'],
};
const SECOND: SqliteSchema = {
  ...FIRST,
  migrations: [...FIRST.migrations, 'ALTER TABLE apple ADD COLUMN size INTEGER'],
};

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a file opens with the settings that an acknowledgement relies on', (t) => {
  const database = openSqlite({ file: join(folderOf(t), 'a.db'), schema: FIRST });
  assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' });
  assert.deepEqual({ ...database.prepare('PRAGMA synchronous').get() }, { synchronous: 2 });
  assert.deepEqual({ ...database.prepare('PRAGMA busy_timeout').get() }, { timeout: 5_000 });
  assert.equal(database.prepare('PRAGMA wal_autocheckpoint').get()?.['wal_autocheckpoint'], 4_000);
  database.close();
});

test('an older file is brought to the present form and keeps its rows; each step runs once', (t) => {
  const file = join(folderOf(t), 'a.db');
  const old = openSqlite({ file, schema: FIRST });
  old.exec('INSERT INTO apple VALUES (1)');
  old.close();
  for (let round = 0; round < 2; round += 1) {
    const database = openSqlite({ file, schema: SECOND });
    assert.deepEqual({ ...database.prepare('SELECT * FROM apple').get() }, { id: 1, size: null });
    database.close();
  }
});

test('a step that fails leaves the file as it was', (t) => {
  const file = join(folderOf(t), 'a.db');
  openSqlite({ file, schema: FIRST }).close();
  const broken = { ...FIRST, migrations: [...SECOND.migrations, 'CREATE TABLE apple (x)'] };
  assert.throws(() => openSqlite({ file, schema: broken }), /already exists/);
  const database = openSqlite({ file, schema: FIRST });
  assert.deepEqual(database.prepare('PRAGMA user_version').get()?.['user_version'], 1);
  database.close();
});

test('a file of another kind, a newer one and a missing one are refused with what to do', (t) => {
  const folder = folderOf(t);
  const file = join(folder, 'a.db');
  openSqlite({ file, schema: SECOND }).close();
  assert.throws(() => openSqlite({ file, schema: FIRST }), /newer Tollgate.*upgrade/);
  const other = { ...FIRST, name: 'log', applicationId: 78 };
  assert.throws(() => openSqlite({ file, schema: other }), /not a log file/);
  const missing = join(folder, 'b.db');
  assert.throws(() => openSqlite({ file: missing, schema: FIRST, readOnly: true }), {
    code: 'STORE_UNAVAILABLE',
  });
});

test('a reader sees what the writer committed and cannot write', (t) => {
  const file = join(folderOf(t), 'a.db');
  const writer = openSqlite({ file, schema: FIRST });
  const reader = openSqlite({ file, schema: FIRST, readOnly: true });
  writer.exec('INSERT INTO apple VALUES (7)');
  assert.equal(reader.prepare('SELECT id FROM apple').get()?.['id'], 7);
  assert.throws(() => reader.exec('INSERT INTO apple VALUES (8)'), /readonly/);
  assert.throws(() => openSqlite({ file, schema: SECOND, readOnly: true }), /start the service/);
  reader.close();
  writer.close();
});

test('a new file that another thread is just making is waited for, not an error', async (t) => {
  const file = join(folderOf(t), 'a.db');
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { DatabaseSync } = require('node:sqlite');
    const database = new DatabaseSync(workerData.file);
    database.exec('BEGIN IMMEDIATE');
    parentPort.postMessage('held');
    // Long enough to be in the way; what comes sooner or later only makes the test easier.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    database.exec('COMMIT');
    database.close();`;
  const worker = new Worker(script, { eval: true, workerData: { file } });
  const ended = once(worker, 'exit');
  await once(worker, 'message');
  const database = openSqlite({ file, schema: FIRST });
  assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' });
  database.close();
  await ended;
});

test('a file that has no tables yet is told apart from one that is too old or damaged', (t) => {
  const folder = folderOf(t);
  const read = (file: string) => () => openSqlite({ file, schema: SECOND, readOnly: true });
  const empty = join(folder, 'empty.db');
  writeFileSync(empty, '');
  assert.throws(read(empty), { code: 'STORE_UNAVAILABLE', details: { version: 0 } });
  const old = join(folder, 'old.db');
  openSqlite({ file: old, schema: FIRST }).close();
  assert.throws(read(old), { code: 'STORE_UNAVAILABLE', details: { version: 1 } });
});
