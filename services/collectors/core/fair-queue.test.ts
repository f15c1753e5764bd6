import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { FairQueue } from './fair-queue.ts';
import { fairlyFits } from './fairly-fits.ts';
import { ShareRing } from './share-ring.ts';

const QUANTUM = 100;
const MAX_ITEM = 300;
const project = fc.constantFrom('a', 'b', 'c', 'd');
const bytes = fc.integer({ min: 1, max: MAX_ITEM });
const step = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), project, bytes }),
  fc.record({ kind: fc.constant('shift' as const) }),
);

test('any pushes and shifts: bounded in all and by project, in order, nothing lost or twice', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.integer({ min: 1, max: 2_000 }),
      (steps, limitBytes) => {
        const queue = new FairQueue<number>({ limitBytes, quantum: QUANTUM });
        const model = new Map<string, { n: number; bytes: number }[]>();
        let n = 0;
        const drain = (): void => {
          const taken = queue.shift();
          const waiting = [...model.values()].some((line) => line.length > 0);
          // Work conserving: there is something to serve whenever anything waits.
          assert.equal(taken !== undefined, waiting);
          if (taken === undefined) return;
          assert.deepEqual(model.get(taken.project)?.shift(), {
            n: taken.item,
            bytes: taken.bytes,
          });
        };
        for (const one of steps) {
          if (one.kind === 'shift') drain();
          else {
            n += 1;
            if (!queue.push(one.project, n, one.bytes)) continue;
            model.set(one.project, [...(model.get(one.project) ?? []), { n, bytes: one.bytes }]);
            assert.ok(queue.bytes <= Math.max(limitBytes, one.bytes));
            const alone = queue.bytes === one.bytes;
            assert.ok(alone || queue.bytesOf(one.project) <= (limitBytes + one.bytes) / 2);
          }
        }
        while (queue.bytes > 0) drain();
        assert.ok([...model.values()].every((line) => line.length === 0));
      },
    ),
  );
});

test('projects that always have something get bytes by their weights, however large their items', () => {
  const weights = fc.record({
    a: fc.integer({ min: 1, max: 5 }),
    b: fc.integer({ min: 1, max: 5 }),
  });
  const sizes = fc.record({ a: bytes, b: bytes });
  fc.assert(
    fc.property(weights, sizes, fc.integer({ min: 1, max: 400 }), (weight, size, turns) => {
      const ring = new ShareRing({ quantum: QUANTUM, weightOf: (key) => weight[key as 'a' | 'b'] });
      const served = { a: 0, b: 0 };
      for (const key of ['a', 'b']) ring.join(key);
      for (let i = 0; i < turns; i += 1) {
        const key = ring.next() as 'a' | 'b';
        ring.charge(key, size[key]);
        served[key] += size[key];
        const behind = Math.abs(served.a / weight.a - served.b / weight.b);
        assert.ok(behind <= 2 * (QUANTUM + MAX_ITEM), `${behind}`);
      }
    }),
  );
});

test('nobody starves: with any others beside it, a project is served within a bounded number of bytes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(bytes, { minLength: 50, maxLength: 50 }),
      (others, sizes) => {
        const queue = new FairQueue<string>({ limitBytes: 10_000_000, quantum: QUANTUM });
        for (let i = 0; i < others; i += 1) {
          for (let k = 0; k < 50; k += 1) queue.push(`hog-${i}`, 'hog', sizes[(i + k) % 50] ?? 1);
        }
        queue.shift();
        queue.push('quiet', 'quiet', MAX_ITEM);
        let before = 0;
        for (let next = queue.shift(); next?.item !== 'quiet'; next = queue.shift()) {
          assert.ok(next !== undefined);
          before += next.bytes;
        }
        const turns = Math.ceil(MAX_ITEM / QUANTUM) + 1;
        assert.ok(before <= others * (turns * QUANTUM + MAX_ITEM), `${before}`);
      },
    ),
  );
});

test('who leaves with a debt comes back with it, and time pays it', () => {
  const ring = new ShareRing({ quantum: QUANTUM });
  const served = { hog: 0, other: 0 };
  ring.join('other');
  for (let i = 0; i < 300; i += 1) {
    // A hog that has one large item at a time, and is never in the ring when it owes.
    if (!ring.has('hog')) ring.join('hog');
    const key = ring.next() as 'hog' | 'other';
    const size = key === 'hog' ? 1_000 : 10;
    ring.charge(key, size);
    served[key] += size;
    if (key === 'hog') ring.leave('hog');
  }
  assert.ok(served.hog <= served.other + 1_000 + QUANTUM, JSON.stringify(served));
  // Alone it is served at once, whatever it owes.
  ring.leave('other');
  ring.join('hog');
  assert.equal(ring.next(), 'hog');
});

test('one alone may hold half, and there is room for the next one however many hold what they may', () => {
  const limit = 1_000;
  const own = new Map<string, number>();
  let held = 0;
  const fill = (key: string): number => {
    while (fairlyFits({ own: own.get(key) ?? 0, held, limit }, 1)) {
      own.set(key, (own.get(key) ?? 0) + 1);
      held += 1;
    }
    return own.get(key) ?? 0;
  };
  assert.equal(fill('a'), 500);
  assert.equal(fill('b'), 250);
  for (let i = 0; i < 6; i += 1) assert.ok(fill(`next-${i}`) > 0);
  assert.ok(held <= limit);
  assert.equal(fairlyFits({ own: 0, held: 0, limit }, 5_000), true);
  assert.equal(fairlyFits({ own: 0, held: 1, limit }, 5_000), false);
});
