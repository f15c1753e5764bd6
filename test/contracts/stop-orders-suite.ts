import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StopOrder, StopOrderStore } from '../../shared/stores/stop-orders.ts';
import { T0 } from '../support/fact-builders.ts';

interface OpenOrders extends AsyncDisposable {
  readonly stopOrders: StopOrderStore;
}

const order: StopOrder = {
  id: 's1',
  cluster: 'yarn-1',
  application: 'app-1',
  withinMs: 60_000,
  force: false,
  orderedBy: 'night shift',
  orderedAt: T0,
};

/** What every store of stop orders does, whatever it is stored in. */
export function stopOrdersSuite(engine: string, open: () => Promise<OpenOrders>): void {
  test(`${engine}: a stop is ordered once; other words under its id are a conflict`, async () => {
    await using store = await open();
    const stored = await store.stopOrders.order(order);
    const fresh = { state: 'ordered', clean: undefined, message: '', updatedAt: T0 };
    assert.deepEqual(stored, { ...order, ...fresh });
    assert.deepEqual(await store.stopOrders.order({ ...order, orderedAt: T0 + 9 }), stored);
    for (const other of [{ force: true }, { withinMs: 1 }, { application: 'app-2' }]) {
      await assert.rejects(store.stopOrders.order({ ...order, ...other }), { code: 'CONFLICT' });
    }
    assert.deepEqual(await store.stopOrders.open(T0), [stored]);
  });

  test(`${engine}: an order is open until its end is told, and that end stays`, async () => {
    await using store = await open();
    const { stopOrders } = store;
    await stopOrders.order(order);
    await stopOrders.order({ ...order, id: 's2', orderedAt: T0 + 1 });
    const stopping = { state: 'stopping', clean: undefined, message: '2 queries' } as const;
    await stopOrders.report('s1', stopping, T0 + 5);
    assert.equal((await stopOrders.open(T0))[0]?.message, '2 queries');
    await stopOrders.report('s1', { state: 'stopped', clean: true, message: 'ok' }, T0 + 9);
    await stopOrders.report('s1', stopping, T0 + 12);
    await stopOrders.report('unknown', stopping, T0 + 12);
    assert.deepEqual(
      (await stopOrders.open(T0)).map(({ id }) => id),
      ['s2'],
    );
    const found = await stopOrders.ofApplication('yarn-1', 'app-1');
    assert.deepEqual(
      found.map(({ id, state, clean, updatedAt }) => [id, state, clean, updatedAt]),
      [
        ['s2', 'ordered', undefined, T0 + 1],
        ['s1', 'stopped', true, T0 + 9],
      ],
    );
    assert.deepEqual(await stopOrders.ofApplication('yarn-2', 'app-1'), []);
  });

  test(`${engine}: an old order isn't handed on any more`, async () => {
    await using store = await open();
    await store.stopOrders.order(order);
    assert.deepEqual(await store.stopOrders.open(T0 + 1), []);
  });
}
