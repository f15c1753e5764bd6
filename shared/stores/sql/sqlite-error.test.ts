import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { AppError } from '../../errors/app-error.ts';
import { sqliteError } from './sqlite-error.ts';

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return sqliteError(error, 'f.db');
  }
  return undefined;
}

function codeOf(error: unknown): string {
  assert.ok(error instanceof AppError, `${error}`);
  return error.code;
}

test('a file that may not grow is a full disk', () => {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE t (a TEXT) STRICT; PRAGMA max_page_count = 2');
  const error = caught(() => database.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(99_999)));
  assert.equal(codeOf(error), 'DISK_FULL');
  assert.match(String(error), /f\.db: no room/);
  database.close();
});

test('a lock held by another writer, a missing folder and garbage are an unavailable store', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'a.db');
  const holder = new DatabaseSync(file);
  holder.exec('CREATE TABLE t (a) ; BEGIN IMMEDIATE');
  const waiter = new DatabaseSync(file, { timeout: 0 });
  assert.equal(codeOf(caught(() => waiter.exec('BEGIN IMMEDIATE'))), 'STORE_UNAVAILABLE');
  waiter.close();
  holder.close();

  assert.equal(
    codeOf(caught(() => new DatabaseSync(join(folder, 'no', 'b.db')))),
    'STORE_UNAVAILABLE',
  );

  writeFileSync(
    join(folder, 'c.db'),
    'no database at all, and long enough to have a header'.repeat(40),
  );
  const garbage = new DatabaseSync(join(folder, 'c.db'));
  assert.match(String(caught(() => garbage.exec('SELECT * FROM sqlite_schema'))), /damaged/);
  garbage.close();
});

test('a bug in SQL and what is not of SQLite stay what they are', () => {
  const database = new DatabaseSync(':memory:');
  assert.ok(!(caught(() => database.exec('SELEKT')) instanceof AppError));
  const other = new TypeError('x');
  assert.equal(sqliteError(other), other);
  assert.equal(sqliteError('text'), 'text');
  database.close();
});

for (const [code, expected] of [
  [778, 'DISK_FULL'],
  [1034, 'DISK_FULL'],
  [266, 'STORE_UNAVAILABLE'],
  [261, 'STORE_UNAVAILABLE'],
  [1032, 'STORE_UNAVAILABLE'],
] as const) {
  test(`extended result code ${code} means ${expected}`, () => {
    const raw = Object.assign(new Error('disk I/O error'), { errcode: code });
    const error = sqliteError(raw, 'f.db');
    assert.equal(codeOf(error), expected);
    assert.equal((error as AppError).cause, raw);
  });
}
