import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { OutboxStore } from '../../../shared/stores/outbox-store.ts';
import { openSqliteAlertStores } from '../../../shared/stores/sql/open-alert-stores.ts';
import { silentLogger } from '../../../shared/telemetry/logger.ts';
import { Metrics } from '../../../shared/telemetry/metrics.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { aNotification, FIRED_AT } from '../../../test/support/notification-builders.ts';
import { aReceiver, later, ScriptedSender } from '../../../test/support/scripted-sender.ts';
import { Dispatcher } from './dispatcher.ts';

const MINUTE = 60_000;

/** What happens at one step: an answer of a destination, or the end of the process around it. */
type Fate = 'taken' | 'fails' | 'limited' | 'dies-before' | 'dies-after' | 'store-fails';

const fate = fc.constantFrom<Fate>(
  ...[
    'taken',
    'taken',
    'taken',
    'fails',
    'limited',
    'dies-before',
    'dies-after',
    'store-fails',
  ].map((one) => one as Fate),
);

interface Story {
  readonly groups: readonly number[];
  readonly fates: readonly Fate[];
  readonly seed: number;
}

/** Records fail when the story says so: the message was sent, and nobody knows. */
function failingRecords(outbox: OutboxStore, fails: () => boolean): OutboxStore {
  return new Proxy(outbox, {
    get(target, name) {
      if (name === 'record' && fails()) return async () => Promise.reject(new Error('disk full'));
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Plays a story to its end, when nothing fails any more; what each destination took, in order. */
async function play({ groups, fates, seed }: Story) {
  const clock = new FakeClock(FIRED_AT);
  await using stores = await openSqliteAlertStores({ file: ':memory:', clock });
  const left = [...fates];
  let life = new AbortController();
  let isStoreFailing = false;
  const senders = ['a', 'b', 'c'].map((name) => {
    const sender = new ScriptedSender(name);
    sender.answer = () => {
      const next = left.shift() ?? 'taken';
      if (next === 'dies-before') life.abort(new Error('killed'));
      if (next === 'dies-after') queueMicrotask(() => life.abort(new Error('killed')));
      isStoreFailing = next === 'store-fails';
      if (next === 'fails' || next === 'dies-before') return later();
      return next === 'limited' ? later('answers 429', 90_000) : { outcome: 'delivered' };
    };
    return sender;
  });
  const receiver = aReceiver(senders);
  const random = ((state: number) => () => {
    const next = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    state = next;
    return next / 2 ** 32;
  })(seed);
  const start = (): Dispatcher => {
    life = new AbortController();
    return new Dispatcher({
      outbox: failingRecords(stores.outbox, () => isStoreFailing),
      receivers: new Map([[receiver.name, receiver]]),
      clock,
      random,
      lease: undefined,
      pollMs: 500,
      metrics: new Metrics(),
      logger: silentLogger,
    });
  };
  await stores.outbox.enqueue(
    groups.map((group, i) =>
      aNotification({ id: `n${String(i).padStart(2, '0')}`, groupKey: `g${group}` }),
    ),
  );
  let dispatcher = start();
  for (let round = 0; round < 400; round += 1) {
    let isOver = false;
    const passing = dispatcher.pass(life.signal).catch(() => undefined);
    void passing.then(() => {
      isOver = true;
    });
    while (!isOver) await clock.advance(1_000);
    await clock.advance(round % 3 === 0 ? MINUTE : 2_500);
    if (life.signal.aborted) dispatcher = start();
    isStoreFailing &&= left.length > 0;
    if ((await stores.outbox.status()).waiting === 0) break;
  }
  const { waiting } = await stores.outbox.status();
  return { senders, waiting };
}

const story = fc.record({
  groups: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 }),
  fates: fc.array(fate, { maxLength: 40 }),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
});

test('whatever fails or dies, every message arrives everywhere, and each group in its order', async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      const { senders, waiting } = await play(told);
      assert.equal(waiting, 0, 'nothing waits for ever');
      for (const { destination, taken } of senders) {
        const first = [...new Set(taken.flat())];
        assert.equal(first.length, told.groups.length, `${destination} lacks a message`);
        for (const group of new Set(told.groups)) {
          const ofGroup = first.filter((id) => told.groups[Number(id.slice(1))] === group);
          assert.deepEqual(
            ofGroup,
            [...ofGroup].sort(),
            `${destination} got g${group} in disorder`,
          );
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('a message comes twice only where its process died or its store failed', async () => {
  const calm = story.map((told) => ({
    ...told,
    fates: told.fates.filter((one) => one === 'taken' || one === 'fails' || one === 'limited'),
  }));
  await fc.assert(
    fc.asyncProperty(calm, async (told) => {
      const { senders } = await play(told);
      for (const { taken } of senders) assert.equal(taken.length, new Set(taken.flat()).size);
    }),
    { numRuns: 30 },
  );
});
