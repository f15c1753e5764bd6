import assert from 'node:assert/strict';
import test from 'node:test';
import { HeldLease } from '../../../shared/stores/held-lease.ts';
import { openSqliteLeaseStore } from '../../../shared/stores/sql/lease-store.ts';
import { openSqliteAlertStores } from '../../../shared/stores/sql/open-alert-stores.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import {
  aNotification,
  anAlert,
  aResolvedNotification,
  FIRED_AT,
} from '../../../test/support/notification-builders.ts';
import { aReceiver, later, ScriptedSender } from '../../../test/support/scripted-sender.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Receiver } from './senders/sender.ts';

const HOUR = 3_600_000;
const { signal } = new AbortController();

async function aDispatch(receivers: readonly Receiver[], over: { lease?: HeldLease } = {}) {
  const clock = new FakeClock(FIRED_AT);
  const { outbox } = await openSqliteAlertStores({ file: ':memory:', clock });
  const metrics = new Metrics();
  const start = (): Dispatcher =>
    new Dispatcher({
      outbox,
      receivers: new Map(receivers.map((one) => [one.name, one])),
      clock,
      random: () => 1,
      lease: over.lease,
      pollMs: 500,
      metrics,
      logger: silentLogger,
    });
  /** The message as it waits; undefined when it is finished. */
  const waiting = async (id: string) =>
    (await outbox.due(FIRED_AT + 1e12, 1_000)).find(({ notification }) => notification.id === id);
  return { clock, outbox, metrics, start, waiting };
}

/** Messages of groups of their own. */
function messages(count: number) {
  return Array.from({ length: count }, (_, i) =>
    aNotification({ id: `m${i}`, groupKey: `g${i}`, at: FIRED_AT + i }),
  );
}

test('a message reaches each destination of its receiver once, and is finished', async () => {
  const [a, b] = [new ScriptedSender('slack:#a'), new ScriptedSender('mail:b@x.org')];
  const { outbox, start, clock, metrics } = await aDispatch([aReceiver([a, b])]);
  await outbox.enqueue([aNotification()]);
  const dispatcher = start();
  await dispatcher.pass(signal);
  await clock.advance(HOUR);
  await dispatcher.pass(signal);
  assert.deepEqual([a.sent, b.sent], [[['n-1']], [['n-1']]]);
  const kept = await outbox.deliveries('n-1');
  assert.equal(kept?.finished, true);
  assert.deepEqual(
    kept?.deliveries.map(({ destination, outcome }) => [destination, outcome]),
    [
      ['mail:b@x.org', 'delivered'],
      ['slack:#a', 'delivered'],
    ],
  );
  assert.equal(metrics.values('tollgate_outbox_waiting').get(''), 0);
});

test('a destination that is down is tried again, and holds up no other', async () => {
  const [down, up] = [new ScriptedSender('down'), new ScriptedSender('up')];
  down.answer = (_, count) => (count < 3 ? later() : { outcome: 'delivered' });
  const { outbox, start, clock, waiting } = await aDispatch([aReceiver([down, up])]);
  await outbox.enqueue([aNotification()]);
  const dispatcher = start();
  await dispatcher.pass(signal);
  assert.deepEqual([down.sent.length, up.sent.length], [1, 1]);
  await dispatcher.pass(signal);
  assert.equal(down.sent.length, 1, 'not before its time');
  assert.equal((await waiting('n-1'))?.lastError, 'down: answers 503');
  await clock.advance(2_000);
  await dispatcher.pass(signal);
  await clock.advance(4_000);
  await dispatcher.pass(signal);
  assert.deepEqual([down.sent.length, up.sent.length], [3, 1]);
  assert.equal((await outbox.deliveries('n-1'))?.finished, true);
});

test('one address that is refused stops no other, and is told of', async () => {
  const [unknown, known] = [new ScriptedSender('mail:x'), new ScriptedSender('mail:y')];
  unknown.answer = () => ({ outcome: 'refused', why: '550 no such user' });
  const { outbox, start, metrics } = await aDispatch([aReceiver([unknown, known])]);
  await outbox.enqueue([aNotification()]);
  await start().pass(signal);
  const kept = await outbox.deliveries('n-1');
  assert.equal(kept?.finished, true);
  assert.deepEqual(kept?.deliveries.map(({ outcome, why }) => [outcome, why]).sort(), [
    ['delivered', ''],
    ['refused', '550 no such user'],
  ]);
  const counts = metrics.values('tollgate_notification_attempts_total');
  assert.equal(counts.get('{kind="webhook",outcome="refused"}'), 1);
});

