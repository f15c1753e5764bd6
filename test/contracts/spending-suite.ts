import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LedgerWriter } from '../../shared/stores/ledger-writer.ts';
import type { SpendingReader } from '../../shared/stores/spending-reader.ts';
import { HOUR_MS } from '../../shared/values/instant.ts';
import { T0 } from '../support/fact-builders.ts';
import { journalBatch } from '../support/journal-batch.ts';
import {
  aCharge,
  aContainer,
  anApplication,
  aSettlement,
  ETL,
  ML,
} from '../support/ledger-builders.ts';
import type { OpenJournal } from './journal-suite.ts';

interface OpenSpending extends OpenJournal {
  readonly ledgerWriter: LedgerWriter;
  readonly spending: SpendingReader;
}

const WINDOW = { from: T0, until: T0 + 2 * HOUR_MS };
/** Near what a 64-bit integer holds, so that two of them pass it. */
const HUGE = 9_000_000_000_000_000_001n;

const told = (application: string, attempt: string) => ({
  ...{ cluster: 'yarn-1', application, attempt, at: T0 },
  ...{ slotMs: 15, usefulMs: 1, wastedMs: 2, idleMs: 3, tailMs: 4, startUpMs: 5 },
});

export function spendingSuite(engine: string, open: () => Promise<OpenSpending>): void {
  test(`${engine}: spending is net by application and role, beside the slot time`, async () => {
    await using store = await open();
    const retraction = { type: 'RETRACTION' as const, revision: 1, amount: -40n };
    await store.ledgerWriter.settle(
      aSettlement({
        applications: [
          anApplication(),
          anApplication({ application: 'app-2' }),
          anApplication({ cluster: 'other' }),
        ],
        charges: [
          aCharge({ amount: 40n }),
          aCharge({ ...retraction }),
          aCharge({ type: 'RESTATEMENT', revision: 2, amount: 30n }),
          aCharge({
            digest: 'd2',
            container: 'c2',
            role: 'driver',
            amount: 5n,
            hour: T0 + HOUR_MS,
          }),
          aCharge({ digest: 'd3', container: 'c3', application: 'app-2', amount: 7n }),
          aCharge({ digest: 'd4', hour: T0 + 2 * HOUR_MS, amount: 1_000n }),
          aCharge({ digest: 'd5', project: ML, amount: 1_000n }),
          aCharge({ digest: 'd6', cluster: 'other', amount: 11n }),
        ],
      }),
    );
    await store.journalWriter.record(
      journalBatch({ activity: [told('app-1', '1'), told('app-1', '2')] }),
      T0,
    );
    const slots = { usefulMs: 2, wastedMs: 4, idleMs: 6, tailMs: 8, startUpMs: 10 };
    const found = await store.spending.spending(ETL, WINDOW);
    assert.deepEqual(
      found.map(({ cluster, application, amounts }) => [cluster, application, amounts]),
      [
        ['other', 'app-1', [{ role: 'executor', amount: 11n }]],
        [
          'yarn-1',
          'app-1',
          [
            { role: 'driver', amount: 5n },
            { role: 'executor', amount: 30n },
          ],
        ],
        ['yarn-1', 'app-2', [{ role: 'executor', amount: 7n }]],
      ],
    );
    assert.deepEqual({ ...found[1]?.slots, ...slots }, found[1]?.slots);
    assert.equal(found[2]?.slots, undefined);
    const ofCluster = await store.spending.spending(ETL, WINDOW, { cluster: 'other' });
    assert.deepEqual(ofCluster, found.slice(0, 1));
  });

  test(`${engine}: one application's spending is that of its containers`, async () => {
    await using store = await open();
    await store.ledgerWriter.settle(
      aSettlement({
        applications: [anApplication(), anApplication({ application: 'app-2' })],
        containers: [aContainer(), aContainer({ container: 'c2', application: 'app-2' })],
        charges: [
          aCharge({ amount: 40n }),
          aCharge({ digest: 'd2', container: 'c2', application: 'app-2', amount: 2n }),
          aCharge({ digest: 'd3', hour: T0 + HOUR_MS, amount: 3n }),
        ],
      }),
    );
    const filter = { cluster: 'yarn-1', application: 'app-1' };
    const [one, ...more] = await store.spending.spending(ETL, WINDOW, filter);
    assert.deepEqual(one?.amounts, [{ role: 'executor', amount: 43n }]);
    assert.deepEqual(more, []);
    assert.deepEqual(await store.spending.spending(ML, WINDOW, filter), [], 'a foreign project');
    assert.deepEqual(
      (await store.spending.hourlySpending(ETL, WINDOW, filter)).map(({ hour, amount }) => [
        hour,
        amount,
      ]),
      [
        [T0, 40n],
        [T0 + HOUR_MS, 3n],
      ],
    );
  });

  test(`${engine}: sums are exact beyond 64 bits, hour by hour`, async () => {
    await using store = await open();
    const quantity = { containerMs: 1n, millicoreMs: 2n, mibMs: 0n, gpuMs: 0n };
    const charges = [0, 1, 2].map((n) => aCharge({ digest: `d${n}`, amount: HUGE, quantity }));
    const late = aCharge({ digest: 'e', hour: T0 + HOUR_MS, amount: -HUGE, quantity });
    await store.ledgerWriter.settle(
      aSettlement({ applications: [anApplication()], charges: [...charges, late] }),
    );
    assert.deepEqual(await store.spending.hourlySpending(ETL, WINDOW), [
      { hour: T0, amount: 3n * HUGE, millicoreMs: 6n },
      { hour: T0 + HOUR_MS, amount: -HUGE, millicoreMs: 2n },
    ]);
    const [all] = await store.spending.spending(ETL, WINDOW);
    assert.deepEqual(all?.amounts, [{ role: 'executor', amount: 2n * HUGE }]);
    assert.deepEqual(await store.spending.hourlySpending(ML, WINDOW), []);
  });
}
