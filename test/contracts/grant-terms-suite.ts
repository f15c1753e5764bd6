import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { burnDown } from '../../shared/grants/burn-down.ts';
import type { GivenGrant, GrantTerms } from '../../shared/grants/grant-terms.ts';
import type { Grant } from '../../shared/stores/grant-store.ts';
import type { Ledger } from '../../shared/stores/sql/open-ledger.ts';
import type { Instant } from '../../shared/values/instant.ts';
import { afterHours, anyCharges, anyGrants, G0, someTerms } from '../support/grant-builders.ts';
import { aCharge, anApplication, aSettlement, ETL, ML } from '../support/ledger-builders.ts';

const grant = (id: string, amount: bigint, terms?: Partial<GrantTerms>): Grant => ({
  ...{ id, project: ETL, amount, reason: 'test', grantedAt: G0 },
  ...(terms === undefined ? {} : { terms: someTerms(terms) }),
});

/** Charges of hours in ETL, each as a row of its own. */
async function charge(
  { ledgerWriter }: Pick<Ledger, 'ledgerWriter'>,
  rows: readonly { hour: Instant; amount: bigint }[],
  first = 0,
): Promise<void> {
  const charges = rows.map((row, n) => aCharge({ ...row, digest: `d${first + n}` }));
  await ledgerWriter.settle(aSettlement({ charges, applications: [anApplication()] }));
}

const balanceAt = async ({ ledgerReader }: Pick<Ledger, 'ledgerReader'>, now: Instant) => {
  const balance = await ledgerReader.balance(ETL, now);
  return balance && balance.granted - balance.charged - balance.accrued;
};

async function entriesOf({ grants }: Pick<Ledger, 'grants'>): Promise<string[]> {
  const { entries } = await grants.book(ETL);
  return entries.map(({ piece, kind, revision, amount }) =>
    [kind, piece, revision, amount].join(' '),
  );
}

