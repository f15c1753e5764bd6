import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { containerFact, T0 } from '../../../test/support/fact-builders.ts';
import { journalBatch } from '../../../test/support/journal-batch.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../../../test/support/ledger-builders.ts';
import { openLedger } from './open-ledger.ts';

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
