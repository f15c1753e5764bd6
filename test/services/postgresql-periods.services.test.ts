import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Charge } from '../../shared/contracts/charge.ts';
import { AppError } from '../../shared/errors/app-error.ts';
import { PERIOD_RULE_VERSION, periodReport } from '../../shared/rating/period-report.ts';
import type { Ledger } from '../../shared/stores/sql/open-ledger.ts';
import { openPostgresLedger } from '../../shared/stores/sql/open-postgres-ledger.ts';
import { canonicalJson } from '../../shared/values/canonical-json.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { monthOf } from '../../shared/values/month.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../support/ledger-builders.ts';
import { type PostgresqlServer, startPostgresql } from './servers/postgresql.ts';
import { freshSchema, RETRY } from './support/postgres-schema.ts';

const NOVEMBER = Date.UTC(2026, 10);
const AT = NOVEMBER + 72 * HOUR_MS;
const ROWS = 150;

let server: PostgresqlServer;

before(async () => {
  server = await startPostgresql();
});
after(async () => server?.[Symbol.asyncDispose]());

async function booked(ledger: Ledger, month: string): Promise<Charge[]> {
  const rows: Charge[] = [];
  for await (const page of ledger.periods.booked(ETL, month, 40)) rows.push(...page);
  return rows;
}

async function reportOf(ledger: Ledger): Promise<string> {
  const [closed] = await ledger.periods.closed();
  const question = { project: ETL, month: '2026-10', cutOff: AT * 2, closedAt: closed?.closedAt };
  const rows = await booked(ledger, '2026-10');
  return canonicalJson(periodReport(rows, { ...question, ruleVersion: PERIOD_RULE_VERSION }));
}

/** Settles rows of October, as a meter does: reads what is closed, and again when it was refused. */
async function writeOctober(ledger: Ledger, shard: number): Promise<number> {
  let refused = 0;
  for (let i = 0; i < ROWS; i += 1) {
    for (;;) {
      const closed = await ledger.ledgerWriter.closedUntil();
      const late = closed === undefined ? {} : { booked: monthOf(closed) };
      const hour = NOVEMBER - HOUR_MS;
      const charges = [aCharge({ hour, digest: `s${shard}-${i}`, amount: 1n, ...late })];
      try {
        await ledger.ledgerWriter.settle(
          aSettlement({ shard, asOf: AT, charges, applications: [anApplication()] }),
        );
        break;
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'CONFLICT') throw error;
        refused += 1;
      }
    }
  }
  return refused;
}

test('a month closed while meters settle gets no row any more, and none is lost', async (t) => {
  const config = await freshSchema(server);
  await using first = await openPostgresLedger(config, RETRY);
  await using second = await openPostgresLedger(config, RETRY);
  await using closer = await openPostgresLedger(config, RETRY);
  const shards = await first.ledgerWriter.shards();
  for (let shard = 0; shard < shards; shard += 1) {
    await first.ledgerWriter.settle(aSettlement({ shard, asOf: AT }));
  }
  const writing = Promise.all([writeOctober(first, 0), writeOctober(second, 1)]);
  while ((await booked(closer, '2026-10')).length < ROWS / 2) await closer.periods.closed();
  const order = { month: '2026-10', at: AT, by: 'finance' };
  // Two administrators at once: one closes, the other is told.
  const [closed, again] = await Promise.all([
    closer.periods.close(order),
    second.periods.close({ ...order, by: 'another' }),
  ]);
  assert.deepEqual(closed, again);
  const report = await reportOf(closer);
  const refused = await writing;
  assert.equal(await reportOf(closer), report);
  const [own, late] = [await booked(closer, '2026-10'), await booked(closer, '2026-11')];
  t.diagnostic(`${own.length} rows before the close, ${late.length} after, refused ${refused}`);
  assert.ok(own.length > 0 && late.length > 0);
  assert.equal(own.length + late.length, 2 * ROWS);
  assert.equal((await closer.ledgerReader.balance(ETL))?.charged, BigInt(2 * ROWS));
});
