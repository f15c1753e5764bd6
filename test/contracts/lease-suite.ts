import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../shared/errors/assert.ts';
import type { LeaseStore } from '../../shared/stores/lease.ts';

interface OpenLeases {
  readonly store: LeaseStore;
  /** Lets the store's clock go on by at least so much. */
  pass(ms: number): Promise<void>;
}

const LONG_MS = 600_000;
const SHORT_MS = 20;

/** What every store of leases does, whatever it is stored in. */
export function leaseSuite(engine: string, open: () => Promise<OpenLeases>): void {
  test(`${engine}: one holder has a lease until its time is over`, async () => {
    const { store, pass } = await open();
    await using _ = store;
    const first = must(await store.acquire('meter/etl', 'a', SHORT_MS), 'lease');
    assert.deepEqual([first.name, first.holder, first.token], ['meter/etl', 'a', 1n]);
    const other = await store.acquire('meter/ml', 'b', LONG_MS);
    assert.equal(other?.token, 1n, 'another name is another lease');
    assert.equal(await store.acquire('meter/ml', 'a', LONG_MS), undefined);
    await pass(SHORT_MS);
    const next = must(await store.acquire('meter/etl', 'b', LONG_MS), 'lease');
    assert.deepEqual([next.holder, next.token], ['b', 2n]);
    assert.ok(next.until >= first.until);
    assert.equal(await store.acquire('meter/etl', 'a', LONG_MS), undefined);
  });

  test(`${engine}: a renewed lease ends later under the same token`, async () => {
    const { store, pass } = await open();
    await using _ = store;
    const lease = must(await store.acquire('x', 'a', SHORT_MS), 'lease');
    const renewed = must(await store.renew(lease, LONG_MS), 'lease');
    assert.equal(renewed.token, lease.token);
    assert.ok(renewed.until > lease.until);
    await pass(SHORT_MS);
    assert.equal(await store.acquire('x', 'b', LONG_MS), undefined);
    const again = await store.acquire('x', 'a', LONG_MS);
    assert.equal(again?.token, lease.token, 'who holds it and asks again has the same');
  });

  test(`${engine}: who lost a lease can neither renew nor release it`, async () => {
    const { store, pass } = await open();
    await using _ = store;
    const lost = must(await store.acquire('x', 'a', SHORT_MS), 'lease');
    await pass(SHORT_MS);
    const held = must(await store.acquire('x', 'b', LONG_MS), 'lease');
    assert.equal(await store.renew(lost, LONG_MS), undefined);
    await store.release(lost);
    assert.equal(await store.acquire('x', 'c', LONG_MS), undefined);
    assert.equal((await store.renew(held, LONG_MS))?.token, 2n);
  });

  test(`${engine}: the token rises with each holder, also of a lease that was released`, async () => {
    const { store, pass } = await open();
    await using _ = store;
    const first = must(await store.acquire('x', 'a', LONG_MS), 'lease');
    await store.release(first);
    assert.equal(await store.renew(first, LONG_MS), undefined, 'released is over');
    const second = must(await store.acquire('x', 'a', SHORT_MS), 'free at once');
    assert.equal(second.token, 2n);
    await pass(SHORT_MS);
    const third = await store.acquire('x', 'a', LONG_MS);
    assert.equal(third?.token, 3n, 'its own lease, once over, is a new one');
  });

  test(`${engine}: tells which leases of a family are held now`, async () => {
    const { store, pass } = await open();
    await using _ = store;
    for (const name of ['meter/2', 'meter/10', 'meter', 'meters/1', 'meter0']) {
      await store.acquire(name, 'a', LONG_MS);
    }
    await store.acquire('meter/3', 'b', SHORT_MS);
    const released = must(await store.acquire('meter/4', 'b', LONG_MS), 'lease');
    await store.release(released);
    await pass(SHORT_MS);
    const held = await store.held('meter');
    assert.deepEqual(
      held.map(({ name, holder, token }) => [name, holder, token]),
      [
        ['meter/10', 'a', 1n],
        ['meter/2', 'a', 1n],
      ],
    );
    assert.deepEqual(await store.held('nobody'), []);
  });

  test(`${engine}: of many who ask at once, one has the lease`, async () => {
    const { store } = await open();
    await using _ = store;
    const holders = Array.from({ length: 20 }, (_member, i) => `h${i}`);
    const asked = await Promise.all(holders.map((holder) => store.acquire('x', holder, LONG_MS)));
    assert.equal(asked.filter((lease) => lease !== undefined).length, 1);
  });
}
