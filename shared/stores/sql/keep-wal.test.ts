import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { temporaryFolder } from '../../../test/support/running-tollgate.ts';
import { keepLedgerWal } from './keep-wal.ts';
import { LEDGER_SCHEMA } from './ledger-schema.ts';
import { openSqlite } from './open-sqlite.ts';

const PAGES = 5_000;

/** Writes more than any commit of a usual connection would leave in the WAL. */
function writePages(file: string): void {
  using database = openSqlite({ file, schema: LEDGER_SCHEMA, walKept: true });
  const insert = database.prepare('INSERT INTO tag_set (body) VALUES (?)');
  database.exec('BEGIN');
  for (let i = 0; i < PAGES; i += 1) insert.run(`${i} ${'x'.repeat(4_000)}`);
  database.exec('COMMIT');
  assert.ok(statSync(file).size < PAGES * 1_000, 'its own commit has moved it');
}

test('whoever keeps the WAL moves into the file what commits of others leave there', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'ledger.db');
  const stop = new AbortController();
  const reader = openSqlite({ file, schema: LEDGER_SCHEMA });
  try {
    writePages(file);
    const before = statSync(file).size;
    const kept = keepLedgerWal(
      file,
      { clock: new FakeClock(0), logger: pino({ level: 'silent' }) },
      stop.signal,
    );
    stop.abort();
    await kept;
    assert.ok(statSync(file).size > before + PAGES * 3_500, `${before} → ${statSync(file).size}`);
  } finally {
    reader.close();
  }
});