test('Retry-After is honoured for all messages of the destination, after a restart too', async () => {
  const slack = new ScriptedSender('slack:#a');
  slack.answer = (_, count) =>
    count === 1 ? later('answers 429', 30_000) : { outcome: 'delivered' };
  const { outbox, start, clock } = await aDispatch([aReceiver([slack])]);
  await outbox.enqueue(messages(3));
  await clock.advance(10);
  await start().pass(signal);
  assert.equal(slack.sent.length, 1);
  await clock.advance(29_000);
  await outbox.enqueue([aNotification({ id: 'new', groupKey: 'new', at: clock.now() })]);
  await start().pass(signal);
  assert.equal(slack.sent.length, 1, 'a new process keeps the promise of the old one');
  await clock.advance(1_100);
  await start().pass(signal);
  assert.equal(slack.taken.length, 4);
});

test('within a group nothing overtakes: an end never arrives before its fire', async () => {
  const [hook, other] = [new ScriptedSender('hook'), new ScriptedSender('other')];
  hook.answer = ([{ id }], count) =>
    id === 'n-1' && count < 3 ? later('times out') : { outcome: 'delivered' };
  const { outbox, start, clock } = await aDispatch([aReceiver([hook, other])]);
  await outbox.enqueue([aNotification()]);
  const dispatcher = start();
  await dispatcher.pass(signal);
  await outbox.enqueue([aResolvedNotification({ at: FIRED_AT + 500 })]);
  await clock.advance(600);
  await dispatcher.pass(signal);
  assert.deepEqual(other.taken, [['n-1'], ['n-2']], 'the end waits for no other destination');
  assert.deepEqual(hook.taken, []);
  for (let i = 0; i < 4; i += 1) {
    await clock.advance(60_000);
    await dispatcher.pass(signal);
  }
  assert.deepEqual(hook.taken, [['n-1'], ['n-2']]);
});

test('a message that always fails holds up its group alone', async () => {
  const hook = new ScriptedSender('hook');
  hook.answer = ([{ id }]) => (id === 'm0' ? later('answers 500') : { outcome: 'delivered' });
  const { outbox, start, clock } = await aDispatch([aReceiver([hook])]);
  await outbox.enqueue(messages(20));
  const dispatcher = start();
  for (let i = 0; i < 40; i += 1) {
    await clock.advance(30_000);
    await dispatcher.pass(signal);
  }
  assert.equal(new Set(hook.taken.flat()).size, 19);
  assert.equal((await outbox.status()).waiting, 1);
});

test('a message is given up when it is too old and its destination fails, and never untried', async () => {
  const hook = new ScriptedSender('hook');
  hook.answer = () => later('connect ECONNREFUSED');
  const { outbox, start, clock } = await aDispatch([aReceiver([hook], { giveUpAfterMs: HOUR })]);
  await outbox.enqueue(messages(2));
  const dispatcher = start();
  for (let i = 0; i < 5; i += 1) {
    await clock.advance(11 * 60_000);
    await dispatcher.pass(signal);
  }
  assert.equal((await outbox.status()).waiting, 2, 'not before the hour is over');
  await clock.advance(11 * 60_000);
  await dispatcher.pass(signal);
  for (const id of ['m0', 'm1']) {
    const kept = await outbox.deliveries(id);
    assert.deepEqual(
      kept?.deliveries.map(({ outcome, why }) => [outcome, why]),
      [['given-up', 'connect ECONNREFUSED']],
    );
  }
  const late = aNotification({ id: 'late', groupKey: 'late', at: FIRED_AT });
  await clock.advance(HOUR);
  hook.answer = () => ({ outcome: 'delivered' });
  await outbox.enqueue([late]);
  await start().pass(signal);
  assert.equal((await outbox.deliveries('late'))?.deliveries[0]?.outcome, 'delivered');
});

test('a digest holds mail back to the end of its window; a critical alert goes at once', async () => {
  const mail = new ScriptedSender('mail:x');
  const { outbox, start, clock, waiting } = await aDispatch([
    aReceiver([mail], { digestMs: HOUR }),
  ]);
  const warn = { alert: anAlert({ severity: 'warning' }), consequences: [] };
  const warning = (id: string, at: number) =>
    aNotification({ id, groupKey: id, firing: [warn], at });
  const dispatcher = start();
  await outbox.enqueue([warning('w1', FIRED_AT + 60_000)]);
  await clock.advance(60_000);
  await dispatcher.pass(signal);
  await outbox.enqueue([warning('w2', FIRED_AT + 40 * 60_000)]);
  await clock.advance(58 * 60_000);
  await dispatcher.pass(signal);
  assert.deepEqual(mail.sent, []);
  assert.equal((await waiting('w1'))?.attempts, 0, 'a wait is no failure');
  await clock.advance(60_000);
  await dispatcher.pass(signal);
  assert.deepEqual(mail.sent, [['w1', 'w2']]);
  await outbox.enqueue([
    warning('w3', clock.now()),
    aNotification({ id: 'c1', groupKey: 'c', at: clock.now() }),
  ]);
  await dispatcher.pass(signal);
  assert.deepEqual(mail.sent.slice(1), [['w3', 'c1']]);
});

