import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../shared/errors/assert.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';
import type { LedgerReader } from '../../shared/stores/ledger-reader.ts';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import { aCharge, anApplication, aSettlement, ETL } from '../support/ledger-builders.ts';

interface OpenFenced {
  readonly ledger: AsyncDisposable & {
    readonly ledgerWriter: LedgerWriter;
    readonly ledgerReader: LedgerReader;
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
}
