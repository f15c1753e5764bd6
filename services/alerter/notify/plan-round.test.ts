import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Pending } from '../../../shared/stores/outbox-store.ts';
import { aNotification, anAlert, FIRED_AT } from '../../../test/support/notification-builders.ts';
import { planRound } from './plan-round.ts';

const NOW = FIRED_AT + 3_600_000;

interface Told {
  readonly group: number;
  readonly nextInMs: number;
  readonly attempts: number;
  readonly isDone: boolean;
  readonly isCritical: boolean;
}

function entriesOf(told: readonly Told[]): Pending[] {
  return told.map(({ group, nextInMs, attempts, isDone, isCritical }, i) => {
    const alert = anAlert({ severity: isCritical ? 'critical' : 'warning' });
    const firing = [{ alert, consequences: [] }];
    const id = `n${i}`;
    const done = { notification: id, destination: 'd', outcome: 'delivered', why: '' } as const;
    return {
      notification: aNotification({ id, groupKey: `g${group}`, firing, at: FIRED_AT + i }),
      attempts,
      nextAt: NOW + nextInMs,
      lastError: attempts > 0 ? 'answers 503' : '',
      done: isDone ? [{ ...done, at: FIRED_AT }] : [],
    };
  });
}

const told: fc.Arbitrary<Told[]> = fc.array(
  fc.record({
    group: fc.integer({ min: 0, max: 3 }),
    nextInMs: fc.integer({ min: -5, max: 5 }),
    attempts: fc.integer({ min: 0, max: 3 }),
    isDone: fc.boolean(),
    isCritical: fc.boolean(),
  }),
  { maxLength: 12 },
);

test('no plan sends a message before one of its group, or one that is done, or during a pause', () => {
  const pause = fc.constantFrom(0, NOW - 1, NOW, NOW + 1);
  const digest = fc.constantFrom(0, 60_000, 7 * 86_400_000);
  fc.assert(
    fc.property(told, pause, digest, (some, pausedUntil, digestMs) => {
      const entries = entriesOf(some);
      const sight = { destination: 'd', pausedUntil };
      const { batches, holds } = planRound(entries, sight, { now: NOW, digestMs });
      const sent = batches.flat();
      if (pausedUntil > NOW) assert.deepEqual(sent, []);
      const missing = entries.filter(({ done }) => done.length === 0);
      assert.equal(sent.length + holds.size, missing.length, 'each is sent or held');
      for (const group of new Set(missing.map(({ notification }) => notification.groupKey))) {
        const ofGroup = (one: Pending): boolean => one.notification.groupKey === group;
        const [due, order] = [sent.filter(ofGroup), missing.filter(ofGroup)];
        assert.deepEqual(due, order.slice(0, due.length), 'the first ones of the group, in order');
      }
      for (const until of holds.values()) assert.ok(until > NOW, 'what is held has a later moment');
    }),
  );
});

test('what follows a message that waits for its own retry waits, whether or not it is due', () => {
  const waits = { group: 1, nextInMs: 500, attempts: 2, isDone: false, isCritical: true };
  const due = { ...waits, nextInMs: -1, attempts: 0 };
  const rules = { now: NOW, digestMs: 0 };
  const plan = planRound(
    entriesOf([waits, due, { ...due, group: 2 }]),
    { destination: 'd', pausedUntil: 0 },
    rules,
  );
  assert.deepEqual(
    plan.batches.flat().map(({ notification }) => notification.id),
    ['n2'],
  );
  assert.deepEqual(
    [...plan.holds],
    [
      ['n0', NOW + 500],
      ['n1', NOW + 500],
    ],
  );
});
