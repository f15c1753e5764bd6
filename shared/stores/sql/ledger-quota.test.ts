import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { T0 } from '../../../test/support/fact-builders.ts';
import { aSettlement, ETL } from '../../../test/support/ledger-builders.ts';
import { type Ledger, openLedger } from './open-ledger.ts';

interface TwoConnections extends AsyncDisposable {
  readonly mine: Ledger;
  readonly other: Ledger;
}

async function twoConnections(): Promise<TwoConnections> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-quota-'));
  const file = join(folder, 'ledger.db');
  const mine = await openLedger({ file });
  const other = await openLedger({ file });
  return {
    ...{ mine, other },
    async [Symbol.asyncDispose]() {
      await mine[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const grant = (id: string) => ({ id, project: ETL, amount: 5n, reason: '', grantedAt: T0 });

function epoch(start: number, step: number) {
  const rest = { end: undefined, ruleVersion: 'v1', reason: '', inputs: '{}' };
  return { id: `e${start}`, pool: 'cpu', step, start, ...rest };
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test('what the same connection wrote is in the very next answer', async () => {
  await using stores = await twoConnections();
  const { grants, ledgerReader } = stores.mine;
  const granted = async () => (await ledgerReader.quota(ETL, 'cpu', T0))?.balance.granted;
  assert.equal(await granted(), undefined);
  for (let i = 1; i <= 5; i += 1) {
    await grants.grant(grant(`g${i}`));
    assert.equal(await granted(), BigInt(i) * 5n);
  }
  await assert.rejects(grants.grant({ ...grant('g1'), amount: 6n }));
  assert.equal(await granted(), 25n);
});

test('what another connection committed is in the answers of the next turn', async () => {
  await using stores = await twoConnections();
  const granted = async () => (await stores.mine.ledgerReader.quota(ETL, 'cpu', T0))?.balance;
  assert.equal(await granted(), undefined);
  await stores.other.grants.grant(grant('g1'));
  await nextTurn();
  assert.equal((await granted())?.granted, 5n);
  await stores.other.ledgerWriter.settle(aSettlement({ asOf: T0 + 9 }));
  await nextTurn();
  assert.equal((await granted())?.asOf, T0 + 9);
});

test('a price holds from its epoch to the next, whatever was asked before', async () => {
  await using stores = await twoConnections();
  const { grants, ledgerReader, priceWriter } = stores.mine;
  await grants.grant(grant('g1'));
  await priceWriter.announce(epoch(T0, 1_000), T0);
  await priceWriter.announce(epoch(T0 + 100, 1_150), T0);
  const stepAt = async (now: number) => (await ledgerReader.quota(ETL, 'cpu', now))?.step;
  const asked = [0, 99, 100, 101, 99, 0, -1, 1_000, 50].map((after) => T0 + after);
  const steps: unknown[] = [];
  for (const now of asked) steps.push(await stepAt(now));
  assert.deepEqual(steps, [1_000, 1_000, 1_150, 1_150, 1_000, 1_000, 1_000, 1_150, 1_000]);
  assert.equal((await ledgerReader.quota(ETL, 'gpu', T0 + 100))?.step, 1_000);
});
