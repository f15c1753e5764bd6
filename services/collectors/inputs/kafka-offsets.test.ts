import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { KafkaOffsets } from './kafka-offsets.ts';

const T = 'logs';

test('a partition is committed up to the first record that is not stored', () => {
  const offsets = new KafkaOffsets();
  const [a, b, c] = [
    offsets.take(T, 0, 10n, 20n),
    offsets.take(T, 0, 20n, 25n),
    offsets.take(T, 0, 30n, 40n),
  ];
  b.stored = true;
  assert.deepEqual(offsets.commits(), []);
  a.stored = true;
  const commits = [{ topic: T, partition: 0, offset: 25n }];
  assert.deepEqual(offsets.commits(), commits);
  offsets.committed(commits);
  assert.deepEqual(offsets.commits(), []);
  c.stored = true;
  assert.deepEqual(offsets.commits(), [{ topic: T, partition: 0, offset: 40n }]);
});

test('what was stored while a commit was on its way is committed by the next', () => {
  const offsets = new KafkaOffsets();
  offsets.take(T, 0, 0n, 5n).stored = true;
  const second = offsets.take(T, 0, 5n, 9n);
  const onItsWay = offsets.commits();
  second.stored = true;
  offsets.committed(onItsWay);
  assert.deepEqual(offsets.commits(), [{ topic: T, partition: 0, offset: 9n }]);
});

test('records in hand are known until they are committed, others are not', () => {
  const offsets = new KafkaOffsets();
  const range = offsets.take(T, 3, 10n, 20n);
  assert.ok(offsets.holds(T, 3, 10n) && offsets.holds(T, 3, 19n));
  assert.ok(!offsets.holds(T, 3, 9n) && !offsets.holds(T, 3, 20n) && !offsets.holds(T, 2, 10n));
  range.stored = true;
  assert.ok(offsets.holds(T, 3, 10n));
  offsets.committed(offsets.commits());
  assert.ok(!offsets.holds(T, 3, 10n));
});

test('a group whose offsets were set back is committed from there', () => {
  const offsets = new KafkaOffsets();
  offsets.take(T, 0, 100n, 200n).stored = true;
  const earlier = offsets.take(T, 0, 0n, 100n);
  assert.deepEqual(offsets.commits(), []);
  earlier.stored = true;
  assert.deepEqual(offsets.commits(), [{ topic: T, partition: 0, offset: 200n }]);
});

test("a partition that is somebody else's is never committed again by us", () => {
  const offsets = new KafkaOffsets();
  const [kept, gone] = [offsets.take(T, 0, 0n, 5n), offsets.take(T, 1, 0n, 5n)];
  const other = offsets.take('metrics', 0, 0n, 5n);
  offsets.assign({ [T]: [0] });
  assert.deepEqual([kept.lost, gone.lost, other.lost], [false, true, true]);
  for (const range of [kept, gone, other]) range.stored = true;
  assert.deepEqual(offsets.commits(), [{ topic: T, partition: 0, offset: 5n }]);
  assert.ok(!offsets.holds(T, 1, 0n));
});

/** Lengths of ranges with gaps between, stored and committed in any order. */
const history = fc.record({
  ranges: fc.array(
    fc.record({ gap: fc.integer({ min: 0, max: 3 }), length: fc.integer({ min: 1, max: 9 }) }),
    { minLength: 1, maxLength: 30 },
  ),
  steps: fc.array(fc.record({ pick: fc.nat(), commit: fc.boolean() }), { maxLength: 60 }),
});

test('no order of storing and committing passes a record that is not stored, or leaves one', () => {
  fc.assert(
    fc.property(history, ({ ranges, steps }) => {
      const offsets = new KafkaOffsets();
      let at = 0n;
      const taken = ranges.map(({ gap, length }) => {
        const first = at + BigInt(gap);
        at = first + BigInt(length);
        return offsets.take(T, 0, first, at);
      });
      let last = -1n;
      const check = (): void => {
        const [commit] = offsets.commits();
        if (commit === undefined) return;
        assert.ok(commit.offset > last);
        last = commit.offset;
        for (const { first, stored } of taken) assert.ok(stored || first >= commit.offset);
        offsets.committed([commit]);
      };
      for (const { pick, commit } of steps) {
        const range = taken[pick % taken.length];
        if (range !== undefined) range.stored = true;
        if (commit) check();
      }
      for (const range of taken) range.stored = true;
      check();
      assert.equal(last, at);
      assert.deepEqual(offsets.commits(), []);
    }),
  );
});
