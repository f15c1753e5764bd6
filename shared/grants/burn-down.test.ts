import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  afterHours,
  aGivenGrant,
  anyCharges,
  anyGrants,
} from '../../test/support/grant-builders.ts';
import { HOUR_MS, type Instant } from '../values/instant.ts';
import { type BurnDown, burnDown, type HourCharge } from './burn-down.ts';
import { type GivenGrant, type GrantPiece, grantPieces } from './grant-terms.ts';

const seed = Number(process.env['FC_SEED'] ?? Date.now() % 1_000_000);
const runs = { seed, numRuns: 400 };
const NOW = afterHours(10);

const of = (burn: BurnDown, id: string) => {
  const found = burn.pieces.find(({ piece }) => piece.id === id);
  assert.ok(found, `piece ${id}`);
  return { used: found.used, left: found.left, expired: found.expired };
};
const charges = (...amounts: bigint[]): HourCharge[] =>
  amounts.map((amount, n) => ({ hour: afterHours(n), amount }));

/** Every hour in turn, and every unit of credit by itself. */
function oracle(grants: readonly GivenGrant[], all: readonly HourCharge[], now: Instant) {
  const pieces = grantPieces(grants, now);
  const left = new Map<string, number>();
  const used = new Map<string, number>();
  const expired = new Map<string, number>();
  const given = new Map<string, number>();
  const add = (to: Map<string, number>, id: string, by: number) =>
    to.set(id, (to.get(id) ?? 0) + by);
  const rank = ({ priority, until = 9e15, createdAt, id }: GrantPiece) =>
    [priority, until, createdAt].map((n) => `${n}`.padStart(20, '0')).join() + id;
  const ranked = pieces.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
  let owed = 0;
  const pay = () => {
    while (owed > 0) {
      const payer = ranked.find(({ id }) => (left.get(id) ?? 0) > 0);
      if (payer === undefined) return;
      add(left, payer.id, -1);
      add(used, payer.id, 1);
      owed -= 1;
    }
  };
  for (let at = Date.UTC(2026, 10, 1); at <= now; at += HOUR_MS) {
    const rolled = new Map<string, number>();
    for (const { id, until, next } of ranked) {
      if (until !== at) continue;
      const rest = left.get(id) ?? 0;
      expired.set(id, rest);
      left.set(id, 0);
      if (next === undefined) continue;
      const { min, max } = next.rollover;
      rolled.set(next.id, Math.min(Number(max), Math.max(rest, Number(min))));
    }
    for (const { id, from, amount } of ranked) {
      if (from !== at) continue;
      const whole = Number(amount) + (rolled.get(id) ?? 0);
      given.set(id, whole);
      if (whole >= 0) left.set(id, whole);
      else {
        used.set(id, whole);
        owed -= whole;
      }
    }
    pay();
    for (const { hour, amount } of all) if (hour === at) owed += Number(amount);
    pay();
  }
  return { left, used, expired, given, owed };
}

test('any order of grants, charges, corrections and expiries gives what paying unit by unit does', (t) => {
  t.diagnostic(`seed ${seed}`);
  fc.assert(
    fc.property(anyGrants, anyCharges, fc.integer({ min: -1, max: 12 }), (grants, all, hour) => {
      const now = afterHours(hour);
      const known = all.filter((charge) => charge.hour <= now);
      const want = oracle(grants, known, now);
      const burn = burnDown(grants.toReversed(), all.toReversed(), now);
      for (const { piece, used, left, expired, granted } of burn.pieces) {
        const { id } = piece;
        assert.equal(Number(granted), want.given.get(id) ?? 0, `${id} granted`);
        assert.equal(Number(used), want.used.get(id) ?? 0, `${id} used`);
        assert.equal(Number(left), want.left.get(id) ?? 0, `${id} left`);
        assert.equal(Number(expired), want.expired.get(id) ?? 0, `${id} expired`);
        assert.equal(used + left + expired, granted, `${id} adds up`);
      }
      assert.equal(Number(burn.debt), want.owed);
      assert.deepEqual(burn, burnDown(grants, all, now));
    }),
    runs,
  );
});

test('in all: used + left + expired = granted, and the balance is granted less expired less charged', () => {
  fc.assert(
    fc.property(anyGrants, anyCharges, (grants, all) => {
      const burn = burnDown(grants, all, NOW);
      const sum = (of: (one: BurnDown['pieces'][number]) => bigint) =>
        burn.pieces.reduce((total, one) => total + of(one), 0n);
      const charged = all.reduce((total, { amount }) => total + amount, 0n);
      assert.equal(
        sum(({ used }) => used) + sum(({ left }) => left) + sum(({ expired }) => expired),
        sum(({ granted }) => granted),
      );
      assert.equal(burn.granted, sum(({ granted }) => granted) - sum(({ expired }) => expired));
      assert.equal(burn.balance, burn.granted - charged);
      // The history tells of every unit that was used.
      const paid = burn.segments.flatMap(({ burns }) => burns);
      for (const { piece, used, granted } of burn.pieces) {
        if (granted < 0n) continue;
        const told = paid.filter((one) => one.piece === piece.id);
        assert.equal(
          told.reduce((total, { amount }) => total + amount, 0n),
          used,
        );
      }
    }),
    runs,
  );
});

