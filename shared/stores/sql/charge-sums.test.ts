import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { aCharge, anApplication, aSettlement, ETL } from '../../../test/support/ledger-builders.ts';
import { HOUR_MS } from '../../values/instant.ts';
import { LEDGER_SCHEMA } from './ledger-schema.ts';
import { openLedger } from './open-ledger.ts';
import { openSqlite } from './open-sqlite.ts';

const NOVEMBER = Date.UTC(2026, 10, 1);

test('a ledger of before has the sums of the charges that it holds', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ledger.db');
  const grants = LEDGER_SCHEMA.migrations.findIndex((sql) => sql.includes('TABLE charge_sum'));
  const migrations = LEDGER_SCHEMA.migrations.slice(0, grants);
  {
    using before = openSqlite({ file, schema: { ...LEDGER_SCHEMA, migrations }, readOnly: false });
    before.exec(`INSERT INTO tag_set VALUES (1, '{}')`);
    const insert = before.prepare(`
      INSERT INTO charge (id, type, project, cluster, application, container, role, hour, step,
        container_ms, millicore_ms, mib_ms, gpu_ms, amount, rate_card, rule_version, coverage,
        tag_set, stored_at)
      VALUES (?, 'ORIGINAL', 'etl', 'c', 'a', 'x', 'executor', ?, 1000, 1, 1, 1, 0, ?, 'd', 'r',
        'exact', 1, 0)`);
    for (const [n, hour] of [NOVEMBER - HOUR_MS, NOVEMBER, NOVEMBER].entries()) {
      insert.run(`i${n}`, hour, 10n ** BigInt(n));
    }
  }
  await using ledger = await openLedger({ file });
  const { charges } = await ledger.grants.book(ETL);
  assert.deepEqual(charges, [
    { hour: NOVEMBER - HOUR_MS, amount: 1n },
    { hour: NOVEMBER, amount: 110n },
  ]);
  await ledger.grants.register(ETL);
  const levels = [{ key: 'team/a', monthlyLimit: undefined, borrowMax: 0n, projects: ['etl'] }];
  await ledger.levels.keep(levels, NOVEMBER);
  assert.equal((await ledger.levels.uses(['team/a'])).get('team/a')?.used, 110n);
});

test('a charge repeated, and a settlement repeated, is summed once', async () => {
  await using ledger = await openLedger({ file: ':memory:' });
  const charges = [aCharge({ amount: 2n ** 62n }), aCharge({ amount: 2n ** 62n, digest: 'd2' })];
  const settlement = aSettlement({ charges, applications: [anApplication()] });
  for (let n = 0; n < 3; n += 1) await ledger.ledgerWriter.settle(settlement);
  // Beyond a 64-bit integer.
  assert.deepEqual(
    (await ledger.grants.book(ETL)).charges.map(({ amount }) => amount),
    [2n ** 63n],
  );
});
