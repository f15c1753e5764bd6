import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Level } from '../../shared/grants/evaluate-levels.ts';
import { NO_LIMITS } from '../../shared/rating/evaluate-limits.ts';
import type { Ledger } from '../../shared/stores/sql/open-ledger.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import type { ProjectId } from '../../shared/values/project-id.ts';
import { afterHours, someTerms } from '../support/grant-builders.ts';
import {
  aCharge,
  aContainer,
  aHold,
  anApplication,
  aSettlement,
  ETL,
  ML,
} from '../support/ledger-builders.ts';

const NOVEMBER = Date.UTC(2026, 10, 1);
const level = (key: string, projects: readonly string[]): Level => ({
  ...{ key, projects, monthlyLimit: 100n, borrowMax: 0n },
});
const LEVELS = [
  level('team/data', [ETL, ML, 'nobody']),
  level('team/empty', []),
  level('organisation/acme', [ETL]),
];

/** What every store of levels does, whatever it is stored in. */
export function levelsSuite(engine: string, open: () => Promise<Ledger>): void {
  test(`${engine}: a level sums the month's charges, what accrues and what is left of its projects`, async () => {
    await using store = await open();
    await store.grants.grant({
      id: 'a',
      project: ETL,
      amount: 500n,
      reason: '',
      grantedAt: NOVEMBER,
    });
    const ends = someTerms({ validFrom: NOVEMBER, expiresAt: afterHours(2) });
    await store.grants.grant({
      ...{ id: 'b', project: ML, amount: 40n },
      reason: '',
      grantedAt: NOVEMBER,
      terms: ends,
    });
    const october = aCharge({ hour: Date.UTC(2026, 9, 31, 23), amount: 7n, digest: 'o' });
    const november = aCharge({ hour: NOVEMBER, amount: 20n, digest: 'n' });
    const december = aCharge({ hour: Date.UTC(2026, 11, 1), amount: 3n, digest: 'd' });
    await store.ledgerWriter.settle(
      aSettlement({
        charges: [october, november, december],
        applications: [anApplication()],
        containers: [aContainer()],
      }),
    );
    await store.levels.keep(LEVELS, afterHours(1));
    const uses = await store.levels.uses(['team/data', 'organisation/acme', 'team/none']);
    // 500 − 30 charged − 70 accrued of ETL, and 40 of ML.
    assert.deepEqual(uses.get('team/data'), {
      ...{ month: NOVEMBER, used: 90n, left: 440n, asOf: afterHours(1) },
    });
    assert.equal(uses.get('organisation/acme')?.left, 400n);
    assert.equal(uses.has('team/none'), false);
    // A month later, with ML's grant expired though nobody has written it.
    await store.levels.keep(LEVELS, afterHours(3));
    const later = (await store.levels.uses(['team/data'])).get('team/data');
    assert.deepEqual([later?.month, later?.used, later?.left], [Date.UTC(2026, 11, 1), 73n, 400n]);
    assert.equal((await store.levels.uses([])).size, 0);
  });

  test(`${engine}: of holds of a team's projects at once, no more are admitted than it has room for`, async () => {
    await using store = await open();
    const give = (project: ProjectId, amount: bigint) =>
      store.grants.grant({ id: `g-${project}`, project, amount, reason: '', grantedAt: NOVEMBER });
    const projects = [ETL, ML, 'bi' as ProjectId];
    for (const project of projects) await give(project, 1_000_000n);
    // Of the month's 1,099: 20 charged, 70 accrued, 9 held by a lease that is over, which is free.
    const month = aCharge({ hour: NOVEMBER, amount: 20n, digest: 'n' });
    await store.ledgerWriter.settle(
      aSettlement({
        charges: [month],
        applications: [anApplication()],
        containers: [aContainer()],
      }),
    );
    const lapsed = aHold({ id: 'lapsed', project: ML, maxCost: 9n, leaseMs: 1 });
    await store.reservations.hold(lapsed, NO_LIMITS, NOVEMBER);
    const above = [
      { ...level('team/data', projects), monthlyLimit: undefined },
      { ...level('organisation/acme', projects), monthlyLimit: 1_099n },
    ];
    const now = afterHours(1);
    const outcomes = await Promise.all(
      Array.from({ length: 90 }, (_, n) => {
        const project = projects[n % 3] ?? ETL;
        const hold = aHold({ id: `r${n}`, project, maxCost: 100n, leaseMs: HOUR_MS });
        return store.reservations.hold(hold, NO_LIMITS, now + (n % 2), above);
      }),
    );
    const held = outcomes.filter(({ outcome }) => outcome === 'held');
    assert.equal(held.length, 10);
    const refused = outcomes.find(({ outcome }) => outcome === 'refused-above');
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'refused-above').length, 80);
    assert.ok(refused?.outcome === 'refused-above');
    assert.equal(refused.refusal.key, 'organisation/acme');
    const again = await store.reservations.hold(
      aHold({ id: 'r0', project: ETL, maxCost: 100n, leaseMs: HOUR_MS }),
      NO_LIMITS,
      now,
      above,
    );
    assert.equal(again.outcome, 'exists', 'what is held already needs no room');
    await store.levels.keep(above, now);
    const uses = await store.levels.uses(['organisation/acme']);
    assert.equal(uses.get('organisation/acme')?.used, 1_090n);
  });

  test(`${engine}: two projects don't borrow the same credits of a third`, async () => {
    await using store = await open();
    const team = [ETL, ML, 'bi' as ProjectId];
    for (const [project, amount] of [
      [ETL, 1n],
      [ML, 1n],
      ['bi' as ProjectId, 60n],
    ] as const) {
      const grant = { id: `g-${project}`, project, amount, reason: '', grantedAt: NOVEMBER };
      await store.grants.grant(grant);
    }
    const above = [{ ...level('team/data', team), monthlyLimit: undefined, borrowMax: 50n }];
    const hold = (id: string, project: ProjectId, maxCost: bigint) =>
      store.reservations.hold(aHold({ id, project, maxCost }), NO_LIMITS, afterHours(1), above);
    const outcomes = await Promise.all([hold('a', ETL, 51n), hold('b', ML, 51n)]);
    assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['held', 'refused']);
    assert.equal((await hold('c', team[2] ?? ETL, 12n)).outcome, 'refused-above', 'it was lent');
    assert.equal((await hold('d', team[2] ?? ETL, 11n)).outcome, 'held');
  });
}
