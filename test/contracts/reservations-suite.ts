import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../shared/errors/assert.ts';
import { balanceOf, NO_LIMITS, type ProjectLimits } from '../../shared/rating/evaluate-limits.ts';
import type { HoldOutcome } from '../../shared/stores/reservation-store.ts';
import { T0 } from '../support/fact-builders.ts';
import { aCharge, aHold, anApplication, aSettlement, ETL, ML } from '../support/ledger-builders.ts';
import { balanceAt, codesOf, give, type OpenReservations } from './open-reservations.ts';
import { reservationSpendingSuite } from './reservation-spending-suite.ts';

const MINUTE = 60_000;
const LEASE_END = T0 + MINUTE;

const count = (outcomes: readonly HoldOutcome[], outcome: HoldOutcome['outcome']): number =>
  outcomes.filter((one) => one.outcome === outcome).length;

/** What a store of reservations admits and refuses. */
function admissionSuite(engine: string, open: () => Promise<OpenReservations>): void {
  test(`${engine}: a hold counts once, however often it is sent, and no other body takes its id`, async () => {
    await using store = await open();
    await give(store, 100n);
    const first = await store.reservations.hold(aHold({ maxCost: 60n }), NO_LIMITS, T0);
    assert.equal(first.outcome, 'held');
    const again = await store.reservations.hold(aHold({ maxCost: 60n }), NO_LIMITS, T0 + 5);
    assert.equal(again.outcome, 'exists');
    assert.deepEqual(
      'reservation' in again && again.reservation,
      'reservation' in first && first.reservation,
    );
    const hold = aHold({ maxCost: 60n });
    for (const other of [
      { maxCost: 59n },
      { application: 'weekly' },
      { leaseMs: 1 },
      { quote: 'q' },
    ]) {
      const outcome = await store.reservations.hold({ ...hold, ...other }, NO_LIMITS, T0);
      assert.equal(outcome.outcome, 'conflict', JSON.stringify(Object.keys(other)));
    }
    const balance = await balanceAt(store, T0);
    assert.deepEqual([balance.reserved, balanceOf(balance)], [60n, 40n]);
  });

  test(`${engine}: no hold passes granted + credit line, and one that fits exactly is admitted`, async () => {
    await using store = await open();
    await give(store, 100n);
    await store.ledgerWriter.settle(
      aSettlement({ applications: [anApplication()], charges: [aCharge({ amount: 30n })] }),
    );
    const hold = (id: string, maxCost: bigint, limits: ProjectLimits = NO_LIMITS) =>
      store.reservations.hold(aHold({ id, maxCost }), limits, T0);
    const over = await hold('a', 71n);
    assert.deepEqual(codesOf(over), ['estimate-exceeds-balance']);
    assert.equal((await hold('b', 70n)).outcome, 'held');
    assert.deepEqual(codesOf(await hold('c', 1n)), ['balance-exhausted']);
    const line = { ...NO_LIMITS, creditLine: 5n };
    assert.deepEqual(codesOf(await hold('d', 6n, line)), ['estimate-exceeds-balance']);
    assert.equal((await hold('e', 5n, line)).outcome, 'held');
    assert.equal(balanceOf(await balanceAt(store, T0)), -5n);
  });

  test(`${engine}: a thousand holds at once against room for ten admit exactly ten`, async (t) => {
    await using store = await open();
    await give(store, 105n);
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) =>
        store.reservations.hold(aHold({ id: `r${i}`, maxCost: 10n }), NO_LIMITS, T0),
      ),
    );
    t.diagnostic(`held ${count(outcomes, 'held')}, refused ${count(outcomes, 'refused')}`);
    assert.equal(count(outcomes, 'held'), 10);
    assert.equal(count(outcomes, 'refused'), 990);
    assert.equal((await balanceAt(store, T0)).reserved, 100n);
  });

  test(`${engine}: all limits that refuse are told at once, each with its numbers`, async () => {
    await using store = await open();
    await give(store, 10n);
    await store.usage.record([
      { project: ETL, kind: 'stored-bytes', part: 'a', used: 70n, asOf: T0 - 5 },
      { project: ETL, kind: 'stored-bytes', part: 'b', used: 40n, asOf: T0 },
      { project: ML, kind: 'stored-bytes', part: 'a', used: 1n, asOf: T0 },
    ]);
    const limits: ProjectLimits = {
      ...NO_LIMITS,
      ...{ millicores: 3_000, storedBytes: 100n, logBytesPerDay: 10n, failMode: 'closed' },
    };
    const hold = aHold({ maxCost: 11n, resources: { ...aHold().resources, millicores: 4_000 } });
    const refused = await store.reservations.hold(hold, limits, T0);
    assert.ok(refused.outcome === 'refused');
    assert.deepEqual(
      refused.refusals.map(({ kind, code, limit, used, asOf }) => [kind, code, limit, used, asOf]),
      [
        ['credits', 'estimate-exceeds-balance', 10n, 0n, undefined],
        ['cores', 'cores-exceeded', 3_000n, 0n, undefined],
        ['stored-bytes', 'stored-bytes-exceeded', 100n, 110n, T0 - 5],
        ['log-bytes', 'log-bytes-unknown', 10n, 0n, undefined],
      ],
    );
    assert.equal((await balanceAt(store, T0)).reserved, 0n, 'nothing is half held');
  });

  test(`${engine}: a project nobody knows holds nothing, and one without grants has only its other limits`, async () => {
    await using store = await open();
    const hold = aHold({ maxCost: 10n ** 18n });
    assert.deepEqual(await store.reservations.hold(hold, NO_LIMITS, T0), {
      outcome: 'unknown-project',
    });
    await store.grants.register(ETL);
    const limits = { ...NO_LIMITS, millicores: 2_000 };
    assert.equal((await store.reservations.hold(hold, limits, T0)).outcome, 'held');
    const second = await store.reservations.hold({ ...hold, id: 'r2' }, limits, T0);
    assert.deepEqual(codesOf(second), ['cores-exceeded']);
  });

  test(`${engine}: projects don't see each other's reservations, not by the same id either`, async () => {
    await using store = await open();
    await give(store, 50n);
    await give(store, 50n, ML);
    await store.reservations.hold(aHold({ maxCost: 20n }), NO_LIMITS, T0);
    const ref = { project: ML, id: aHold().id };
    assert.equal(await store.reservations.reservation(ref, T0), undefined);
    for (const step of [
      store.reservations.renew(ref, MINUTE, T0),
      store.reservations.post(ref, T0),
      store.reservations.void(ref, T0),
      store.reservations.attach(ref, { cluster: 'yarn-1', application: 'app-1' }, T0),
    ]) {
      assert.equal(await step, undefined);
    }
    assert.deepEqual(await store.reservations.reservations(ML, { limit: 9 }, T0), []);
    const own = await store.reservations.hold(
      aHold({ project: ML, maxCost: 7n, application: 'other' }),
      NO_LIMITS,
      T0,
    );
    assert.equal(own.outcome, 'held');
    assert.equal((await balanceAt(store, T0)).reserved, 20n);
    assert.equal((await balanceAt(store, T0, ML)).reserved, 7n);
  });
}

