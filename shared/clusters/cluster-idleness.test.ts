import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ACTIVITY_SIGNALS, type ActivitySight } from './cluster-actuator.ts';
import { clusterIdleness, clusterQuiet } from './cluster-idleness.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 22, 12);
const CONTEXT = {
  now: NOW,
  startedAt: NOW - 600 * MINUTE,
  freshMs: 5 * MINUTE,
  windowMs: 30 * MINUTE,
  minAgeMs: 60 * MINUTE,
};

/** Every signal was seen last so many minutes ago. */
function sights(minutesAgo: number, more: Partial<ActivitySight> = {}): ActivitySight[] {
  return ACTIVITY_SIGNALS.map((signal) => ({
    signal,
    lastAt: NOW - minutesAgo * MINUTE,
    asOf: NOW,
    complete: true,
    source: 'manager',
    ...more,
  }));
}

test('a cluster of which every signal has been quiet for the window is idle since the last of them', () => {
  const mixed = sights(90).map((sight, i) => ({ ...sight, lastAt: NOW - (40 + i) * MINUTE }));
  assert.deepEqual(clusterIdleness(mixed, CONTEXT), { state: 'idle', since: NOW - 40 * MINUTE });
});

test('one signal with activity in the window keeps it active, whoever told it and however long ago', () => {
  for (const signal of ACTIVITY_SIGNALS) {
    const lastAt = NOW - 29 * MINUTE;
    const part = { signal, lastAt, asOf: lastAt, complete: false, source: 'an agent' };
    const answer = clusterIdleness([...sights(90), part], CONTEXT);
    assert.deepEqual(answer, { state: 'active', lastAt }, signal);
  }
});

test('a signal that nobody tells is unknown, and named', () => {
  for (const signal of ACTIVITY_SIGNALS) {
    const others = sights(90).filter((sight) => sight.signal !== signal);
    for (const part of [[], [{ ...(sights(90)[0] as ActivitySight), signal, lastAt: undefined }]]) {
      const answer = clusterIdleness([...others, ...part], CONTEXT);
      assert.deepEqual(answer, {
        state: 'unknown',
        why: `not known: ${signal} (nobody tells)`,
      });
    }
  }
});

