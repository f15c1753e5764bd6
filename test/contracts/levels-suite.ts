import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Level } from '../../shared/grants/evaluate-levels.ts';
import type { Ledger } from '../../shared/stores/sql/open-ledger.ts';
import { afterHours, someTerms } from '../support/grant-builders.ts';
import {
  aCharge,
  aContainer,
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
}
