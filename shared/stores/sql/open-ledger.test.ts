import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { containerFact, T0 } from '../../../test/support/fact-builders.ts';
import { journalBatch } from '../../../test/support/journal-batch.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../../../test/support/ledger-builders.ts';
import { LEDGER_SCHEMA } from './ledger-schema.ts';
import { openLedger } from './open-ledger.ts';
import { openSqlite } from './open-sqlite.ts';

function fileOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'ledger.db');
}

test('what was written is there after opening again', async (t) => {
  const file = fileOf(t);
  {
    await using ledger = await openLedger({ file });
    const facts = [containerFact('container-started', T0)];
    await ledger.journalWriter.record(journalBatch({ facts }), T0);
    await ledger.ledgerWriter.settle(
      aSettlement({ charges: [aCharge()], applications: [anApplication()], cursor: 1 }),
    );
  }
  await using again = await openLedger({ file });
  assert.equal(await again.ledgerWriter.cursor(0), 1);
  assert.equal((await again.journalReader.factsAfter(0, 9)).length, 1);
  assert.equal((await again.ledgerReader.balance(ETL))?.charged, aCharge().amount);
});

test('rows of a ledger made before months were closed are usage, in the month of their hour', async (t) => {
  const file = fileOf(t);
  const before = { ...LEDGER_SCHEMA, migrations: LEDGER_SCHEMA.migrations.slice(0, 4) };
  const old = openSqlite({ file, schema: before });
  old.exec(`INSERT INTO tag_set VALUES (1, '{}');
    INSERT INTO charge VALUES ('0bxyz.d1.1000.000', 'ORIGINAL', 'etl', 'yarn-1', 'app-1', 'c1',
      'executor', ${T0}, 1000, 1, 2, 3, 0, 5, 'default', 'rating-1', 'exact', 1, ${T0})`);
  old.close();
  await using ledger = await openLedger({ file });
  const window = { from: T0, until: T0 + 1 };
  const [row] = await ledger.ledgerReader.charges(ETL, window, { limit: 9 });
  assert.deepEqual([row?.id, row?.kind, row?.booked], ['0bxyz.d1.1000.000', 'usage', undefined]);
  for await (const page of ledger.periods.booked(ETL, '2026-11', 9)) assert.deepEqual(page, [row]);
  const refs = [{ cluster: 'yarn-1', container: 'c1' }];
  const [net] = (await ledger.ledgerWriter.inForce(refs, T0)).values();
  assert.deepEqual(net, [{ charge: row, revision: 1 }]);
});

test('a reader beside the writer sees each settlement whole, and cannot write', async (t) => {
  const file = fileOf(t);
  await using writer = await openLedger({ file });
  await using reader = await openLedger({ file, readOnly: true });
  assert.equal(await reader.ledgerReader.quota(ETL, 'default', T0), undefined);
  await writer.ledgerWriter.settle(
    aSettlement({ charges: [aCharge({ amount: 5n })], applications: [anApplication()] }),
  );
  const quota = await reader.ledgerReader.quota(ETL, 'default', T0);
  assert.equal(quota?.balance.charged, 5n);
  assert.equal((await reader.ledgerReader.application(ETL, 'yarn-1', 'app-1'))?.charged, 5n);
  await assert.rejects(reader.grants.register(ETL), { code: 'STORE_UNAVAILABLE' });
});

test('a reader without a file is told to start the writer', async (t) => {
  await assert.rejects(openLedger({ file: fileOf(t), readOnly: true }), {
    code: 'STORE_UNAVAILABLE',
  });
});

test('closing a port leaves the others open; closing the ledger twice is no error', async (t) => {
  const ledger = await openLedger({ file: fileOf(t) });
  await ledger.ledgerReader[Symbol.asyncDispose]();
  await ledger.journalWriter[Symbol.asyncDispose]();
  assert.deepEqual(await ledger.ledgerReader.projects(), []);
  await ledger[Symbol.asyncDispose]();
  await ledger[Symbol.asyncDispose]();
});
