import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  afterHours,
  aGivenGrant,
  anyCharges,
  anyGrants,
} from '../../test/support/grant-builders.ts';
import { burnDown } from './burn-down.ts';
import { grantedAt, grantTurns } from './grant-turns.ts';
import { type GrantEntry, missingEntries } from './missing-entries.ts';

const seed = Number(process.env['FC_SEED'] ?? Date.now() % 1_000_000);

test('turns tell at any later time what the burn-down will say then', (t) => {
  t.diagnostic(`seed ${seed}`);
  const hour = fc.integer({ min: 0, max: 6 });
  fc.assert(
    fc.property(anyGrants, anyCharges, hour, hour, (grants, all, now, later) => {
      const known = all.filter((charge) => charge.hour <= afterHours(now));
      const { burn, turns } = grantTurns(grants, known, afterHours(now));
      assert.deepEqual(burn, burnDown(grants, known, afterHours(now)));
      const kept = burn.granted;
      const then = afterHours(now + later);
      assert.equal(grantedAt(kept, turns, then), burnDown(grants, known, then).granted);
    }),
    { seed, numRuns: 300 },
  );
});

test('a year of monthly budgets is known ahead', () => {
  const budget = aGivenGrant('b', 5n, {
    validFrom: Date.UTC(2026, 10, 1),
    monthly: { min: 0n, max: 5n },
  });
  const { turns } = grantTurns([budget], [], Date.UTC(2026, 10, 3));
  assert.ok(turns.length >= 12);
  assert.equal(grantedAt(5n, turns, Date.UTC(2026, 11, 1) - 1), 5n);
  assert.equal(grantedAt(5n, turns, Date.UTC(2027, 9, 9)), 10n);
});

test('entries add up to the burn-down, whatever became known in which order', () => {
  fc.assert(
    fc.property(anyGrants, anyCharges, (grants, all) => {
      const rows: GrantEntry[] = [];
      for (let known = 0; known <= all.length; known += 1) {
        const burn = burnDown(grants, all.slice(0, known), afterHours(known));
        rows.push(...missingEntries(burn, rows));
        assert.deepEqual(missingEntries(burn, rows), []);
      }
      const ids = rows.map(({ piece, kind, revision }) => `${kind} ${piece} ${revision}`);
      assert.equal(new Set(ids).size, ids.length);
      const burn = burnDown(grants, all, afterHours(all.length));
      const given = burn.pieces
        .filter(({ piece }) => piece.id === piece.grant)
        .reduce((sum, { piece }) => sum + piece.amount, 0n);
      assert.equal(given + rows.reduce((sum, { amount }) => sum + amount, 0n), burn.granted);
    }),
    { seed, numRuns: 100 },
  );
});
