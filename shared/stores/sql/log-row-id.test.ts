import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstRowId, IDS_PER_MS, instantOfRowId, RowIds } from './log-row-id.ts';

const AT = Date.UTC(2026, 10, 21, 8);

/** Ids that a file holds, and what it says of them. */
class Taken {
  readonly ids = new Set<number>();
  readonly lookUp = (from: number, until: number): number | undefined => {
    let last: number | undefined;
    for (const id of this.ids) if (id >= from && id < until && id > (last ?? -1)) last = id;
    return last;
  };
}

function fill(taken: Taken, at: number): void {
  for (let id = firstRowId(at); id < firstRowId(at + 1); id += 1) taken.ids.add(id);
}

test('an id tells its millisecond, from the first of it to the last', () => {
  assert.equal(instantOfRowId(firstRowId(AT)), AT);
  assert.equal(instantOfRowId(firstRowId(AT) + IDS_PER_MS - 1), AT);
  assert.equal(firstRowId(AT + 1), firstRowId(AT) + IDS_PER_MS);
});

test('instants before 2010 have the first ids, those beyond 2044 the last, none past 2^53', () => {
  assert.equal(firstRowId(0), 0);
  assert.equal(firstRowId(-8.64e15), 0);
  const last = firstRowId(8.64e15);
  assert.equal(last, firstRowId(Date.UTC(2100, 0, 1)));
  assert.ok(instantOfRowId(last) > Date.UTC(2044, 0, 1), 'years that can be are told apart');
  assert.ok(Number.isSafeInteger(last + 1_000_000 * IDS_PER_MS), 'with room for millions more');
});

test('a full millisecond spills into the next one with room, and what lies there stays', () => {
  const taken = new Taken();
  fill(taken, AT);
  taken.ids.add(firstRowId(AT + 1));
  const ids = new RowIds(taken.lookUp);
  assert.equal(ids.take(AT), firstRowId(AT + 1) + 1);
  assert.equal(ids.take(AT), firstRowId(AT + 1) + 2);
  assert.equal(ids.take(AT + 1), firstRowId(AT + 1) + 3, 'its own lines go on behind');
});

test('a file is asked about a millisecond once, not for every line', () => {
  let asked = 0;
  const ids = new RowIds(() => {
    asked += 1;
    return undefined;
  });
  for (let i = 0; i < 5_000; i += 1) ids.take(AT);
  assert.equal(asked, 1);
});

test('ids are unique whatever the times, the limits of a millisecond and what is forgotten', () => {
  const step = fc.record({
    at: fc.oneof(fc.integer({ min: AT - 2, max: AT + 3 }), fc.constantFrom(0, 9e12)),
    forget: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const taken = new Taken();
      for (const id of [firstRowId(AT), firstRowId(AT + 1) - 1, firstRowId(AT + 2) - 2]) {
        taken.ids.add(id);
      }
      const ids = new RowIds(taken.lookUp);
      for (const { at, forget } of steps) {
        if (forget) ids.forget();
        const id = ids.take(at);
        assert.ok(!taken.ids.has(id) && Number.isSafeInteger(id) && id >= firstRowId(at));
        taken.ids.add(id);
      }
    }),
  );
});