test('low priority burns first, then the earliest expiry, then the earliest creation', () => {
  const grants = [
    aGivenGrant('late', 10n, {}, afterHours(1)),
    aGivenGrant('early', 10n, {}, afterHours(0)),
    aGivenGrant('ends', 10n, { expiresAt: afterHours(9) }),
    aGivenGrant('ends-later', 10n, { expiresAt: afterHours(20) }),
    aGivenGrant('first', 10n, { priority: 0 }),
    aGivenGrant('last', 10n, { priority: 2, expiresAt: afterHours(8) }),
  ].map((grant, n) => (n < 4 ? { ...grant, terms: { ...grant.terms, priority: 1 } } : grant));
  const order = burnDown(grants as GivenGrant[], charges(60n), afterHours(1)).segments[0]?.burns;
  assert.deepEqual(
    order?.map(({ piece }) => piece),
    ['first', 'ends', 'ends-later', 'early', 'late', 'last'],
  );
});

test('Refund/void order: a correction gives back to the grant that paid, by today’s priority or not', () => {
  const paid = aGivenGrant('paid', 100n, { priority: 5, expiresAt: afterHours(3) });
  const cheap = aGivenGrant('cheap', 100n, { priority: 0, validFrom: afterHours(1) });
  const before = burnDown([paid, cheap], charges(30n, 10n), afterHours(2));
  assert.deepEqual(of(before, 'paid'), { used: 30n, left: 70n, expired: 0n });
  const refund = { hour: afterHours(0), amount: -20n };
  const after = burnDown([paid, cheap], [...charges(30n, 10n), refund], afterHours(2));
  assert.deepEqual(of(after, 'paid'), { used: 10n, left: 90n, expired: 0n });
  assert.deepEqual(of(after, 'cheap'), of(before, 'cheap'));
  // Once it has expired, what comes back has expired too: no credit is made of it.
  const late = burnDown([paid, cheap], [...charges(30n, 10n), refund], afterHours(4));
  assert.deepEqual(of(late, 'paid'), { used: 10n, left: 0n, expired: 90n });
  assert.equal(late.balance, 90n);
});

test('Negative balance: a debt is shown, and paid first by the grant that comes next', () => {
  const first = aGivenGrant('first', 10n, { expiresAt: afterHours(4) });
  const owing = burnDown([first], charges(10n, 5n), afterHours(2));
  assert.deepEqual([owing.debt, owing.balance], [5n, -5n]);
  const next = aGivenGrant('next', 20n, { validFrom: afterHours(5) });
  const paid = burnDown([first, next], charges(10n, 5n), afterHours(6));
  assert.deepEqual([paid.debt, paid.balance], [0n, 15n]);
  assert.deepEqual(of(paid, 'next'), { used: 5n, left: 15n, expired: 0n });
  assert.deepEqual(paid.segments.at(-1), {
    ...{ from: afterHours(5), until: afterHours(6) },
    ...{ burns: [{ piece: 'next', amount: 5n }], debt: -5n },
  });
});

test('a monthly budget gives each UTC month once, and what rolls over is bounded below and above', () => {
  const budget = (min: bigint, max: bigint) =>
    aGivenGrant('b', 100n, { validFrom: Date.UTC(2026, 10, 1), monthly: { min, max } });
  const month = (grant: GivenGrant, used: bigint) =>
    burnDown([grant], charges(used), Date.UTC(2026, 11, 5)).pieces.map((one) => [
      one.piece.id,
      one.rolledIn,
      one.left,
      one.expired,
    ]);
  assert.deepEqual(month(budget(0n, 0n), 30n), [
    ['b/2026-11', 0n, 0n, 70n],
    ['b/2026-12', 0n, 100n, 0n],
  ]);
  assert.deepEqual(month(budget(0n, 50n), 30n)[1], ['b/2026-12', 50n, 150n, 0n]);
  assert.deepEqual(month(budget(0n, 50n), 80n)[1], ['b/2026-12', 20n, 120n, 0n]);
  assert.deepEqual(month(budget(10n, 50n), 95n)[1], ['b/2026-12', 10n, 110n, 0n]);
  const ends = { ...budget(10n, 50n) };
  const over = { ...ends, terms: { ...ends.terms, expiresAt: Date.UTC(2026, 11, 1) } };
  assert.deepEqual(month(over as GivenGrant, 30n), [['b/2026-11', 0n, 0n, 70n]]);
});

test('an hour belongs to the grants that hold in it: the last before the end, the first after it', () => {
  const ends = aGivenGrant('ends', 100n, { expiresAt: afterHours(1) });
  const begins = aGivenGrant('begins', 100n, { validFrom: afterHours(1) });
  const burn = burnDown([ends, begins], charges(30n, 40n), afterHours(1));
  assert.deepEqual(of(burn, 'ends'), { used: 30n, left: 0n, expired: 70n });
  assert.deepEqual(of(burn, 'begins'), { used: 40n, left: 60n, expired: 0n });
  const before = burnDown([ends, begins], charges(30n), afterHours(1) - 1);
  assert.equal(before.balance, 70n);
});