/** What every grant store does with terms, whatever it is stored in. */
export function grantTermsSuite(engine: string, open: () => Promise<Ledger>): void {
  test(`${engine}: Alerts only on new usage: an expiry takes effect at its instant, whoever sleeps`, async () => {
    await using store = await open();
    await store.grants.grant(grant('g', 100n, { expiresAt: afterHours(3) }));
    await charge(store, [{ hour: G0, amount: 30n }]);
    await store.grants.keepDue(afterHours(1), 10);
    assert.equal(await balanceAt(store, afterHours(3) - 1), 70n);
    assert.equal(await balanceAt(store, afterHours(3)), 0n);
    assert.deepEqual(await entriesOf(store), []);
    // Whoever keeps the ledger writes what the check has said already.
    assert.equal(await store.grants.keepDue(afterHours(3), 10), 1);
    assert.equal(await store.grants.keepDue(afterHours(3), 10), 0);
    assert.deepEqual(await entriesOf(store), ['expiry g 0 -70']);
    assert.equal(await balanceAt(store, afterHours(4)), 0n);
  });

  test(`${engine}: a monthly budget gives each month once, kept or not, and rolls over`, async () => {
    await using store = await open();
    const monthly = { min: 0n, max: 25n };
    const budget = grant('b', 100n, { validFrom: Date.UTC(2026, 10, 1), monthly });
    assert.equal(await store.grants.grant(budget), 'granted');
    assert.equal(await store.grants.grant(budget), 'already-there');
    await charge(store, [{ hour: G0, amount: 30n }]);
    const december = Date.UTC(2026, 11, 1);
    await store.grants.keepDue(G0, 10);
    assert.equal(await balanceAt(store, december - 1), 70n);
    assert.equal(await balanceAt(store, december), 95n + 30n);
    for (let n = 0; n < 3; n += 1) await store.grants.keepDue(december + n, 10);
    assert.deepEqual(await entriesOf(store), [
      'expiry b/2026-11 0 -70',
      'month b/2026-11 0 100',
      'month b/2026-12 0 100',
      'rollover b/2026-12 0 25',
    ]);
    assert.equal(await balanceAt(store, december), 125n);
  });

  test(`${engine}: Refund/void order: a late charge restates what expired and rolled over`, async () => {
    await using store = await open();
    const monthly = { min: 0n, max: 200n };
    await store.grants.grant(
      grant('b', 100n, { validFrom: Date.UTC(2026, 10, 1), monthly, priority: 1 }),
    );
    await charge(store, [{ hour: G0, amount: 30n }]);
    await store.grants.keepDue(afterHours(5), 10);
    await charge(store, [{ hour: afterHours(1), amount: 20n }], 1);
    assert.equal(await store.grants.keepDue(afterHours(5), 10), 1);
    assert.deepEqual(await entriesOf(store), [
      'expiry b/2026-11 0 -70',
      'expiry b/2026-11 1 20',
      'month b/2026-11 0 100',
      'month b/2026-12 0 100',
      'rollover b/2026-12 0 70',
      'rollover b/2026-12 1 -20',
    ]);
    assert.equal(await balanceAt(store, afterHours(5)), 150n);
    // A refund of November goes back to November, and from there into December.
    const refund = aCharge({ hour: G0, amount: -30n, digest: 'd0', revision: 1 });
    await store.ledgerWriter.settle(
      aSettlement({
        charges: [{ ...refund, type: 'RETRACTION' }],
        applications: [anApplication()],
      }),
    );
    await store.grants.keepDue(afterHours(5), 10);
    assert.equal(await balanceAt(store, afterHours(5)), 180n);
  });

  test(`${engine}: Admin edit vs decrement: grants and charges at the same time lose nothing`, async () => {
    await using store = await open();
    await store.grants.grant(grant('first', 10n, { expiresAt: afterHours(9) }));
    const work = Array.from({ length: 12 }, (_, n) =>
      n % 2 === 0
        ? store.grants.grant(grant(`g${n}`, 5n, n % 4 === 0 ? { priority: n } : undefined))
        : charge(store, [{ hour: afterHours(n % 3), amount: 3n }], n),
    );
    await Promise.all(work);
    await store.grants.keepDue(afterHours(4), 10);
    assert.equal(await balanceAt(store, afterHours(4)), 10n + 6n * 5n - 6n * 3n);
  });

  test(`${engine}: Negative balance: a debt is shown, and paid first by the next recurrence`, async () => {
    await using store = await open();
    const monthly = { min: 0n, max: 0n };
    await store.grants.grant(grant('b', 20n, { validFrom: Date.UTC(2026, 10, 1), monthly }));
    await charge(store, [{ hour: G0, amount: 25n }]);
    await store.grants.keepDue(G0, 10);
    assert.equal(await balanceAt(store, afterHours(1)), -5n);
    assert.equal(await balanceAt(store, Date.UTC(2026, 11, 1)), 15n);
    await store.grants.keepDue(Date.UTC(2026, 11, 2), 10);
    assert.equal(await balanceAt(store, Date.UTC(2026, 11, 2)), 15n);
  });

  test(`${engine}: grants are given all or none, and every contradiction is named`, async () => {
    await using store = await open();
    await store.grants.grant(grant('a', 5n));
    await store.grants.grant(grant('m', 5n, { priority: 1 }));
    const later = { ...grant('a', 5n), terms: someTerms({ expiresAt: afterHours(1) }) };
    await assert.rejects(store.grants.grantAll([grant('new', 1n), later, grant('m', 5n)]), {
      code: 'CONFLICT',
      message: /grant a, m was given before/,
    });
    const wrong = grant('w', -1n, { expiresAt: afterHours(-1) });
    await assert.rejects(store.grants.grantAll([grant('new', 1n), { ...wrong, reason: '' }]), {
      code: 'BAD_REQUEST',
      message: /grant w: expiresAt must be later.*reason must say why/,
    });
    assert.deepEqual(
      (await store.grants.grants(ETL)).map(({ id }) => id),
      ['a', 'm'],
    );
    assert.equal(await balanceAt(store, G0), 10n);
  });

  test(`${engine}: what begins later counts from its hour, and another project sees nothing`, async () => {
    await using store = await open();
    await store.grants.grant(grant('later', 40n, { validFrom: afterHours(2) }));
    assert.equal(await balanceAt(store, afterHours(2) - 1), 0n);
    assert.equal(await balanceAt(store, afterHours(2)), 40n);
    assert.equal((await store.ledgerReader.quota(ETL, 'cpu', afterHours(2)))?.balance.granted, 40n);
    assert.deepEqual(await store.grants.book(ML), { grants: [], charges: [], entries: [] });
    const book = await store.grants.book(ETL);
    assert.deepEqual(book.grants, [grant('later', 40n, { validFrom: afterHours(2) })]);
  });

  const seed = Number(process.env['FC_SEED'] ?? Date.now() % 1_000_000);
  test(`${engine}: any order of grants, charges and keeping gives the burn-down's balance`, async (t) => {
    t.diagnostic(`seed ${seed}`);
    const orders = fc.array(fc.nat(), { minLength: 30, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(anyGrants, anyCharges, orders, async (given, charges, order) => {
        await using store = await open();
        await store.grants.register(ETL);
        const steps = [
          ...given.map((one: GivenGrant) => async () => {
            await store.grants.grant({ ...one, project: ETL, reason: 'r' });
          }),
          ...charges.map((one, n) => () => charge(store, [one], n)),
          ...[2, 5, 8].map((hour) => async () => {
            await store.grants.keepDue(afterHours(hour), 10);
          }),
        ];
        const ranked = steps
          .map((step, n) => ({ step, rank: order[n % order.length] ?? 0 }))
          .sort((a, b) => a.rank - b.rank);
        for (const { step } of ranked) await step();
        const now = afterHours(12);
        await store.grants.keepDue(now, 10);
        const want = burnDown(given, charges, now).balance;
        assert.equal(await balanceAt(store, now), want);
        const { grants, entries } = await store.grants.book(ETL);
        const plain = grants.filter(({ terms }) => terms?.monthly === undefined);
        const rows = [...plain, ...entries].reduce((sum, { amount }) => sum + amount, 0n);
        assert.equal(rows, burnDown(given, charges, now).granted);
      }),
      { seed, numRuns: engine === 'sqlite' ? 40 : 6 },
    );
  });
}