/** How a reservation ends. */
function endingSuite(engine: string, open: () => Promise<OpenReservations>): void {
  test(`${engine}: posting releases the rest; a second end is told, and changes nothing`, async () => {
    await using store = await open();
    await give(store, 100n);
    const { reservations } = store;
    const ref = { project: ETL, id: aHold().id };
    await reservations.hold(aHold({ maxCost: 60n }), NO_LIMITS, T0);
    const posted = must(await reservations.post(ref, T0 + 5), 'it is there');
    assert.deepEqual([posted.outcome, posted.reservation.state], ['done', 'posted']);
    assert.deepEqual([posted.reservation.pending, posted.reservation.resolvedAt], [0n, T0 + 5]);
    const again = must(await reservations.post(ref, T0 + 9), 'it is there');
    assert.equal(again.outcome, 'repeated');
    assert.deepEqual(again.reservation, posted.reservation);
    for (const step of [reservations.void(ref, T0 + 9), reservations.renew(ref, 9, T0 + 9)]) {
      const late = must(await step, 'it is there');
      assert.deepEqual([late.outcome, late.reservation], ['not-held', posted.reservation]);
    }
    assert.equal(await reservations.post({ project: ETL, id: 'no' }, T0), undefined);
    const balance = await balanceAt(store, T0);
    assert.deepEqual([balance.reserved, balance.reservedMillicores], [0n, 0]);
    const repeat = await reservations.hold(aHold({ maxCost: 60n }), NO_LIMITS, T0 + 9);
    assert.ok(repeat.outcome === 'exists' && repeat.reservation.state === 'posted');
  });

  test(`${engine}: a lease that is over holds nothing, swept or not, until it is renewed in time`, async () => {
    await using store = await open();
    await give(store, 100n);
    const { reservations } = store;
    const ref = { project: ETL, id: aHold().id };
    await reservations.hold(aHold({ maxCost: 60n }), NO_LIMITS, T0);
    assert.equal((await balanceAt(store, LEASE_END - 1)).reserved, 60n);
    assert.equal((await balanceAt(store, LEASE_END)).reserved, 0n);
    assert.equal((await balanceAt(store, LEASE_END)).reservedMillicores, 0);
    assert.equal((await balanceAt(store, LEASE_END - 1)).reserved, 60n);
    const renewed = must(await reservations.renew(ref, MINUTE, T0 + MINUTE / 2), 'it is there');
    assert.equal(renewed.reservation.expiresAt, LEASE_END + MINUTE / 2);
    await reservations.renew(ref, 10, T0 + MINUTE / 2);
    const end = LEASE_END + MINUTE / 2;
    assert.equal((await balanceAt(store, end - 1)).reserved, 60n, 'never back');
    const late = must(await reservations.renew(ref, MINUTE, end), 'it is there');
    assert.deepEqual([late.outcome, late.reservation.state], ['not-held', 'expired']);
    assert.equal(must(await reservations.post(ref, end), 'it is there').outcome, 'not-held');
    // Its room is another's, who sweeps it in passing.
    const next = await reservations.hold(aHold({ id: 'r2', maxCost: 100n }), NO_LIMITS, end);
    assert.equal(next.outcome, 'held');
    assert.equal((await balanceAt(store, end)).reserved, 100n);
    const states = await reservations.reservations(ETL, { limit: 9 }, end);
    assert.deepEqual(
      states.map(({ id, state, resolvedAt }) => [id, state, resolvedAt]),
      [
        ['r2', 'held', undefined],
        ['r1', 'expired', end],
      ],
    );
    const held = await reservations.reservations(ETL, { state: 'held', limit: 9 }, end);
    assert.deepEqual(
      held.map(({ id }) => id),
      ['r2'],
    );
    const expired = await reservations.reservations(ETL, { state: 'expired', limit: 9 }, end);
    assert.deepEqual(
      expired.map(({ id }) => id),
      ['r1'],
    );
  });
}

/** What every store of reservations does, whatever it is stored in. */
export function reservationsSuite(engine: string, open: () => Promise<OpenReservations>): void {
  admissionSuite(engine, open);
  endingSuite(engine, open);
  reservationSpendingSuite(engine, open);
}
