import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery, Pending } from '../../shared/stores/outbox-store.ts';
import type { AlertStores } from '../../shared/stores/sql/open-alert-stores.ts';
import { aNotification } from '../support/alert-builders.ts';
import { T0 } from '../support/fact-builders.ts';

const idsOf = (pending: readonly Pending[]): string[] =>
  pending.map(({ notification }) => notification.id);

const delivered = (notification: string, destination: string, at = T0): Delivery => ({
  notification,
  destination,
  outcome: 'delivered',
  at,
  why: '',
});

const DONE = { deliveries: [], retryAt: undefined, error: '' };

/** What every outbox does, whatever it is stored in. */
export function outboxSuite(engine: string, open: () => Promise<AlertStores>): void {
  test(`${engine}: a message waits until it is finished, and comes back whole`, async () => {
    await using stores = await open();
    const { outbox } = stores;
    const message = aNotification('n1', { text: '\u0000\ud800 {{x}} <!channel>' });
    await outbox.enqueue([message]);
    await outbox.enqueue([aNotification('n1', { text: 'other words' })]);
    assert.deepEqual(await outbox.due(T0 - 1, 10), []);
    const [pending] = await outbox.due(T0, 10);
    assert.deepEqual(pending, {
      notification: message,
      attempts: 0,
      nextAt: T0,
      lastError: '',
      done: [],
    });
    await outbox.record('n1', { ...DONE, deliveries: [delivered('n1', '#ops')] });
    assert.deepEqual(await outbox.due(T0 + 1e9, 10), []);
    await outbox.enqueue([message]);
    assert.deepEqual(await outbox.due(T0 + 1e9, 10), [], 'an id is told once');
    assert.deepEqual(await outbox.deliveries('n1'), {
      finished: true,
      deliveries: [delivered('n1', '#ops')],
    });
    assert.equal(await outbox.deliveries('none'), undefined);
  });

  test(`${engine}: what some destinations have isn't finished, and is tried again in time`, async () => {
    await using stores = await open();
    const { outbox } = stores;
    await outbox.enqueue([aNotification('n1')]);
    const refused: Delivery = {
      ...delivered('n1', 'a@example.org', T0 + 2),
      outcome: 'refused',
      why: '550 no such\u0000 user',
    };
    const first = { deliveries: [delivered('n1', 'b@example.org', T0 + 3)], error: '451 later' };
    await outbox.record('n1', { ...first, retryAt: T0 + 60 });
    await outbox.record('n1', { deliveries: [refused], retryAt: T0 + 90, error: '451 later' });
    await outbox.record('n1', { deliveries: [], retryAt: T0 + 95, error: '' });
    await outbox.record('n1', {
      deliveries: [{ ...refused, outcome: 'delivered', why: '' }],
      retryAt: T0 + 99,
      error: 'x',
    });
    assert.deepEqual(await outbox.due(T0 + 98, 10), []);
    const [pending] = await outbox.due(T0 + 99, 10);
    assert.equal(pending?.attempts, 3, 'put off without an error is no attempt');
    assert.equal(pending?.lastError, 'x');
    assert.deepEqual(
      pending?.done.map(({ destination, outcome, why }) => [destination, outcome, why]),
      [
        ['a@example.org', 'refused', '550 no such\ufffd user'],
        ['b@example.org', 'delivered', ''],
      ],
      'the first word on a destination stands',
    );
    assert.equal((await outbox.deliveries('n1'))?.finished, false);
  });

  test(`${engine}: what is finished stays so, whatever a late sender says`, async () => {
    await using stores = await open();
    const { outbox } = stores;
    await outbox.enqueue([aNotification('n1')]);
    await outbox.record('n1', DONE);
    await outbox.record('n1', { deliveries: [], retryAt: T0 + 5, error: 'late' });
    assert.equal((await outbox.deliveries('n1'))?.finished, true);
    assert.deepEqual(await outbox.due(T0 + 9, 9), []);
  });

  test(`${engine}: a group keeps its order: what follows comes with what it waits for`, async () => {
    await using stores = await open();
    const { outbox } = stores;
    await outbox.enqueue([
      aNotification('g1-fire'),
      aNotification('g2-fire', { groupKey: 'g2' }),
      aNotification('g1-resolve', { at: T0 + 5 }),
      aNotification('other', { receiver: 'mail' }),
    ]);
    await outbox.record('g1-fire', { ...DONE, retryAt: T0 + 100, error: '429' });
    await outbox.record('other', { ...DONE, retryAt: T0 + 100, error: '429' });
    assert.deepEqual(idsOf(await outbox.due(T0 + 4, 10)), ['g2-fire']);
    assert.deepEqual(idsOf(await outbox.due(T0 + 5, 10)), ['g1-fire', 'g2-fire', 'g1-resolve']);
    const [first] = await outbox.due(T0 + 5, 10);
    assert.equal(first?.nextAt, T0 + 100, 'not due itself');
  });

  test(`${engine}: a receiver that is down takes no other's place`, async () => {
    await using stores = await open();
    const { outbox } = stores;
    const stuck = Array.from({ length: 250 }, (_one, i) =>
      aNotification(`s${i}`, { receiver: 'down', groupKey: `g${i}` }),
    );
    await outbox.enqueue([...stuck, aNotification('n1'), aNotification('n2')]);
    assert.deepEqual(idsOf(await outbox.due(T0, 2)), ['s0', 's1', 'n1', 'n2']);
  });

  test(`${engine}: a thread is a group's at a destination, and goes when it was silent`, async () => {
    await using stores = await open();
    const { outbox } = stores;
    const key = `${'x'.repeat(9_000)}\u0000`;
    await outbox.keepThread(key, '#ops', '1.1', T0);
    await outbox.keepThread(key, '#ops', '1.2', T0 + 5);
    await outbox.keepThread('g2', '#ops', '2.1', T0);
    assert.equal(await outbox.thread(key, '#ops'), '1.2');
    assert.equal(await outbox.thread(key, '#dev'), undefined);
    await outbox.forget(T0 + 5);
    assert.equal(await outbox.thread(key, '#ops'), '1.2');
    assert.equal(await outbox.thread('g2', '#ops'), undefined);
  });

  test(`${engine}: a pause never gets shorter, and is over at its end`, async () => {
    await using stores = await open();
    const { outbox } = stores;
    await outbox.pause('#ops', T0 + 60);
    await outbox.pause('#ops', T0 + 30);
    await outbox.pause('#dev', T0 + 10);
    assert.deepEqual([...(await outbox.pauses(T0 + 10))], [['#ops', T0 + 60]]);
    assert.equal((await outbox.pauses(T0 + 60)).size, 0);
  });

  test(`${engine}: its status tells how old the oldest is and who fails`, async () => {
    await using stores = await open();
    const { outbox } = stores;
    assert.deepEqual(await outbox.status(), { waiting: 0, oldestAt: undefined, failing: [] });
    await outbox.enqueue([
      aNotification('n1', { at: T0 + 1 }),
      aNotification('n2', { at: T0 + 2 }),
      aNotification('n3', { at: T0 + 3, receiver: 'mail' }),
      aNotification('n4', { at: T0 }),
    ]);
    await outbox.record('n1', { ...DONE, retryAt: T0 + 9, error: 'first' });
    await outbox.record('n2', { ...DONE, retryAt: T0 + 9, error: 'second' });
    await outbox.record('n4', DONE);
    assert.deepEqual(await outbox.status(), {
      waiting: 3,
      oldestAt: T0 + 1,
      failing: [{ receiver: 'ops', error: 'first' }],
    });
  });

  test(`${engine}: what is finished is forgotten, what waits never is`, async () => {
    await using stores = await open();
    const { outbox } = stores;
    await outbox.enqueue([
      aNotification('n1'),
      aNotification('n2'),
      aNotification('n3', { at: T0 + 9 }),
    ]);
    await outbox.record('n1', { ...DONE, deliveries: [delivered('n1', '#ops')] });
    await outbox.record('n3', DONE);
    assert.equal(await outbox.forget(T0 + 9), 1);
    assert.equal(await outbox.deliveries('n1'), undefined);
    assert.deepEqual(idsOf(await outbox.due(T0 + 9, 9)), ['n2']);
    assert.equal((await outbox.deliveries('n3'))?.finished, true);
  });
}
