import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PriceFreeze, PriceFreezeStore } from '../../shared/stores/price-freezes.ts';
import { T0 } from '../support/fact-builders.ts';

interface OpenFreezes extends AsyncDisposable {
  readonly priceFreezes: PriceFreezeStore;
}

const freeze: PriceFreeze = {
  id: 'f1',
  pool: 'default',
  frozen: true,
  reason: 'migration',
  orderedBy: 'alice',
  orderedAt: T0,
};

/** What every store of switches does, whatever it is stored in. */
export function priceFreezesSuite(engine: string, open: () => Promise<OpenFreezes>): void {
  test(`${engine}: a switch is kept once, and other words under its id are refused`, async () => {
    await using store = await open();
    const { priceFreezes } = store;
    assert.deepEqual(await priceFreezes.order(freeze), freeze);
    assert.deepEqual(await priceFreezes.order({ ...freeze, orderedAt: T0 + 9 }), freeze);
    for (const other of [{ pool: 'gpu' }, { frozen: false }, { reason: 'other' }]) {
      await assert.rejects(priceFreezes.order({ ...freeze, ...other }), { code: 'CONFLICT' });
    }
    assert.deepEqual(await priceFreezes.ofPool('default', 9), [freeze]);
  });

  test(`${engine}: a pool's switches come newest first, and no other pool's`, async () => {
    await using store = await open();
    const { priceFreezes } = store;
    const off = { ...freeze, id: 'f2', frozen: false, reason: 'done', orderedAt: T0 + 5 };
    await priceFreezes.order(off);
    await priceFreezes.order(freeze);
    await priceFreezes.order({ ...freeze, id: 'f3', pool: 'gpu', orderedAt: T0 + 9 });
    assert.deepEqual(await priceFreezes.ofPool('default', 9), [off, freeze]);
    assert.deepEqual(await priceFreezes.ofPool('default', 1), [off]);
    assert.deepEqual(await priceFreezes.ofPool('none', 1), []);
  });

  test(`${engine}: a reason may hold any text, but NUL`, async () => {
    await using store = await open();
    const odd = { ...freeze, reason: "a\0b \ud800 'ü' \n" };
    const stored = await store.priceFreezes.order(odd);
    assert.equal(stored.reason, "ab \ufffd 'ü' \n");
    assert.deepEqual(await store.priceFreezes.order(odd), stored);
  });
}
