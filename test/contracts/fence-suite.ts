import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../shared/errors/assert.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import type { LedgerReader } from '../../shared/stores/ledger-reader.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import type { PriceWriter } from '../../shared/stores/price-book.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../support/ledger-builders.ts';

interface OpenFenced {
  readonly ledger: AsyncDisposable & {
    readonly ledgerWriter: LedgerWriter;
    readonly ledgerReader: LedgerReader;
    readonly priceWriter: PriceWriter;
  };
  /** In the same database. */
  readonly leases: LeaseStore;
}

const LONG_MS = 600_000;

/** What every ledger does with settlements under a lease. */
export function fenceSuite(engine: string, open: () => Promise<OpenFenced>): void {
  const settlement = aSettlement({
    charges: [aCharge()],
    applications: [anApplication()],
    cursor: 3,
  });

  test(`${engine}: a settlement under a lease that another has taken writes nothing`, async () => {
    const { ledger, leases } = await open();
    await using _ledger = ledger;
    await using _leases = leases;
    const old = must(await leases.acquire('meter', 'a', LONG_MS), 'lease');
    await leases.release(old);
    const held = must(await leases.acquire('meter', 'b', LONG_MS), 'lease');
    await assert.rejects(ledger.ledgerWriter.settle(settlement, old), { code: 'FENCED' });
    assert.equal(await ledger.ledgerWriter.cursor(0), 0);
    assert.deepEqual(await ledger.ledgerReader.projects(), []);
    await ledger.ledgerWriter.settle(settlement, held);
    assert.equal(await ledger.ledgerWriter.cursor(0), 3);
    assert.deepEqual(await ledger.ledgerReader.projects(), [ETL]);
  });

  test(`${engine}: a lease that nobody was ever given is no right to write`, async () => {
    const { ledger, leases } = await open();
    await using _ledger = ledger;
    await using _leases = leases;
    const invented = { name: 'meter', token: 1n };
    await assert.rejects(ledger.ledgerWriter.settle(settlement, invented), { code: 'FENCED' });
    assert.equal(await ledger.ledgerWriter.cursor(0), 0);
  });

  test(`${engine}: a price under a lease that another has taken is neither thought nor told`, async () => {
    const { ledger, leases } = await open();
    await using _ledger = ledger;
    await using _leases = leases;
    const { priceWriter } = ledger;
    const old = must(await leases.acquire('price/p', 'a', LONG_MS), 'lease');
    await leases.release(old);
    const held = must(await leases.acquire('price/p', 'b', LONG_MS), 'lease');
    const thought = { pool: 'p', at: 60, ruleVersion: 'v', inputs: '{}' };
    const words = { id: 'e1', pool: 'p', step: 1_050, start: 180, end: undefined };
    const epoch = { ...words, ruleVersion: 'v', reason: 'load', inputs: '{}' };
    const tooLate = priceWriter.conclude(thought, epoch, 60, old);
    await assert.rejects(tooLate, { code: 'FENCED' });
    assert.equal(await priceWriter.evaluation('p'), undefined);
    assert.deepEqual(await priceWriter.epochs('p', 0, 1_000), []);
    await priceWriter.conclude(thought, epoch, 60, held);
    assert.deepEqual(await priceWriter.epochs('p', 0, 1_000), [epoch]);
  });
}
