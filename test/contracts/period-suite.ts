import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Charge } from '../../shared/contracts/charge.ts';
import type { JournalWriter } from '../../shared/stores/journal.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import type { PeriodStore } from '../../shared/stores/period-store.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { containerFact } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  ML,
} from '../support/ledger-builders.ts';

interface OpenBooks extends AsyncDisposable {
  readonly journalWriter: JournalWriter;
  readonly ledgerWriter: LedgerWriter;
  readonly periods: PeriodStore;
}

const NOVEMBER = Date.UTC(2026, 10);
const DECEMBER = Date.UTC(2026, 11);
const AT = NOVEMBER + 72 * HOUR_MS;
const close = { month: '2026-10', at: AT, by: 'finance' };
const OCTOBER_LAST = { hour: NOVEMBER - HOUR_MS };

/** Settles the first shard's rows, and all shards as far. */
async function settle(
  { ledgerWriter }: OpenBooks,
  parts: Parameters<typeof aSettlement>[0],
): Promise<void> {
  const shards = await ledgerWriter.shards();
  for (let shard = 0; shard < shards; shard += 1) {
    const own = shard === 0 ? { applications: [anApplication()] } : { charges: [], containers: [] };
    await ledgerWriter.settle(aSettlement({ asOf: AT, ...parts, ...own, shard }));
  }
}

async function booked({ periods }: OpenBooks, month: string, pageSize = 2): Promise<Charge[]> {
  const rows: Charge[] = [];
  for await (const page of periods.booked(ETL, month, pageSize)) {
    assert.ok(page.length > 0 && page.length <= pageSize);
    rows.push(...page);
  }
  return rows;
}

/** What every store of the books does, whatever it is stored in. */
export function periodSuite(engine: string, open: () => Promise<OpenBooks>): void {
  test(`${engine}: a month is closed once, with those before it, and tells who did it`, async () => {
    await using books = await open();
    assert.deepEqual(await books.periods.closed(), []);
    assert.equal(await books.ledgerWriter.closedUntil(), undefined);
    await settle(books, {});
    const closed = { month: '2026-10', closedAt: AT, closedBy: 'finance' };
    assert.deepEqual(await books.periods.close(close), closed);
    const again = { ...close, at: AT + 9, by: 'another' };
    assert.deepEqual(await books.periods.close(again), closed);
    assert.deepEqual(await books.periods.close({ ...again, month: '2026-08' }), closed);
    assert.deepEqual(await books.periods.closed(), [closed]);
    assert.equal(await books.ledgerWriter.closedUntil(), NOVEMBER);
  });

  test(`${engine}: a month isn't closed while something up to its end isn't settled`, async () => {
    await using books = await open();
    await settle(books, { asOf: NOVEMBER - 1 });
    const refused = (message: RegExp) =>
      assert.rejects(books.periods.close(close), { code: 'CONFLICT', message });
    await refused(/settled up to 2026-10-31T23:59:59.999Z only/);
    const fact = containerFact('container-started', NOVEMBER - 1);
    const next = containerFact('container-started', NOVEMBER, { container: 'c2' });
    await books.journalWriter.record(journalBatch({ facts: [fact, next] }), AT);
    await settle(books, {});
    await refused(/fact event-log\/c1\/container-started/);
    const running = aContainer({ start: NOVEMBER - 9, chargedUntil: NOVEMBER - HOUR_MS });
    await settle(books, { cursor: 1, containers: [running] });
    await refused(/container c1 of yarn-1 is not charged up to its end/);
    await settle(books, { cursor: 1, containers: [{ ...running, chargedUntil: NOVEMBER }] });
    assert.equal((await books.periods.close(close)).month, '2026-10');
    assert.equal((await books.periods.closed()).length, 1);
  });

  test(`${engine}: no row gets into the books of a closed month; a repeat is a no-op`, async () => {
    await using books = await open();
    const before = aCharge({ ...OCTOBER_LAST, digest: 'd0' });
    await settle(books, { charges: [before] });
    await books.periods.close(close);
    await settle(books, { charges: [before] });
    for (const late of [{}, { booked: '2026-10' }, { booked: '2026-09' }]) {
      const charges = [aCharge({ ...OCTOBER_LAST, ...late })];
      await assert.rejects(settle(books, { charges }), {
        code: 'CONFLICT',
        message: /which is closed/,
      });
    }
    assert.equal((await booked(books, '2026-10')).length, 1);
    await settle(books, { charges: [aCharge({ ...OCTOBER_LAST, booked: '2026-11' })] });
    assert.equal((await booked(books, '2026-10')).length, 1);
    assert.equal((await booked(books, '2026-11')).length, 1);
  });

  test(`${engine}: a month's books hold its own rows and late ones, page by page`, async () => {
    await using books = await open();
    const own = [0, 1, 2, 3, 4].map((i) =>
      aCharge({ hour: NOVEMBER + (i >> 1) * HOUR_MS, digest: `d${i}` }),
    );
    const minimum = { kind: 'minimum', step: 1_000 } as const;
    const late = [
      aCharge({ ...OCTOBER_LAST, digest: 'd8', booked: '2026-11' }),
      aCharge({ ...OCTOBER_LAST, digest: 'd9', booked: '2026-11', ...minimum }),
    ];
    const others = [
      aCharge({ hour: DECEMBER, digest: 'd7' }),
      aCharge({ hour: NOVEMBER, digest: 'd6', project: ML }),
      aCharge({ hour: NOVEMBER + HOUR_MS, digest: 'd5', booked: '2026-12' }),
      aCharge({ ...OCTOBER_LAST, digest: 'd4' }),
    ];
    await settle(books, { charges: [...own, ...late, ...others] });
    const floor = (charge: Charge) => ({ ...charge, storedAt: charge.storedAt });
    for (const pageSize of [1, 2, 5, 7, 100]) {
      assert.deepEqual(await booked(books, '2026-11', pageSize), [...own, ...late].map(floor));
    }
    assert.deepEqual(
      (await booked(books, '2026-12')).map(({ booked: month }) => month),
      [undefined, '2026-12'],
    );
  });

  test(`${engine}: what comes later is stored later than what is known`, async () => {
    await using books = await open();
    await settle(books, { asOf: AT });
    assert.equal(await books.periods.knownUntil(), AT);
    // By the clock of a meter that is behind.
    await settle(books, { charges: [aCharge({ storedAt: AT - 60_000, hour: NOVEMBER })] });
    assert.deepEqual(
      (await booked(books, '2026-11')).map(({ storedAt }) => storedAt),
      [AT],
    );
    const closed = await books.periods.close({ ...close, at: AT - 5 });
    assert.equal(closed.closedAt, AT, 'by the clock that is ahead');
  });
}