test('messages of a receiver that is not configured wait, and are told of', async () => {
  const { outbox, start, clock, waiting } = await aDispatch([]);
  await outbox.enqueue([aNotification({ receiver: 'renamed' })]);
  await start().pass(signal);
  const waits = await waiting('n-1');
  assert.match(waits?.lastError ?? '', /no receiver is called "renamed"/);
  await clock.advance(25 * HOUR);
  await start().pass(signal);
  const kept = await outbox.deliveries('n-1');
  assert.equal(kept?.finished, true);
  assert.deepEqual(
    kept?.deliveries.map(({ outcome }) => outcome),
    ['given-up'],
  );
});

test('a receiver that wants no ends is told of fires only; one without senders of nothing', async () => {
  const hook = new ScriptedSender('hook');
  const { outbox, start, clock } = await aDispatch([
    aReceiver([hook], { sendResolved: false }),
    aReceiver([], { name: 'nobody' }),
  ]);
  await clock.advance(HOUR);
  await outbox.enqueue([
    aNotification(),
    aResolvedNotification(),
    aNotification({ id: 'n-9', receiver: 'nobody' }),
  ]);
  await start().pass(signal);
  assert.deepEqual(hook.sent, [['n-1']]);
  assert.equal((await outbox.status()).waiting, 0);
});

test('one message a second goes to a channel, and another receiver does not wait for it', async () => {
  const slow = new ScriptedSender('slack:#a', { perSecond: 1, burst: 1 });
  const fast = new ScriptedSender('hook');
  const hangs = new ScriptedSender('hangs');
  hangs.answer = () => new Promise(() => undefined);
  const { outbox, start, clock } = await aDispatch([
    aReceiver([slow]),
    aReceiver([fast], { name: 'fast' }),
    aReceiver([hangs], { name: 'hangs' }),
  ]);
  const times: number[] = [];
  slow.answer = () => {
    times.push(clock.now());
    return { outcome: 'delivered' };
  };
  await outbox.enqueue(messages(8));
  await outbox.enqueue([
    aNotification({ id: 'h', receiver: 'hangs' }),
    aNotification({ id: 'f', receiver: 'fast' }),
  ]);
  const stop = new AbortController();
  const running = start().run(stop.signal);
  await clock.advance(600);
  assert.equal(fast.sent.length, 1);
  await clock.advance(10_000);
  assert.equal(times.length, 8);
  for (let i = 1; i < times.length; i += 1) {
    assert.ok((times[i] ?? 0) - (times[i - 1] ?? 0) >= 1_000, `message ${i} came too early`);
  }
  stop.abort();
  await running;
});

test('what is enqueued goes out at once when the dispatcher is woken', async () => {
  const hook = new ScriptedSender('hook');
  const { outbox, start, clock } = await aDispatch([aReceiver([hook])]);
  const stop = new AbortController();
  const dispatcher = start();
  const running = dispatcher.run(stop.signal);
  await clock.advance(10);
  await outbox.enqueue([aNotification()]);
  dispatcher.wake();
  await clock.advance(1);
  assert.deepEqual(hook.sent, [['n-1']]);
  stop.abort();
  await running;
});

test('of two dispatchers the one with the lease sends, and the other takes over', async () => {
  const hook = new ScriptedSender('hook');
  const leaseClock = new FakeClock(FIRED_AT);
  await using store = await openSqliteLeaseStore({ file: ':memory:', clock: leaseClock });
  const lease = (holder: string): HeldLease =>
    new HeldLease({ store, name: 'dispatcher', holder, ttlMs: 10_000, clock: leaseClock });
  const [one, two] = [lease('one'), lease('two')];
  const first = await aDispatch([aReceiver([hook])], { lease: one });
  const second = await aDispatch([aReceiver([hook])], { lease: two });
  await one.fence();
  await first.outbox.enqueue([aNotification()]);
  await second.outbox.enqueue([aNotification({ id: 'of-two' })]);
  const stop = new AbortController();
  const running = [first, second].map(({ start }) => start().run(stop.signal));
  await leaseClock.advance(1);
  await first.clock.advance(1_000);
  await second.clock.advance(1_000);
  assert.deepEqual(hook.sent, [['n-1']]);
  await leaseClock.advance(11_000);
  await second.clock.advance(1_000);
  assert.deepEqual(hook.sent, [['n-1'], ['of-two']]);
  stop.abort();
  await Promise.all(running);
});