test('a stale word, one from a time to come and one of a part are unknown, and say so', () => {
  const old = sights(90, { asOf: NOW - 6 * MINUTE });
  const ahead = sights(90, { asOf: NOW + 6 * MINUTE });
  const part = sights(90, { complete: false });
  const whys = [old, ahead, part].map((one) => {
    const answer = clusterIdleness(one, CONTEXT);
    return answer.state === 'unknown' ? answer.why : answer.state;
  });
  assert.match(whys[0] ?? '', /jobs \(manager told it as of 2026-11-22T11:54/);
  assert.match(whys[1] ?? '', /jobs \(manager told it as of a time to come/);
  assert.match(whys[2] ?? '', /jobs \(manager sees a part/);
});

test('a cluster is neither idle before its minimum age nor by what the one before it did', () => {
  const young = { ...CONTEXT, startedAt: NOW - 59 * MINUTE };
  assert.equal(clusterIdleness(sights(90), young).state, 'unknown');
  const old = { ...CONTEXT, startedAt: NOW - 61 * MINUTE };
  assert.deepEqual(clusterIdleness(sights(90), old), {
    state: 'idle',
    since: NOW - 61 * MINUTE,
  });
  const undated = { ...CONTEXT, startedAt: undefined };
  assert.deepEqual(clusterIdleness(sights(90), undated), {
    state: 'unknown',
    why: 'not known: when the cluster began',
  });
});

test('what is known only up to some minutes ago is no idleness until then', () => {
  const late = sights(32, { asOf: NOW - 4 * MINUTE });
  const answer = clusterIdleness(late, CONTEXT);
  assert.deepEqual(answer, { state: 'unknown', why: 'known only up to 2026-11-22T11:56:00.000Z' });
  assert.equal(clusterIdleness(sights(34, { asOf: NOW - 4 * MINUTE }), CONTEXT).state, 'idle');
});

test('a second source that knows more lately counts, and its silence takes nothing away', () => {
  const silent = sights(0, { lastAt: undefined, source: 'another' });
  assert.equal(clusterIdleness([...sights(90), ...silent], CONTEXT).state, 'idle');
  const later = sights(45, { source: 'another' });
  assert.deepEqual(clusterQuiet([...sights(90), ...later], CONTEXT), {
    known: true,
    since: NOW - 45 * MINUTE,
    until: NOW,
  });
});

const anySight = fc.record({
  signal: fc.constantFrom(...ACTIVITY_SIGNALS),
  lastAt: fc.option(fc.integer({ min: NOW - 200 * MINUTE, max: NOW + MINUTE }), {
    nil: undefined,
  }),
  asOf: fc.integer({ min: NOW - 20 * MINUTE, max: NOW + 10 * MINUTE }),
  complete: fc.boolean(),
  source: fc.constantFrom('manager', 'ledger', 'agent'),
});
const anyContext = fc.record({
  now: fc.constant(NOW),
  startedAt: fc.option(fc.integer({ min: NOW - 400 * MINUTE, max: NOW }), { nil: undefined }),
  freshMs: fc.integer({ min: 0, max: 10 * MINUTE }),
  windowMs: fc.integer({ min: MINUTE, max: 120 * MINUTE }),
  minAgeMs: fc.integer({ min: 0, max: 120 * MINUTE }),
});
/** Some complete and fresh sights too, so that idleness occurs. */
const someSights = fc
  .tuple(fc.array(anySight, { maxLength: 8 }), fc.boolean(), fc.integer({ min: 0, max: 200 }))
  .map(([some, whole, ago]) => [...some, ...(whole ? sights(ago) : [])]);

test('idle only where every signal was told whole, lately and quiet for the window', () => {
  let idle = 0;
  fc.assert(
    fc.property(someSights, anyContext, (seen, context) => {
      const answer = clusterIdleness(seen, context);
      if (answer.state !== 'idle') return;
      idle += 1;
      const { now, startedAt, freshMs, windowMs, minAgeMs } = context;
      assert.ok(startedAt !== undefined && now - startedAt >= minAgeMs);
      assert.ok(answer.since >= startedAt && now - answer.since >= windowMs);
      for (const { lastAt } of seen) assert.ok(lastAt === undefined || lastAt <= answer.since);
      for (const signal of ACTIVITY_SIGNALS) {
        assert.ok(
          seen.some(
            (one) =>
              one.signal === signal &&
              one.complete &&
              one.lastAt !== undefined &&
              Math.abs(now - one.asOf) <= freshMs &&
              Math.min(one.asOf, now) - answer.since >= windowMs,
          ),
          signal,
        );
      }
    }),
    { numRuns: 2_000, verbose: 1 },
  );
  assert.ok(idle > 20, `only ${idle} runs were idle: the property said little`);
});

test('more activity, less knowledge, an older word or a longer window never make a cluster idle', () => {
  fc.assert(
    fc.property(someSights, anyContext, anySight, fc.nat(7), (seen, context, more, drop) => {
      if (clusterIdleness(seen, context).state === 'idle') return;
      const state = (of: readonly ActivitySight[], rule = context) =>
        clusterIdleness(of, rule).state;
      assert.notEqual(
        state(seen.map((one) => (one.asOf > NOW ? one : { ...one, asOf: one.asOf - 15 * MINUTE }))),
        'idle',
      );
      assert.notEqual(state(seen, { ...context, windowMs: context.windowMs + MINUTE }), 'idle');
      assert.notEqual(state([...seen, { ...more, complete: false }]), 'idle');
      const without = seen.toSpliced(drop, 1);
      // Only one that told of activity may change the answer by leaving.
      if (seen[drop]?.lastAt === undefined) assert.notEqual(state(without), 'idle');
    }),
    { numRuns: 2_000, verbose: 1 },
  );
});
